#include "eventlog/broker_url.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/number.hpp"

namespace carillon::eventlog {
namespace {

bool is_forbidden(char c) {
  const auto code = static_cast<unsigned char>(c);
  return code <= ' ' || code == 0x7f || c == '?' || c == '#';
}

// Reads host, host:port, [v6] or [v6]:port.
Result<> take_server(std::string_view text, const BrokerUrlForm& form, BrokerUrl& url) {
  if (text.contains('%')) return form.refusal("has a character that it cannot have");
  const bool is_v6 = text.starts_with('[');
  if (is_v6 && !text.contains(']')) return form.refusal("lacks a ]");
  const std::size_t end = is_v6 ? text.find(']') + 1 : std::min(text.find(':'), text.size());
  const std::string_view host = is_v6 ? text.substr(1, end - 2) : text.substr(0, end);
  const std::string_view rest = text.substr(end);
  if (host.empty()) return form.refusal("names no host");
  if (!rest.empty() && !rest.starts_with(':')) return form.refusal("has something behind its ]");
  url.host = host;
  if (rest.empty()) return {};
  const auto port = parse_number<std::uint16_t>(rest.substr(1));
  if (port.value_or(0) == 0) return form.refusal("has a port that is none");
  url.port = *port;
  return {};
}

}  // namespace

std::string BrokerUrl::address() const {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::unexpected<Error> BrokerUrlForm::refusal(std::string_view why) const {
  return fail(ErrorKind::invalid, fmt::format("the {} URL {}; it is {}", broker, why, pattern));
}

Result<BrokerUrl> parse_broker_url(std::string_view url, const BrokerUrlForm& form) {
  constexpr std::string_view kDivider = "://";
  const std::size_t end = url.find(kDivider);
  const std::string_view scheme = url.substr(0, end);
  if (end == std::string_view::npos || (scheme != form.scheme && scheme != form.tls_scheme)) {
    return form.refusal(fmt::format("begins with neither {}:// nor {}://", form.scheme, form.tls_scheme));
  }
  BrokerUrl read;
  read.uses_tls = scheme == form.tls_scheme;
  read.port = read.uses_tls ? form.tls_port : form.port;
  url.remove_prefix(end + kDivider.size());
  if (std::ranges::any_of(url, is_forbidden)) return form.refusal("has a character that it cannot have");
  // Whatever stands before the last @ might be a secret, a / in it or not.
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
    read.user = url.substr(0, at);
    url.remove_prefix(at + 1);
    if (read.user.find_first_of(":/@%") != std::string::npos) {
      return form.refusal("holds a password, and passwords are read from files");
    }
  }
  const std::size_t slash = std::min(url.find('/'), url.size());
  if (Result<> server = take_server(url.substr(0, slash), form, read); !server) return std::unexpected(server.error());
  read.path = url.substr(std::min(slash + 1, url.size()));
  return read;
}

}  // namespace carillon::eventlog
