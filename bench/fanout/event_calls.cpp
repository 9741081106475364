#include "fanout/event_calls.hpp"

#include <fmt/format.h>

#include "load/http_answer.hpp"

namespace carillon::bench {

EventCalls::EventCalls(Line line, const Target& target)
    : line_(std::move(line)),
      head_("POST /v1/events HTTP/1.1\r\nHost: " + target.endpoint().text() + "\r\nAuthorization: Bearer " +
            target.token("bench-publisher", "publish") + "\r\nContent-Type: application/json\r\nContent-Length: ") {}

Result<> EventCalls::post(std::string_view batch, std::uint64_t events) {
  if (auto sent = line_.send(fmt::format("{}{}\r\n\r\n{}", head_, batch.size(), batch)); !sent) return sent;
  answer_.clear();
  auto answer = whole_answer(answer_);
  while (!answer) {
    if (auto more = line_.receive(answer_); !more) return more;
    answer = whole_answer(answer_);
  }
  const bool all_new = answer_.find(fmt::format(R"("accepted":{},"duplicates":0,)", events)) != std::string::npos;
  if (answer->status == 202 && all_new) return {};
  return fail(ErrorKind::unavailable, "a call was answered with: " + answer_.substr(0, 1000));
}

}  // namespace carillon::bench
