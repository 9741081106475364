#include "load/rest_client.hpp"

#include <charconv>
#include <optional>

#include "net/http_head.hpp"

namespace carillon::bench {

namespace {

struct Answer {
  int status = 0;
  std::size_t head_size = 0;
  std::size_t body_size = 0;
};

template <class Number>
Number number_at(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Nothing until all of it is here.
std::optional<Answer> whole_answer(std::string_view bytes) {
  constexpr std::string_view kStatus = "HTTP/1.1 ";
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const auto head_size = net::find_head_end(bytes, 0);
  if (!head_size) return std::nullopt;
  Answer answer;
  answer.head_size = *head_size;
  if (bytes.starts_with(kStatus)) answer.status = number_at<int>(bytes.substr(kStatus.size(), 3));
  const std::size_t length = bytes.substr(0, *head_size).find(kLength);
  if (length != std::string_view::npos)
    answer.body_size = number_at<std::size_t>(bytes.substr(length + kLength.size()));
  if (bytes.size() < answer.head_size + answer.body_size) return std::nullopt;
  return answer;
}

}  // namespace

Result<> RestClient::open(const Target& target, const std::string& token) {
  answer_.clear();
  head_ = "POST /v1/events HTTP/1.1\r\nHost: " + target.endpoint().text() + "\r\nAuthorization: Bearer " + token +
          "\r\nContent-Type: application/json\r\nContent-Length: ";
  return connection_.open(target);
}

void RestClient::post(std::string_view body) {
  request_ = head_;
  request_.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  connection_.send(request_);
}

void RestClient::on_bytes(std::string_view bytes) {
  answer_.append(bytes);
  const auto answer = whole_answer(answer_);
  if (!answer) return;
  owner_.on_answer(*this, answer->status, std::string_view(answer_).substr(answer->head_size, answer->body_size));
  answer_.clear();
  if (!is_lost()) owner_.on_idle(*this);
}

}  // namespace carillon::bench
