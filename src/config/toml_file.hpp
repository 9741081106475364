#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config/value.hpp"

namespace carillon::config {

// One key or section as it stands in a TOML file.
struct Setting {
  std::string key;  // dotted: "log.journal.path"
  std::uint32_t line = 0;
  bool is_section = false;  // the keys inside follow as settings of their own
  Value value;
};

struct TomlFault {
  std::uint32_t line = 0;
  std::string message;
};

// All settings of a TOML text (version 1.0), each section before what is in it.
[[nodiscard]] std::expected<std::vector<Setting>, TomlFault> read_toml(std::string_view text);

}  // namespace carillon::config
