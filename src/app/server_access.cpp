#include "app/server_access.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "app/dev_setup.hpp"
#include "app/small_file.hpp"

namespace carillon::app {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

// Nothing that could become another line of a request's head.
Result<std::string> check_token(std::string_view text, const std::string& from) {
  const std::size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
  const std::string_view token = text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
  const bool is_plain = !token.empty() && std::ranges::all_of(token, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!is_plain) return fail(ErrorKind::invalid, from + " holds no token");
  return std::string(token);
}

}  // namespace

Result<std::string> ResolvedAccess::current_token() const {
  if (token_file.empty()) return token;
  const auto content = read_small_file(token_file);
  if (!content) return std::unexpected(content.error());
  return check_token(*content, token_file.string());
}

Result<ResolvedAccess> resolve_access(const ServerAccess& access, const std::string& demo_user) {
  const auto server = ServerUrl::parse(access.url);
  if (!server) return std::unexpected(server.error());
  ResolvedAccess resolved{*server, access.ca_file, access.token_file, access.token};
  const std::filesystem::path setup = kDevFolder;
  std::error_code error;
  if (resolved.ca_file.empty() && std::filesystem::exists(setup / "ca.pem", error)) resolved.ca_file = setup / "ca.pem";
  if (resolved.token.empty() && resolved.token_file.empty()) {
    resolved.token_file = setup / (demo_user + ".token");
    if (!std::filesystem::exists(resolved.token_file, error))
      return fail(ErrorKind::invalid, "no token: name one with --token-file or --token");
  }
  auto token = resolved.token_file.empty() ? check_token(access.token, "--token") : resolved.current_token();
  if (!token) return std::unexpected(token.error());
  resolved.token = std::move(*token);
  return resolved;
}

}  // namespace carillon::app
