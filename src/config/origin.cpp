#include "config/origin.hpp"

#include <algorithm>

namespace carillon::config {
namespace {

constexpr std::size_t kOriginBytesMax = 512;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

bool is_origin(std::string_view text) {
  const std::size_t separator = text.find("://");
  if (separator == std::string_view::npos || separator == 0 || text.size() > kOriginBytesMax) return false;
  const std::string_view scheme = text.substr(0, separator);
  const std::string_view host = text.substr(separator + 3);
  if (host.empty()) return false;
  if ((scheme == "https" && host.ends_with(":443")) || (scheme == "http" && host.ends_with(":80"))) return false;
  const auto only_has = [](std::string_view part, std::string_view others) {
    return std::ranges::all_of(part, [&](char c) { return is_lower_or_digit(c) || others.contains(c); });
  };
  return only_has(scheme, "+-.") && only_has(host, "-._:[]");
}

}  // namespace carillon::config
