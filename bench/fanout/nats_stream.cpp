#include "fanout/nats_stream.hpp"

#include <charconv>
#include <system_error>

namespace carillon::bench {

namespace {

constexpr std::string_view kEnd = "\r\n";
constexpr std::size_t kLineBytesMax = 64 * 1024;
constexpr std::size_t kPayloadBytesMax = 1024 * 1024;

// MSG <subject> <sid> [reply-to] <#bytes>
std::optional<std::size_t> payload_size(std::string_view line) {
  const std::string_view digits = line.substr(line.rfind(' ') + 1);
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  if (error != std::errc{} || end != digits.data() + digits.size() || size > kPayloadBytesMax) return std::nullopt;
  return size;
}

}  // namespace

NatsStream::Item NatsStream::broken() {
  left_ = {};
  return {.kind = Kind::broken, .text = {}};
}

std::optional<NatsStream::Item> NatsStream::next() {
  const std::size_t line_end = left_.find(kEnd);
  if (line_end == std::string_view::npos) {
    if (left_.size() > kLineBytesMax) return broken();
    return std::nullopt;
  }
  const std::string_view line = left_.substr(0, line_end);
  const std::size_t line_size = line_end + kEnd.size();
  if (!line.starts_with("MSG ")) {
    left_.remove_prefix(line_size);
    return Item{.kind = Kind::line, .text = line};
  }
  const auto size = payload_size(line);
  if (!size) return broken();
  if (left_.size() < line_size + *size + kEnd.size()) return std::nullopt;
  const std::string_view payload = left_.substr(line_size, *size);
  if (!left_.substr(line_size + *size).starts_with(kEnd)) return broken();
  left_.remove_prefix(line_size + *size + kEnd.size());
  return Item{.kind = Kind::message, .text = payload};
}

}  // namespace carillon::bench
