#pragma once

#include <filesystem>
#include <string>

#include "app/command_line.hpp"
#include "app/server_url.hpp"
#include "base/result.hpp"

namespace carillon::app {

// How a client command reaches its server, with what the user left out filled in.
struct ResolvedAccess {
  ServerUrl server;
  std::filesystem::path ca_file;     // empty: the system's authorities
  std::filesystem::path token_file;  // empty: the token was given in words
  std::string token;

  // The token again, from its file where it has one: whoever renews tokens writes it there.
  [[nodiscard]] Result<std::string> current_token() const;
};

// Where the development setup lies in the working directory, its authority, and its token of `demo_user`, stand in for
// what was not given.
[[nodiscard]] Result<ResolvedAccess> resolve_access(const ServerAccess& access, const std::string& demo_user);

}  // namespace carillon::app
