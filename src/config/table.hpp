#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.hpp"

// The one place where configuration is told: loading, checking and docs/configuration.md come from these rows.
namespace carillon::config {

// What a key takes, and where in Config it goes.
struct Switch {
  bool& (*of)(Config&);
};
struct Count {
  std::uint32_t& (*of)(Config&);
  std::uint32_t least;
  std::uint32_t most;
};
struct Size {
  std::uint64_t& (*of)(Config&);
  std::uint64_t least;
  std::uint64_t most;
};
struct Duration {
  std::chrono::milliseconds& (*of)(Config&);
  std::chrono::milliseconds least;
  std::chrono::milliseconds most;
};
struct Listen {
  net::Endpoint& (*of)(Config&);
};
struct Text {
  std::string& (*of)(Config&);
  std::size_t least;  // bytes
};
struct Word {
  void (*set)(Config&, std::size_t index);
  std::vector<std::string_view> words;
};
struct Words {
  void (*set)(Config&, const std::vector<std::size_t>& indices);
  std::vector<std::string_view> words;
  std::size_t least;
};
struct Origins {
  std::vector<std::string>& (*of)(Config&);
};
struct Networks {
  std::vector<net::Network>& (*of)(Config&);
};
// Whether a file must be named and readable, must be readable if named, or is made by the server; or it is a folder of
// web pages, which must have an index.html if named.
enum class FileUse : std::uint8_t { required, optional, made, pages };
struct File {
  std::filesystem::path& (*of)(Config&);
  FileUse use;
};
struct Files {
  std::vector<std::filesystem::path>& (*of)(Config&);
};
using Shape = std::variant<Switch, Count, Size, Duration, Listen, Text, Word, Words, Origins, Networks, File, Files>;

enum class Secrecy : std::uint8_t { open, secret };

struct Row {
  std::string_view key;            // "server.listen"
  std::string_view default_value;  // as an environment variable would say it
  Shape shape;
  std::string_view help;  // one sentence or two, Markdown
  Secrecy secrecy = Secrecy::open;
  std::string_view only_default_because = {};  // not in this build yet: what this build allows instead
};

// In the order of the reference.
[[nodiscard]] std::span<const Row> table();
[[nodiscard]] const Row* find_row(std::string_view key);

// CARILLON_SERVER_LISTEN for server.listen.
[[nodiscard]] std::string environment_name(std::string_view key);

}  // namespace carillon::config
