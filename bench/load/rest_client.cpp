#include "load/rest_client.hpp"

#include "load/http_answer.hpp"

namespace carillon::bench {

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
