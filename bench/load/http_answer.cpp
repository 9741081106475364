#include "load/http_answer.hpp"

#include <charconv>

#include "net/http_head.hpp"

namespace carillon::bench {

namespace {

template <class Number>
Number number_at(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::optional<HttpAnswer> whole_answer(std::string_view bytes) {
  constexpr std::string_view kStatus = "HTTP/1.1 ";
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const auto head_size = net::find_head_end(bytes, 0);
  if (!head_size) return std::nullopt;
  HttpAnswer answer;
  answer.head_size = *head_size;
  if (bytes.starts_with(kStatus)) answer.status = number_at<int>(bytes.substr(kStatus.size(), 3));
  const std::size_t length = bytes.substr(0, *head_size).find(kLength);
  if (length != std::string_view::npos)
    answer.body_size = number_at<std::size_t>(bytes.substr(length + kLength.size()));
  if (bytes.size() < answer.size()) return std::nullopt;
  return answer;
}

}  // namespace carillon::bench
