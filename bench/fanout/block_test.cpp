#include "fanout/block.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace carillon::bench {
namespace {

TEST(Blocks, AreTheSameInPiecesOfAnySize) {
  const std::vector<std::string> expected = {"a", "", std::string(300, 'b')};
  std::string bytes;
  for (const std::string& block : expected) append_block(bytes, block);
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    Blocks blocks;
    std::vector<std::string> seen;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      blocks.feed(std::string_view(bytes).substr(at, size));
      while (const auto block = blocks.next()) seen.emplace_back(*block);
    }
    EXPECT_EQ(seen, expected) << size;
  }
}

}  // namespace
}  // namespace carillon::bench
