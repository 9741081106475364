#include "net/http_head.hpp"

#include <algorithm>

#include "base/percent.hpp"

namespace carillon::net {

namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// RFC 9110 5.6.2
bool is_token_char(char c) {
  return is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

// Visible ASCII, space and tab. obs-text is refused: nothing we serve needs it.
bool is_field_value_char(char c) {
  return (c >= 0x20 && c <= 0x7E) || c == '\t';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// host [ ":" port ]; the characters a registered name, an IPv4 or a bracketed IPv6 address may have.
bool is_host(std::string_view host) {
  if (host.empty() || host.size() > 255 + 6) return false;
  std::size_t end_of_name = host.find(':');
  if (host.front() == '[') {
    const std::size_t close = host.find(']');
    if (close == std::string_view::npos) return false;
    const auto inside = host.substr(1, close - 1);
    if (inside.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) return false;
    if (close + 1 < host.size() && host[close + 1] != ':') return false;
    end_of_name = close + 1 < host.size() ? close + 1 : std::string_view::npos;
  } else {
    const auto name = host.substr(0, end_of_name);
    if (name.empty()) return false;
    if (!std::all_of(name.begin(), name.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; }))
      return false;
  }
  if (end_of_name == std::string_view::npos) return true;
  const auto port = host.substr(end_of_name + 1);
  return port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos;
}

std::unexpected<HttpFault> bad(std::string_view why, int status = 400) {
  return std::unexpected(HttpFault{status, why});
}

// Cuts off the first line; nothing when no CR LF is left.
std::optional<std::string_view> next_line(std::string_view& rest) {
  const std::size_t end = rest.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

std::expected<void, HttpFault> parse_request_line(std::string_view line, HttpHead& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return bad("malformed request line");
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!is_token(method) || method.size() > 32) return bad("malformed method");
  if (version != "HTTP/1.1") {
    const bool other_version = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.';
    return other_version ? bad("only HTTP/1.1 is spoken here", 505) : bad("malformed HTTP version");
  }
  if (target.empty() || target.front() != '/') return bad("the request target must begin with /");
  if (!std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7F && c != '#'; }))
    return bad("a character that is not allowed in the request target");
  head.method = method;
  const std::size_t mark = target.find('?');
  head.path = target.substr(0, mark);
  if (mark != std::string_view::npos) head.query = target.substr(mark + 1);
  return {};
}

std::expected<void, HttpFault> parse_field(std::string_view line, HttpHead& head) {
  if (line.front() == ' ' || line.front() == '\t') return bad("folded header line");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return bad("malformed header name");
  const auto value = trimmed(line.substr(colon + 1));
  if (!std::all_of(value.begin(), value.end(), is_field_value_char)) return bad("malformed header value");
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), lower);
  head.fields.emplace_back(std::move(name), value);
  return {};
}

std::expected<void, HttpFault> check_framing(HttpHead& head) {
  if (head.count("host") != 1) return bad("exactly one Host is required");
  if (!is_host(*head.field("host"))) return bad("malformed Host");
  if (head.count("transfer-encoding") != 0) return bad("Transfer-Encoding is not accepted; send Content-Length");
  if (head.count("content-length") > 1) return bad("more than one Content-Length");
  if (const auto text = head.field("content-length")) {
    if (text->empty() || text->size() > 15 || text->find_first_not_of("0123456789") != std::string_view::npos)
      return bad("malformed Content-Length");
    std::uint64_t length = 0;
    for (const char digit : *text) length = length * 10 + static_cast<std::uint64_t>(digit - '0');
    head.content_length = length;
  }
  return {};
}

}  // namespace

std::optional<std::string_view> HttpHead::field(std::string_view lower_name) const {
  for (const auto& [name, value] : fields)
    if (name == lower_name) return value;
  return std::nullopt;
}

std::string HttpHead::joined(std::string_view lower_name) const {
  std::string all;
  for (const auto& [name, value] : fields)
    if (name == lower_name) all += (all.empty() ? "" : ",") + value;
  return all;
}

std::size_t HttpHead::count(std::string_view lower_name) const {
  return static_cast<std::size_t>(
      std::count_if(fields.begin(), fields.end(), [&](const auto& field) { return field.first == lower_name; }));
}

bool HttpHead::has_token(std::string_view lower_name, std::string_view token) const {
  const std::string all = joined(lower_name);
  for (std::string_view rest = all; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    if (equals_ignoring_case(trimmed(rest.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  return false;
}

std::optional<std::string_view> HttpHead::bearer_token() const {
  constexpr std::string_view kScheme = "bearer ";
  const auto value = field("authorization");
  if (!value || !equals_ignoring_case(value->substr(0, kScheme.size()), kScheme)) return std::nullopt;
  const auto token = trimmed(value->substr(kScheme.size()));
  if (token.empty()) return std::nullopt;
  return token;
}

std::optional<std::size_t> find_head_end(std::string_view bytes, std::size_t from) {
  const std::size_t end = bytes.find("\r\n\r\n", from > 3 ? from - 3 : 0);
  if (end == std::string_view::npos) return std::nullopt;
  return end + 4;
}

std::optional<HttpFault> find_early_fault(std::string_view bytes, std::size_t from) {
  for (std::size_t at = bytes.find('\n', from); at != std::string_view::npos; at = bytes.find('\n', at + 1))
    if (at == 0 || bytes[at - 1] != '\r') return HttpFault{400, "a line must end in CR LF"};
  const std::size_t line_end = bytes.find("\r\n");
  if (line_end == std::string_view::npos || line_end + 2 <= from) return std::nullopt;
  HttpHead head;
  const auto parsed = parse_request_line(bytes.substr(0, line_end), head);
  if (!parsed) return parsed.error();
  return std::nullopt;
}

std::expected<HttpHead, HttpFault> parse_http_head(std::string_view text) {
  HttpHead head;
  auto line = next_line(text);
  // A lone LF or CR inside a line fails as a character that is not allowed there.
  if (!line) return bad("malformed request line");
  if (auto parsed = parse_request_line(*line, head); !parsed) return std::unexpected(parsed.error());
  while ((line = next_line(text)) && !line->empty()) {
    if (head.fields.size() == kFieldsMax) return bad("too many header lines", 431);
    if (auto parsed = parse_field(*line, head); !parsed) return std::unexpected(parsed.error());
  }
  if (!line || !text.empty()) return bad("malformed header");
  if (auto checked = check_framing(head); !checked) return std::unexpected(checked.error());
  return head;
}

std::optional<std::string> query_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t amp = query.find('&');
    const auto pair = query.substr(0, amp);
    const std::size_t equals = pair.find('=');
    if (percent_decoded(pair.substr(0, equals)) == name)
      return percent_decoded(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
    if (amp == std::string_view::npos) break;
    query.remove_prefix(amp + 1);
  }
  return std::nullopt;
}

bool has_token(std::string_view query) {
  return query_parameter(query, "token") || query_parameter(query, "access_token");
}

}  // namespace carillon::net
