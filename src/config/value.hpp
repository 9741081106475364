#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/table.hpp"

// Between what an operator wrote and what a row takes.
namespace carillon::config {

// A value as TOML or the environment gave it. std::monostate: of a type that no key takes.
using Value = std::variant<std::monostate, bool, std::int64_t, std::string, std::vector<std::string>>;

// Reads the text of an environment variable the way the shape takes it; lists are separated by commas. A text that
// does not fit stays text, for store() to refuse.
[[nodiscard]] Value value_from_text(const Shape& shape, std::string_view text);

// Puts the value where it belongs. Otherwise says what is wrong and what is allowed, and the config is of no use.
// Relative paths are taken from `folder`.
[[nodiscard]] std::optional<std::string> store(const Row& row, const Value& value, const std::filesystem::path& folder,
                                               Config& config);

// "a duration from 1s to 10m, such as \"20s\"".
[[nodiscard]] std::string allowed(const Row& row);
// The default as TOML writes it.
[[nodiscard]] std::string default_as_toml(const Row& row);

}  // namespace carillon::config
