#include "telemetry/log_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iterator>

namespace carillon::telemetry {
namespace {

struct CodePoint {
  char32_t value;
  std::size_t size;  // bytes; 0: the text does not begin with valid UTF-8
};

CodePoint first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {0, 0};
  char32_t value = lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {0, 0};
    value = (value << 6U) | (byte(i) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kSmallest.at(size) || is_surrogate || value > 0x10ffff) return {0, 0};
  return {value, size};
}

// Characters that a terminal or a viewer acts upon instead of showing: controls (C0, DEL, C1), line and paragraph
// separators, and the marks that reverse the direction of the text after them.
bool acts_on_the_reader(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069);
}

// The inside of a JSON string, also used between the quotes of the text form.
void append_escaped(std::string& out, std::string_view text) {
  const bool is_cut = text.size() > kFieldBytesMax;
  text = text.substr(0, kFieldBytesMax);
  while (!text.empty()) {
    const CodePoint c = first_code_point(text);
    if (c.size == 0) {
      out += "\\ufffd";
      text.remove_prefix(1);
      continue;
    }
    if (c.value == U'"' || c.value == U'\\') {
      out += '\\';
      out += static_cast<char>(c.value);
    } else if (c.value == U'\n') {
      out += "\\n";
    } else if (c.value == U'\r') {
      out += "\\r";
    } else if (acts_on_the_reader(c.value)) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<std::uint32_t>(c.value));
    } else {
      out += text.substr(0, c.size);
    }
    text.remove_prefix(c.size);
  }
  if (is_cut) out += "...";
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

bool needs_no_quotes(std::string_view text) {
  constexpr std::string_view kPlain = "-._:/@+~,[]()#%*";
  return !text.empty() && text.size() <= kFieldBytesMax && std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kPlain.contains(c);
  });
}

void append_time(std::string& out, WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                 clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

void append_value(std::string& out, LogFormat format, const Field& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    if (format == LogFormat::text && needs_no_quotes(*text))
      out += *text;
    else
      append_quoted(out, *text);
    return;
  }
  if (const auto* number = std::get_if<double>(&field.value); number != nullptr && !std::isfinite(*number)) {
    out += "null";  // JSON has no word for it
    return;
  }
  std::visit([&](const auto& value) { fmt::format_to(std::back_inserter(out), "{}", value); }, field.value);
}

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "error";
}

std::string format_line(LogFormat format, WallTime time, Level level, std::string_view event,
                        std::span<const Field> fields) {
  const bool is_json = format == LogFormat::json;
  std::string line;
  line.reserve(160);
  if (is_json) line += R"({"time":")";
  append_time(line, time);
  fmt::format_to(std::back_inserter(line), fmt::runtime(is_json ? R"(","level":"{}","event":")" : " {:<5} "),
                 to_string(level));
  append_escaped(line, event);
  if (is_json) line += '"';
  for (const Field& field : fields) {
    line += is_json ? ",\"" : " ";
    append_escaped(line, field.key);
    line += is_json ? "\":" : "=";
    append_value(line, format, field);
  }
  line += is_json ? "}\n" : "\n";
  return line;
}

}  // namespace carillon::telemetry
