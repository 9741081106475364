#include "fanout/mark.hpp"

#include <fmt/format.h>

#include <charconv>
#include <system_error>

namespace carillon::bench {

namespace {

constexpr std::size_t kDigits = 10;
constexpr std::string_view kEnd = R"("}})";

}  // namespace

std::string Mark::text(std::uint64_t number) const {
  return fmt::format(R"("bench":"{}-{:0{}}"}}}})", run_, number, kDigits);
}

std::optional<std::uint64_t> Mark::number_in(std::string_view message) const {
  if (!message.ends_with(kEnd)) return std::nullopt;
  message.remove_suffix(kEnd.size());
  if (message.size() < run_.size() + 1 + kDigits) return std::nullopt;
  const std::string_view digits = message.substr(message.size() - kDigits);
  message.remove_suffix(kDigits);
  if (!message.ends_with('-') || !message.substr(0, message.size() - 1).ends_with(run_)) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace carillon::bench
