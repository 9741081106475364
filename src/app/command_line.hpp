#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "auth/algorithm.hpp"
#include "websocket/upgrade.hpp"

// What the user asked for: one plain struct per command.
namespace carillon::app {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

// Runs the server from `config`, or, when that is empty, from the development setup in `dev_folder`.
struct ServeCommand {
  std::filesystem::path config;
  std::filesystem::path dev_folder;
};

struct CheckConfigCommand {
  std::filesystem::path config;
};

// Key and claims come from `config`, where given; what is named beside it wins.
struct TokenCommand {
  std::filesystem::path config;
  std::filesystem::path secret_file;
  std::filesystem::path private_key;
  std::optional<auth::Algorithm> algorithm;
  std::string kid;
  std::string user;
  std::optional<std::string> scope;
  std::chrono::seconds ttl{};
  std::optional<std::string> issuer;
  std::optional<std::string> audience;
};

// How a client command reaches a server and who it says it is. What is empty is looked up in the development setup of
// the working directory (server_access.hpp).
struct ServerAccess {
  std::string url;
  std::filesystem::path ca_file;
  std::string token;
  std::filesystem::path token_file;
};

struct PublishCommand {
  ServerAccess server;
  std::filesystem::path input;  // "-": standard input
};

struct TailCommand {
  ServerAccess server;
  bool as_json = false;
  websocket::Carrier carrier{};
  std::string from;  // a position; empty: none
  bool wants_snapshot = true;
};

// Where the administrator's port is, or the configuration that says so; both empty: looked up as in ServerAccess.
struct StatsCommand {
  std::string admin;  // an address and port
  std::filesystem::path config;
  bool as_json = false;
};

struct ListDeadLettersCommand {
  ServerAccess server;
  std::uint32_t limit = 0;
  bool as_json = false;
};

// All of them, or those at `positions`.
struct ReplayDeadLettersCommand {
  ServerAccess server;
  std::vector<std::string> positions;  // empty: all
};

struct VersionCommand {};

using Command = std::variant<ServeCommand, CheckConfigCommand, TokenCommand, PublishCommand, TailCommand, StatsCommand,
                             ListDeadLettersCommand, ReplayDeadLettersCommand, VersionCommand>;

// Nothing to run: help was asked for (exit code 0, for standard output), or the words make no command (exit code 2,
// for standard error).
struct NoCommand {
  int exit_code = kExitUsage;
  std::string text;
};

// `words` without the program's name.
[[nodiscard]] std::expected<Command, NoCommand> parse_command_line(std::vector<std::string> words);

}  // namespace carillon::app
