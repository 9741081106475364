#include "app/http_reply.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "base/number.hpp"

namespace carillon::app {
namespace {

constexpr std::uint64_t kRetryAfterMax = 3600;

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// The next line without its CR LF; takes it off `text`.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

}  // namespace

std::string_view HttpReply::field(std::string_view lower_name) const {
  const auto found = std::ranges::find(fields, lower_name, [](const auto& f) { return std::string_view(f.first); });
  return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

Result<std::uint64_t> HttpReply::content_length() const {
  const std::string_view text = field("content-length");
  if (text.empty() && field("transfer-encoding").empty()) return 0;
  const auto length = parse_number<std::uint64_t>(text);
  if (!length) return fail(ErrorKind::unavailable, "the answer has a body of unknown length");
  return *length;
}

bool HttpReply::closes() const {
  return lower(field("connection")) == "close";
}

milliseconds HttpReply::retry_after() const {
  const auto seconds = parse_number<std::uint64_t>(field("retry-after")).value_or(0);
  return std::chrono::seconds{std::min(seconds, kRetryAfterMax)};
}

std::string HttpReply::refusal() const {
  std::string text = std::to_string(status);
  const auto document = json::Document::parse(body);
  if (!document) return text;
  json::Value said = document->root();
  if (const auto payload = said.find("payload")) said = *payload;
  for (const char* member : {"code", "title", "detail", "message"})
    if (const auto words = said.find_string(member)) text.append(text.size() > 3 ? ": " : " ").append(*words);
  return text;
}

Result<HttpReply> parse_reply_head(std::string_view head) {
  const auto refuse = [] { return fail(ErrorKind::unavailable, "the answer is not HTTP/1.1"); };
  HttpReply reply;
  const auto status_line = take_line(head);
  if (!status_line || !status_line->starts_with("HTTP/1.1 ")) return refuse();
  const auto status = parse_number<std::uint16_t>(status_line->substr(9, 3));
  if (!status || *status < 100) return refuse();
  reply.status = *status;
  while (auto line = take_line(head)) {
    if (line->empty()) return reply;
    const std::size_t colon = line->find(':');
    if (colon == std::string_view::npos) return refuse();
    reply.fields.emplace_back(lower(line->substr(0, colon)), trimmed(line->substr(colon + 1)));
  }
  return refuse();
}

}  // namespace carillon::app
