#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "base/json.hpp"

// nst/JSONTestSuite against our reader. The files are test data from outside the repository: in the folder that
// CARILLON_VECTORS names, or in shared/vectors beside the repository.
namespace carillon {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> vectors() {
  if (const char* named = std::getenv("CARILLON_VECTORS")) return fs::path(named);
  for (fs::path folder = fs::current_path();; folder = folder.parent_path()) {
    fs::path candidate = folder / "shared" / "vectors";
    if (fs::is_directory(candidate)) return candidate;
    if (folder == folder.parent_path()) return std::nullopt;
  }
}

std::string read(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

// The suite calls duplicate names valid, as RFC 8259 4 leaves them open. We refuse them on purpose: two readers that
// choose differently between the two values would see two different events.
bool is_refused_by_decision(const std::string& name) {
  return name.starts_with("y_object_duplicated_key");
}

TEST(JsonSuite, AcceptsTheValidAndRefusesTheInvalid) {
  const auto folder = vectors();
  if (!folder || !fs::is_directory(*folder / "json")) GTEST_SKIP() << "no JSON vectors: set CARILLON_VECTORS";
  // Deep enough for every valid file; the invalid ones that nest 100,000 deep are refused by it.
  const json::Limits limits{.depth_max = 1000, .members_max = 1000};
  int files = 0;
  for (const auto& entry : fs::directory_iterator(*folder / "json")) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".json")) continue;
    ++files;
    const bool accepted = json::Document::parse(read(entry.path()), limits).has_value();
    if (name.starts_with("y_")) EXPECT_EQ(accepted, !is_refused_by_decision(name)) << name;
    if (name.starts_with("n_")) EXPECT_FALSE(accepted) << name;
  }
  EXPECT_GE(files, 318);
}

// What we accept we write so that it reads back the same.
TEST(JsonSuite, WritesWhatItReadsBackAlike) {
  const auto folder = vectors();
  if (!folder || !fs::is_directory(*folder / "json")) GTEST_SKIP() << "no JSON vectors: set CARILLON_VECTORS";
  int accepted = 0;
  for (const auto& entry : fs::directory_iterator(*folder / "json")) {
    const auto first = json::Document::parse(read(entry.path()));
    if (!first) continue;
    ++accepted;
    std::string once;
    first->root().append_to(once);
    const auto second = json::Document::parse(once);
    ASSERT_TRUE(second) << entry.path().filename();
    std::string twice;
    second->root().append_to(twice);
    EXPECT_EQ(once, twice) << entry.path().filename();
  }
  EXPECT_GE(accepted, 90);
}

}  // namespace
}  // namespace carillon
