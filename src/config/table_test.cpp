#include "config/table.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "config/reference.hpp"
#include "config/toml_file.hpp"
#include "config/value.hpp"

namespace carillon::config {
namespace {

const std::filesystem::path kProject = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();

std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(Table, KeysAndVariablesAreUnique) {
  std::set<std::string> names;
  for (const Row& row : table()) {
    EXPECT_TRUE(names.insert(std::string(row.key)).second) << row.key;
    EXPECT_TRUE(names.insert(environment_name(row.key)).second) << row.key;
    EXPECT_EQ(find_row(row.key), &row);
  }
  EXPECT_EQ(find_row("server"), nullptr);
  EXPECT_EQ(environment_name("log.journal.path"), "CARILLON_LOG_JOURNAL_PATH");
}

TEST(Table, EveryDefaultIsAllowedByItsOwnRow) {
  Config config;
  for (const Row& row : table())
    EXPECT_EQ(store(row, value_from_text(row.shape, row.default_value), "", config), std::nullopt) << row.key;
}

// The names and defaults that operators' files rely on, where the project's shared papers are at hand.
TEST(Table, KnowsTheSharedNamesWithTheirDefaults) {
  const std::filesystem::path shared = kProject.parent_path() / "shared" / "config.toml";
  if (!std::filesystem::exists(shared)) GTEST_SKIP() << "no " << shared;
  const auto settings = read_toml(read_text(shared));
  ASSERT_TRUE(settings.has_value());
  std::size_t keys = 0;
  for (const Setting& setting : *settings) {
    if (setting.is_section) continue;
    ++keys;
    const Row* row = find_row(setting.key);
    ASSERT_NE(row, nullptr) << setting.key;
    EXPECT_EQ(setting.value, value_from_text(row->shape, row->default_value)) << setting.key;
  }
  EXPECT_GT(keys, 40U);
}

TEST(Reference, CommittedFileIsWhatTheTableSays) {
  const std::filesystem::path file = kProject / "docs" / "configuration.md";
  if (std::getenv("UPDATE_REFERENCE") != nullptr) std::ofstream(file, std::ios::binary) << reference_markdown();
  EXPECT_EQ(read_text(file), reference_markdown()) << "run this test with UPDATE_REFERENCE=1 to write " << file;
}

}  // namespace
}  // namespace carillon::config
