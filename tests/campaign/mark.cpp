#include "campaign/mark.hpp"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <functional>

namespace carillon::campaign {

namespace {

constexpr std::string_view kPayload = R"(,"payload":)";
constexpr std::string_view kMark = R"(,"campaign":")";

std::string mark_text(const Mark& mark, std::string_view payload) {
  const std::string numbers = fmt::format("{}{}.{}.", kMark, mark.stream, mark.number);
  const std::hash<std::string_view> hash;
  return fmt::format(R"({}{:x}"}})", numbers, hash(payload) ^ std::rotl(hash(numbers), 1));
}

}  // namespace

void append_mark(std::string& payload, const Mark& mark) {
  payload += mark_text(mark, payload);
}

std::optional<Mark> mark_in(std::string_view notification) {
  const std::size_t begin = notification.find(kPayload);
  const std::size_t at = notification.rfind(kMark);
  if (begin == std::string_view::npos || at == std::string_view::npos || at < begin) return std::nullopt;
  const std::string_view text = notification.substr(at + kMark.size());
  const char* const end = text.data() + text.size();
  Mark mark;
  const auto stream = std::from_chars(text.data(), end, mark.stream);
  if (stream.ec != std::errc{} || stream.ptr == end) return std::nullopt;
  if (std::from_chars(stream.ptr + 1, end, mark.number).ec != std::errc{}) return std::nullopt;
  // Made again rather than read: then every byte of it counts.
  const std::string_view payload = notification.substr(begin + kPayload.size(), at - begin - kPayload.size());
  if (notification.substr(at) != mark_text(mark, payload) + "}") return std::nullopt;
  return mark;
}

}  // namespace carillon::campaign
