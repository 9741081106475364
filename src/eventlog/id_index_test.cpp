#include "eventlog/id_index.hpp"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>

namespace carillon::eventlog {
namespace {

std::uint64_t find(const IdIndex& index, std::uint64_t hash) {
  return index.find(hash, [](std::uint64_t) { return true; });
}

TEST(IdIndex, FindsWhatWasInserted) {
  IdIndex index;
  EXPECT_EQ(find(index, 7), 0u);
  index.insert(7, 1);
  index.insert(8, 2);
  EXPECT_EQ(find(index, 7), 1u);
  EXPECT_EQ(find(index, 8), 2u);
  EXPECT_EQ(find(index, 9), 0u);
  EXPECT_EQ(index.size(), 2u);
}

TEST(IdIndex, TellsApartIdsThatShareAHash) {
  IdIndex index;
  for (std::uint64_t sequence = 1; sequence <= 20; ++sequence) index.insert(42, sequence);
  for (std::uint64_t wanted = 1; wanted <= 20; ++wanted) {
    EXPECT_EQ(index.find(42, [&](std::uint64_t sequence) { return sequence == wanted; }), wanted);
  }
  index.erase(42, 3);
  EXPECT_EQ(index.find(42, [](std::uint64_t sequence) { return sequence == 3; }), 0u);
  EXPECT_EQ(index.find(42, [](std::uint64_t sequence) { return sequence == 20; }), 20u);
  EXPECT_EQ(index.size(), 19u);
}

// Few distinct hashes in one part, wrapping round its end: long probes, and gaps in the middle of them.
TEST(IdIndex, AgreesWithAMapUnderInsertAndErase) {
  std::mt19937_64 random(1);
  IdIndex index;
  std::unordered_map<std::uint64_t, std::uint64_t> model;  // sequence -> hash
  for (std::uint64_t sequence = 1; sequence <= 20000; ++sequence) {
    const std::uint64_t hash = random() % 3 == 0 ? random() : random() % 24 + 1000;
    index.insert(hash, sequence);
    model.emplace(sequence, hash);
    if (random() % 3 != 0 || model.size() < 10) continue;
    const auto gone = model.begin();
    index.erase(gone->second, gone->first);
    model.erase(gone);
    if (model.size() > 400) {
      for (auto i = model.begin(); model.size() > 100; i = model.erase(i)) index.erase(i->second, i->first);
    }
    if (sequence % 97 != 0) continue;
    for (const auto& [wanted, at] : model) {
      ASSERT_EQ(index.find(at, [&](std::uint64_t candidate) { return candidate == wanted; }), wanted);
    }
    ASSERT_EQ(index.size(), model.size());
  }
}

}  // namespace
}  // namespace carillon::eventlog
