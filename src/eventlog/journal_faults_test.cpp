// The journal on a disk that fails at every single step: full, failed sync, dead process, lost power.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "eventlog/faulty_disk.hpp"
#include "eventlog/journal.hpp"
#include "eventlog/temp_folder.hpp"

namespace carillon::eventlog {
namespace {

constexpr int kGroups = 8;
constexpr WallTime kNow{milliseconds{1'795'348'800'000}};

JournalLimits small_limits() {
  JournalLimits limits;
  limits.retention_bytes = 15'000;
  limits.log_bytes_max = 40'000;
  limits.trim_rows_max = 3;
  return limits;
}

// The two calls of a group, the second of two records.
std::vector<std::vector<Record>> calls_of(int group) {
  const std::string name = "g" + std::to_string(group);
  const auto record = [&](const std::string& suffix) {
    return Record{name + suffix, std::string(static_cast<std::size_t>(500 + group * 300), suffix.back())};
  };
  return {{record(".a")}, {record(".b"), record(".c")}};
}

std::vector<std::string> ids_of(const std::vector<std::vector<Record>>& calls) {
  std::vector<std::string> ids;
  for (const auto& call : calls) {
    for (const Record& record : call) ids.push_back(record.id);
  }
  return ids;
}

// Whose step the first record of a group is.
int order_of(int group) {
  return group % 3;
}

// What one run of the story was told.
struct Told {
  std::map<int, std::vector<std::uint64_t>> steps;    // order -> sequences
  std::map<std::string, std::uint64_t> acknowledged;  // id -> sequence
  std::uint64_t low_max = 1;                          // no record from here on was asked to go
  int refused_as_full = 0;
  bool opened = false;
  bool ended = false;  // nothing but `full` went wrong
};

void acknowledge(Told& told, const std::vector<std::string>& ids, std::uint64_t next_sequence) {
  std::uint64_t sequence = next_sequence - ids.size();
  for (const std::string& id : ids) told.acknowledged[id] = sequence++;
}

Result<> write_group(Journal& journal, const std::vector<std::vector<Record>>& calls) {
  if (Result<> begun = journal.begin(); !begun) return begun;
  for (const auto& call : calls) {
    if (Result<Appended> appended = journal.append(call, kNow); !appended) return std::unexpected(appended.error());
  }
  const DeadLetter letter{journal.positions().of(journal.next_sequence() - 1), kNow, "missing", "", calls[0][0].bytes};
  if (Result<bool> put = journal.put_dead_letter(letter); !put) return std::unexpected(put.error());
  return journal.commit();
}

// The group was the last to be written.
void settle_group(Journal& journal, int group, Told& told) {
  std::vector<std::uint64_t>& steps = told.steps[order_of(group)];
  const std::uint64_t first = journal.next_sequence() - 3;
  journal.settle({journal.next_sequence() - 1, {{first, steps.empty() ? 0 : steps.back(), false}}});
  steps.push_back(first);
}

// One step that may find the disk full and go on, or fail for good. Returns whether to go on.
bool goes_on(const Result<>& step, Told& told) {
  if (step) return true;
  if (step.error().kind != ErrorKind::full) return false;
  ++told.refused_as_full;
  return true;
}

bool tell_group(Journal& journal, int group, Told& told) {
  const auto calls = calls_of(group);
  const Result<> written = write_group(journal, calls);
  if (written) acknowledge(told, ids_of(calls), journal.next_sequence());
  if (written) settle_group(journal, group, told);
  if (!written) journal.rollback();
  if (!goes_on(written, told)) return false;
  told.low_max = std::max(told.low_max, journal.low_sequence() + small_limits().trim_rows_max);
  const Result<Journal::Trimmed> trimmed = journal.trim(kNow);
  if (!goes_on(trimmed ? Result<>() : std::unexpected(trimmed.error()), told)) return false;
  return goes_on(journal.fold(), told);
}

// Opens, writes groups, trims, folds, closes in order; gives up at the first error that is not `full`.
Told tell(const std::string& path) {
  Told told;
  Result<std::unique_ptr<Journal>> journal = Journal::open(path, small_limits());
  if (!journal) return told;
  told.opened = true;
  for (int group = 0; group < kGroups; ++group) {
    if (!tell_group(**journal, group, told)) return told;
  }
  (*journal)->close_in_order();
  told.ended = true;
  return told;
}

// What the file holds: id -> sequence. The bytes are those of the story.
std::map<std::string, std::uint64_t> stored(Journal& journal) {
  std::vector<StoredRecord> records;
  EXPECT_TRUE(journal.read(journal.low_sequence(), SIZE_MAX, SIZE_MAX, records));
  std::map<std::string, std::string> story;
  for (int group = 0; group < kGroups; ++group) {
    for (const auto& call : calls_of(group)) {
      for (const Record& record : call) story[record.bytes] = record.id;
    }
  }
  std::map<std::string, std::uint64_t> ids;
  std::uint64_t sequence = journal.low_sequence();
  for (const StoredRecord& record : records) {
    EXPECT_EQ(record.position, journal.positions().of(sequence));
    EXPECT_TRUE(story.contains(record.bytes));
    EXPECT_TRUE(ids.emplace(story[record.bytes], sequence++).second) << "twice: " << story[record.bytes];
  }
  EXPECT_EQ(sequence, journal.next_sequence());
  return ids;
}

// Of each order the last step before the records, and no other.
void expect_kept(Journal& journal, const Told& told) {
  std::vector<std::uint64_t> expected;
  for (const auto& [order, steps] : told.steps) {
    const auto first_left = std::ranges::lower_bound(steps, journal.low_sequence());
    if (first_left != steps.begin()) expected.push_back(*(first_left - 1));
  }
  std::ranges::sort(expected);
  std::vector<StoredRecord> records;
  EXPECT_TRUE(journal.read_kept(1, SIZE_MAX, SIZE_MAX, records));
  std::vector<std::uint64_t> kept;
  for (const StoredRecord& record : records) kept.push_back(record.ordinal);
  EXPECT_EQ(kept, expected);
}

// Everything that was answered is there, once, where it was said to be; calls are whole; only what was asked to go is
// gone; and the same calls can be repeated.
void expect_whole(const std::string& path, const Told& told) {
  Result<std::unique_ptr<Journal>> opened = Journal::open(path, small_limits());
  ASSERT_TRUE(opened) << opened.error().message;
  Journal& journal = **opened;
  EXPECT_LE(journal.low_sequence(), told.low_max);
  expect_kept(journal, told);
  const auto before = stored(journal);
  for (const auto& [id, sequence] : told.acknowledged) {
    if (sequence < journal.low_sequence()) continue;
    const auto found = before.find(id);
    ASSERT_NE(found, before.end()) << id << " was acknowledged and is lost";
    EXPECT_EQ(found->second, sequence) << id;
  }
  for (int group = 0; group < kGroups; ++group) {
    const auto calls = calls_of(group);
    const auto first = before.find(calls[1][0].id);
    const auto second = before.find(calls[1][1].id);
    const bool half_trimmed = second != before.end() && second->second == journal.low_sequence();
    if (!half_trimmed) {
      EXPECT_EQ(first == before.end(), second == before.end()) << "half a call of group " << group;
    }
  }
  const std::uint64_t next = journal.next_sequence();
  const auto again = calls_of(kGroups - 1);
  ASSERT_TRUE(write_group(journal, again));
  EXPECT_EQ(journal.next_sequence(), before.contains(again[0][0].id) ? next : next + 3);
}

class JournalFaults : public testing::Test {
 protected:
  // How many operations the story takes when nothing fails.
  std::uint64_t operations_without_faults() {
    TempFolder folder;
    FaultyDisk disk;
    const Told told = tell(folder.file("journal.db"));
    EXPECT_TRUE(told.ended);
    EXPECT_EQ(told.acknowledged.size(), std::size_t{3 * kGroups});
    EXPECT_EQ(told.refused_as_full, 0);
    expect_whole(folder.file("journal.db"), told);
    EXPECT_GE((*Journal::open(folder.file("journal.db"), small_limits()))->kept_rows(), 2U);
    return disk.operations();
  }
};

TEST_F(JournalFaults, AFullDiskRefusesAndNothingElse) {
  const std::uint64_t operations = operations_without_faults();
  ASSERT_GT(operations, 60u);
  for (std::uint64_t step = 0; step < operations; ++step) {
    SCOPED_TRACE(step);
    TempFolder folder;
    FaultyDisk disk;
    disk.be_full_from(step);
    const Told told = tell(folder.file("journal.db"));
    EXPECT_EQ(told.opened, told.ended) << "a full disk is no reason to give up";
    disk.heal();
    expect_whole(folder.file("journal.db"), told);
  }
}

TEST_F(JournalFaults, AFailedSyncLosesNothingThatWasAnswered) {
  const std::uint64_t operations = operations_without_faults();
  for (std::uint64_t step = 0; step < operations; ++step) {
    SCOPED_TRACE(step);
    TempFolder folder;
    FaultyDisk disk;
    disk.fail_sync_from(step);
    const Told told = tell(folder.file("journal.db"));
    disk.lose_power(step);
    disk.heal();
    expect_whole(folder.file("journal.db"), told);
  }
}

TEST_F(JournalFaults, ADeadProcessLosesNothingThatWasAnswered) {
  const std::uint64_t operations = operations_without_faults();
  for (std::uint64_t step = 0; step < operations; ++step) {
    SCOPED_TRACE(step);
    TempFolder folder;
    FaultyDisk disk;
    disk.stop_at(step);
    const Told told = tell(folder.file("journal.db"));
    disk.heal();
    expect_whole(folder.file("journal.db"), told);
  }
}

TEST_F(JournalFaults, WhatIsSeenAfterADeadProcessSurvivesLostPower) {
  const std::uint64_t operations = operations_without_faults();
  for (std::uint64_t step = 0; step < operations; ++step) {
    SCOPED_TRACE(step);
    TempFolder folder;
    FaultyDisk disk;
    disk.stop_at(step);
    Told told = tell(folder.file("journal.db"));
    disk.heal();
    {
      Result<std::unique_ptr<Journal>> journal = Journal::open(folder.file("journal.db"), small_limits());
      ASSERT_TRUE(journal) << journal.error().message;
      told.acknowledged = stored(**journal);
    }
    disk.lose_power(step);
    expect_whole(folder.file("journal.db"), told);
  }
}

TEST_F(JournalFaults, LostPowerLosesNothingThatWasAnswered) {
  const std::uint64_t operations = operations_without_faults();
  for (std::uint64_t step = 0; step < operations; ++step) {
    for (std::uint64_t seed = 0; seed < 2; ++seed) {
      SCOPED_TRACE(testing::Message() << "step " << step << " seed " << seed);
      TempFolder folder;
      FaultyDisk disk;
      disk.stop_at(step);
      const Told told = tell(folder.file("journal.db"));
      disk.lose_power(step * 2 + seed);
      disk.heal();
      expect_whole(folder.file("journal.db"), told);
    }
  }
}

}  // namespace
}  // namespace carillon::eventlog
