#include "fanout/message.hpp"

#include <fmt/format.h>

#include "base/ensure.hpp"

namespace carillon::bench {

namespace {

constexpr std::string_view kSentence =
    "Connection to the exchange lost; orders are held until it is back. Positions are not affected. ";

}  // namespace

std::string make_alert(const Mark& mark, std::uint64_t number, std::string_view head, std::size_t bytes) {
  std::string text = fmt::format(R"({{{},"payload":{{"alert_id":"a-{}","level":"WARNING","message":")", head, number);
  const std::string end = R"(","component":"ExchangeGateway-02",)" + mark.text(number);
  ensure(text.size() + end.size() < bytes, "an alert has room for a text");
  const std::size_t text_end = bytes - end.size();
  while (text.size() < text_end) text.append(kSentence);
  return text.replace(text_end, std::string::npos, end);
}

std::string make_message(const Mark& mark, std::uint64_t number) {
  const std::string head = fmt::format(
      R"("type":"notification","event":"system_alert","timestamp":"2026-11-22T12:00:00.123Z","id":"{}")", number);
  return make_alert(mark, number, head, kMessageBytes);
}

}  // namespace carillon::bench
