#include "fanout/nchan_peer.hpp"

#include <fmt/format.h>

#include "fanout/message.hpp"
#include "load/http_answer.hpp"

namespace carillon::bench {

NchanPublisher::NchanPublisher(Line line, const net::Endpoint& endpoint, Mark mark)
    : line_(std::move(line)),
      mark_(std::move(mark)),
      head_(fmt::format("POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                        kNchanPublish, endpoint.text(), kMessageBytes)) {}

Result<> NchanPublisher::publish(std::uint64_t first, std::uint64_t count) {
  std::string calls;
  for (std::uint64_t number = first; number < first + count; ++number)
    calls.append(head_).append(make_message(mark_, number));
  if (auto sent = line_.send(calls); !sent) return sent;
  for (received_.clear(); count > 0; --count) {
    auto answer = whole_answer(received_);
    while (!answer) {
      if (auto more = line_.receive(received_); !more) return more;
      answer = whole_answer(received_);
    }
    if (answer->status < 200 || answer->status > 299)
      return fail(ErrorKind::unavailable, "a call was answered with: " + received_.substr(0, 1000));
    received_.erase(0, answer->size());
  }
  return {};
}

}  // namespace carillon::bench
