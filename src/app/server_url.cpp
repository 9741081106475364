#include "app/server_url.hpp"

#include <algorithm>
#include <cstdint>

#include "base/number.hpp"

namespace carillon::app {
namespace {

bool is_port(std::string_view text) {
  return parse_number<std::uint16_t>(text).value_or(0) != 0;
}

bool is_host(std::string_view text, bool is_in_brackets) {
  const std::string_view others = is_in_brackets ? ":." : "-._";
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || others.contains(c);
  });
}

}  // namespace

std::string ServerUrl::authority() const {
  return (host.contains(':') ? '[' + host + ']' : host) + ':' + port;
}

Result<ServerUrl> ServerUrl::parse(std::string_view text) {
  const auto refuse = [&] {
    return fail(ErrorKind::invalid, "not a server: " + std::string(text) + "; it looks like https://127.0.0.1:8443");
  };
  std::string_view rest = text;
  if (!rest.starts_with("https://") && !rest.starts_with("wss://")) return refuse();
  rest.remove_prefix(rest.find("//") + 2);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const bool is_in_brackets = rest.starts_with('[');
  if (is_in_brackets) rest.remove_prefix(1);
  const std::size_t host_end = is_in_brackets ? rest.find(']') : std::min(rest.find(':'), rest.size());
  if (host_end == std::string_view::npos) return refuse();
  const std::string_view host = rest.substr(0, host_end);
  const std::string_view port = rest.substr(host_end + (is_in_brackets ? 1 : 0));
  if (!is_host(host, is_in_brackets)) return refuse();
  if (port.empty()) return ServerUrl{std::string(host), "443"};
  if (!port.starts_with(':') || !is_port(port.substr(1))) return refuse();
  return ServerUrl{std::string(host), std::string(port.substr(1))};
}

}  // namespace carillon::app
