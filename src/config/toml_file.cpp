#include "config/toml_file.hpp"

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <optional>

namespace carillon::config {
namespace {

Value list_of_texts(const toml::array& array) {
  std::vector<std::string> texts;
  for (const toml::node& item : array) {
    const auto* text = item.as_string();
    if (text == nullptr) return std::monostate{};
    texts.push_back(text->get());
  }
  return texts;
}

Value value_of(const toml::node& node) {
  if (const auto* is_on = node.as_boolean()) return is_on->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* array = node.as_array()) return list_of_texts(*array);
  return std::monostate{};
}

void append_settings(std::vector<Setting>& settings, const toml::table& table, const std::string& prefix) {
  for (const auto& [name, node] : table) {
    const toml::table* section = node.as_table();
    const std::string key = prefix + std::string(name.str());
    settings.push_back({key, name.source().begin.line, section != nullptr, value_of(node)});
    if (section != nullptr) append_settings(settings, *section, key + '.');
  }
}

}  // namespace

std::expected<std::vector<Setting>, TomlFault> read_toml(std::string_view text) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return std::unexpected(TomlFault{error.source().begin.line, std::string(error.description())});
  }
  std::vector<Setting> settings;
  append_settings(settings, parsed.table(), "");
  return settings;
}

}  // namespace carillon::config
