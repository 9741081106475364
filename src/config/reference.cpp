#include "config/reference.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

#include "config/table.hpp"
#include "config/value.hpp"

namespace carillon::config {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration

`carillon serve --config FILE` reads a TOML file. Everything has a default, so a file names only what differs.

- Every key can be overridden by the environment variable beside it; lists are separated by commas there.
- Paths are relative to the configuration file's own folder, also those from the environment.
- Durations are whole numbers with `ms`, `s`, `m` or `h`; sizes with `B`, `KiB`, `MiB`, `GiB` or `TiB`. 0 needs no unit.
- Secrets are named by file, never written here. A private key or secret that others may read is warned about.
- What is not known, of the wrong type or out of range is refused at start, each with file, line, key and what is
  allowed; so is a variable that begins with `CARILLON_` and is not below. Passed over are `CARILLON_SERVICE_*` and
  `CARILLON_PORT*`, which Kubernetes sets for a service called carillon, and `CARILLON_BINARY` and `CARILLON_VECTORS`
  of the tests.

`carillon check-config FILE` checks without starting.

This file is generated from the table in `src/config/table.cpp`.
)";

std::string_view section_of(std::string_view key) {
  return key.substr(0, key.rfind('.'));
}
std::string_view name_of(std::string_view key) {
  return key.substr(key.rfind('.') + 1);
}

void append_row(std::string& out, const Row& row) {
  fmt::format_to(std::back_inserter(out), "| `{}` | `{}` | {} | {}", name_of(row.key), default_as_toml(row),
                 allowed(row), row.help);
  if (row.secrecy == Secrecy::secret) out += " Secret.";
  if (!row.only_default_because.empty())
    fmt::format_to(std::back_inserter(out), " Only the default for now: {}.", row.only_default_because);
  fmt::format_to(std::back_inserter(out), " | `{}` |\n", environment_name(row.key));
}

}  // namespace

std::string reference_markdown() {
  std::string out(kIntroduction);
  std::string_view section;
  for (const Row& row : table()) {
    if (section_of(row.key) != section) {
      section = section_of(row.key);
      fmt::format_to(std::back_inserter(out),
                     "\n## [{}]\n\n| key | default | allowed | meaning | environment |\n|---|---|---|---|---|\n",
                     section);
    }
    append_row(out, row);
  }
  return out;
}

}  // namespace carillon::config
