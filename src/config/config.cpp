#include "config/config.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/ensure.hpp"
#include "config/check.hpp"
#include "config/nearest_name.hpp"
#include "config/table.hpp"
#include "config/toml_file.hpp"
#include "config/value.hpp"

namespace carillon::config {
namespace {

constexpr std::size_t kFileBytesMax = 1024 * 1024;
constexpr std::string_view kPrefix = "CARILLON_";

std::vector<std::string> known_keys() {
  std::vector<std::string> keys;
  for (const Row& row : table()) keys.emplace_back(row.key);
  return keys;
}

std::vector<std::string> known_variables() {
  std::vector<std::string> names;
  for (const Row& row : table()) names.push_back(environment_name(row.key));
  return names;
}

// "log" and "log.journal" of "log.journal.path".
std::vector<std::string> known_sections() {
  std::vector<std::string> sections;
  for (const Row& row : table())
    for (std::size_t dot = row.key.find('.'); dot != std::string_view::npos; dot = row.key.find('.', dot + 1))
      sections.emplace_back(row.key.substr(0, dot));
  return sections;
}

bool is_section(std::string_view key) {
  const auto sections = known_sections();
  return std::ranges::find(sections, key) != sections.end();
}

std::string unknown(std::string_view what, std::string_view name, const std::vector<std::string>& known) {
  const std::string nearest = nearest_name(name, known);
  if (nearest.empty()) return fmt::format("unknown {}; allowed: those of docs/configuration.md", what);
  return fmt::format("unknown {}; did you mean {}?", what, nearest);
}

// Variables that are not for the server: Kubernetes sets some for a service called carillon, the tests have theirs.
bool is_foreign(std::string_view variable) {
  return variable.starts_with("CARILLON_SERVICE_") || variable.starts_with("CARILLON_PORT") ||
         variable == "CARILLON_BINARY" || variable == "CARILLON_VECTORS";
}

struct Origin {
  std::string file;
  std::uint32_t line = 0;
};

// One load() under way.
class Loading {
 public:
  explicit Loading(const std::filesystem::path& file) : file_(file), folder_(file.parent_path()) {
    for (const Row& row : table()) {
      const auto wrong = store(row, value_from_text(row.shape, row.default_value), folder_, config_);
      ensure(!wrong, "every default is allowed by its own row");
    }
  }

  void read_file();
  void read_environment(const Environment& environment);
  void check_all();
  std::expected<Config, std::vector<ConfigFault>> result() &&;

 private:
  void take(const Setting& setting);
  void set(const Row& row, const Value& value, const Origin& origin);
  void fault(const Origin& origin, std::string_view key, std::string message) {
    faults_.push_back({origin.file, origin.line, std::string(key), std::move(message)});
  }

  const std::filesystem::path file_;
  const std::filesystem::path folder_;
  Config config_;
  std::map<std::string_view, Origin> origins_;  // of what is not a default
  std::string unknown_section_;                 // whose keys are passed over, since the section was reported
  std::vector<ConfigFault> faults_;
};

void Loading::read_file() {
  std::ifstream stream(file_, std::ios::binary);
  std::string text(kFileBytesMax + 1, '\0');
  if (stream) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream.is_open() || stream.bad())
    return fault({file_}, "", fmt::format("cannot read it: {}", std::strerror(errno)));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kFileBytesMax) return fault({file_}, "", "is larger than 1MiB");
  const auto settings = read_toml(text);
  if (!settings) return fault({file_, settings.error().line}, "", settings.error().message);
  for (const Setting& setting : *settings) take(setting);
}

void Loading::take(const Setting& setting) {
  if (!unknown_section_.empty() && setting.key.starts_with(unknown_section_)) return;
  const Origin origin{file_, setting.line};
  if (const Row* row = find_row(setting.key); row != nullptr) return set(*row, setting.value, origin);
  if (is_section(setting.key)) {
    if (!setting.is_section)
      fault(origin, setting.key, fmt::format("is a section, not a key; write [{}] and its keys below", setting.key));
    return;
  }
  if (setting.is_section) {
    unknown_section_ = setting.key + '.';
    return fault(origin, setting.key, unknown("section", setting.key, known_sections()));
  }
  fault(origin, setting.key, unknown("key", setting.key, known_keys()));
}

void Loading::set(const Row& row, const Value& value, const Origin& origin) {
  origins_[row.key] = origin;
  if (auto wrong = store(row, value, folder_, config_)) fault(origin, row.key, std::move(*wrong));
}

void Loading::read_environment(const Environment& environment) {
  for (const auto& [name, text] : environment) {
    if (!name.starts_with(kPrefix) || is_foreign(name)) continue;
    const Origin origin{"environment " + name};
    const auto row = std::ranges::find(table(), name, [](const Row& r) { return environment_name(r.key); });
    if (row == table().end())
      fault(origin, "", unknown("variable", name, known_variables()));
    else
      set(*row, value_from_text(row->shape, text), origin);
  }
}

void Loading::check_all() {
  for (Finding& finding : check(config_)) {
    const bool is_known_fault = std::ranges::find(faults_, finding.key, &ConfigFault::key) != faults_.end();
    if (is_known_fault) continue;
    const auto origin = origins_.find(finding.key);
    ConfigFault found{.file = file_, .key = std::string(finding.key), .message = std::move(finding.message)};
    if (origin != origins_.end()) {
      found.file = origin->second.file;
      found.line = origin->second.line;
    }
    (finding.is_warning ? config_.warnings : faults_).push_back(std::move(found));
  }
}

std::expected<Config, std::vector<ConfigFault>> Loading::result() && {
  if (faults_.empty()) return std::move(config_);
  // The file first, in the order of its lines.
  const auto place = [&](const ConfigFault& fault) {
    return std::tuple(fault.file != file_, fault.line, fault.file, fault.key);
  };
  std::ranges::sort(faults_, {}, place);
  return std::unexpected(std::move(faults_));
}

}  // namespace

std::string ConfigFault::to_string() const {
  std::string text = file;
  if (line > 0) text += fmt::format(":{}", line);
  if (!key.empty()) text += ": " + key;
  return text + ": " + message;
}

Environment environment_of_process() {
  Environment found;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (const std::size_t equals = text.find('='); text.starts_with(kPrefix) && equals != std::string_view::npos)
      found.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return found;
}

std::expected<Config, std::vector<ConfigFault>> load(const std::filesystem::path& file,
                                                     const Environment& environment) {
  Loading loading(file);
  loading.read_file();
  loading.read_environment(environment);
  loading.check_all();
  return std::move(loading).result();
}

}  // namespace carillon::config
