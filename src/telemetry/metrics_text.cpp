#include "telemetry/metrics_text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace carillon::telemetry {
namespace {

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
}

bool take(std::string_view& line, char expected) {
  if (!line.starts_with(expected)) return false;
  line.remove_prefix(1);
  return true;
}

// Empty: there is none.
std::string take_name(std::string_view& line) {
  const auto end = std::ranges::find_if_not(line, is_name_char);
  std::string name(line.begin(), end);
  line.remove_prefix(name.size());
  return name;
}

// From behind the opening quote to behind the closing one.
std::optional<std::string> take_quoted(std::string_view& line) {
  std::string value;
  while (!line.empty()) {
    char c = line.front();
    line.remove_prefix(1);
    if (c == '"') return value;
    if (c == '\\') {
      if (line.empty()) return std::nullopt;
      c = line.front() == 'n' ? '\n' : line.front();
      line.remove_prefix(1);
    }
    value += c;
  }
  return std::nullopt;
}

std::optional<Labels> take_labels(std::string_view& line) {
  Labels labels;
  if (!take(line, '{')) return labels;
  while (!take(line, '}')) {
    if (!labels.empty() && !take(line, ',')) return std::nullopt;
    std::string name = take_name(line);
    if (name.empty() || !take(line, '=') || !take(line, '"')) return std::nullopt;
    auto value = take_quoted(line);
    if (!value) return std::nullopt;
    labels.emplace_back(std::move(name), std::move(*value));
  }
  return labels;
}

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);  // +Inf
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string_view MetricsText::Sample::label(std::string_view name) const {
  const auto found = std::ranges::find(labels, name, [](const auto& l) { return std::string_view(l.first); });
  return found == labels.end() ? std::string_view() : std::string_view(found->second);
}

Result<MetricsText> MetricsText::parse(std::string_view text) {
  MetricsText read;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    std::string name = take_name(line);
    auto labels = take_labels(line);
    const auto value = labels && take(line, ' ') ? parse_number(line) : std::nullopt;
    if (name.empty() || !value)
      return fail(ErrorKind::invalid, "line " + std::to_string(number) + " is no sample of a metric");
    read.samples_[std::move(name)].push_back({std::move(*labels), *value});
  }
  return read;
}

const std::vector<MetricsText::Sample>& MetricsText::of(std::string_view name) const {
  static const std::vector<Sample> kNone;
  const auto found = samples_.find(name);
  return found == samples_.end() ? kNone : found->second;
}

}  // namespace carillon::telemetry
