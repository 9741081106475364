#include "eventlog/journal.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "eventlog/temp_folder.hpp"

namespace carillon::eventlog {
namespace {

using Strings = std::vector<std::string>;

class JournalTest : public testing::Test {
 protected:
  void open() {
    journal_.reset();
    Result<std::unique_ptr<Journal>> opened = Journal::open(path_, limits_);
    ASSERT_TRUE(opened) << opened.error().message;
    journal_ = std::move(*opened);
  }
  Result<Appended> append(const std::vector<Record>& call) {
    EXPECT_TRUE(journal_->begin());
    Result<Appended> appended = journal_->append(call, clock_.wall_now());
    EXPECT_TRUE(journal_->commit());
    return appended;
  }
  // One call of records with a new id each.
  void fill(std::size_t count, std::size_t bytes = 100) {
    std::vector<Record> call;
    call.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      call.push_back({"fill-" + std::to_string(++filled_), std::string(bytes, 'x')});
    ASSERT_TRUE(append(call));
  }
  std::size_t trim_all() {
    std::size_t all = 0;
    journal_->settle({journal_->next_sequence() - 1, {}});
    while (const std::size_t trimmed = journal_->trim(clock_.wall_now())->records) all += trimmed;
    return all;
  }
  Strings stored() {
    std::vector<StoredRecord> records;
    EXPECT_TRUE(journal_->read(journal_->low_sequence(), SIZE_MAX, SIZE_MAX, records));
    Strings bytes;
    for (const StoredRecord& record : records) bytes.push_back(record.bytes);
    return bytes;
  }

  TempFolder folder_;
  std::string path_ = folder_.file("journal.db");
  ManualClock clock_;
  JournalLimits limits_;
  std::unique_ptr<Journal> journal_;
  std::size_t filled_ = 0;
};

TEST_F(JournalTest, PositionsNameTheEpochAndTheSequence) {
  open();
  const Result<Appended> first = append({{"a", "A"}});
  const Result<Appended> second = append({{"b", "B"}, {"c", "C"}});
  const std::string prefix = first->position.text.substr(0, first->position.text.find('.'));
  EXPECT_EQ(prefix.front(), 'j');
  EXPECT_EQ(first->position.text, prefix + ".1");
  EXPECT_EQ(second->position.text, prefix + ".3");
  EXPECT_TRUE(is_position(second->position.text));
}

TEST_F(JournalTest, KeepsEverythingAcrossAClose) {
  open();
  const Position before = append({{"a", "A"}, {"b", "B"}})->position;
  journal_->close_in_order();
  open();
  EXPECT_FALSE(std::filesystem::file_size(path_ + "-wal") > 0) << "an orderly close leaves one file";
  EXPECT_EQ(stored(), (Strings{"A", "B"}));
  EXPECT_EQ(append({{"b", "B"}})->position, before);
  EXPECT_EQ(append({{"a", "other"}}).error().kind, ErrorKind::conflict);
}

TEST_F(JournalTest, ARolledBackTransactionLeavesNothing) {
  open();
  ASSERT_TRUE(append({{"a", "A"}}));
  const std::vector<Record> call{{"b", "B"}, {"c", "C"}};
  ASSERT_TRUE(journal_->begin());
  ASSERT_TRUE(journal_->append(call, clock_.wall_now()));
  ASSERT_TRUE(journal_->put_dead_letter({journal_->positions().of(1), clock_.wall_now(), "", "", ""}));
  journal_->rollback();

  EXPECT_EQ(journal_->next_sequence(), 2u);
  EXPECT_EQ(append({{"c", "new"}})->accepted, 1u);
  EXPECT_EQ(stored(), (Strings{"A", "new"}));
  EXPECT_TRUE(journal_->list_dead_letters(10)->empty());
}

TEST_F(JournalTest, CallsOfOneTransactionSeeEachOther) {
  open();
  const std::vector<Record> first{{"a", "A"}};
  const std::vector<Record> same{{"a", "A"}};
  const std::vector<Record> other{{"b", "B"}, {"a", "other"}};
  ASSERT_TRUE(journal_->begin());
  EXPECT_EQ(journal_->append(first, clock_.wall_now())->accepted, 1u);
  EXPECT_EQ(journal_->append(same, clock_.wall_now())->duplicates, 1u);
  EXPECT_EQ(journal_->append(other, clock_.wall_now()).error().kind, ErrorKind::conflict);
  ASSERT_TRUE(journal_->commit());
  EXPECT_EQ(stored(), (Strings{"A"}));
}

TEST_F(JournalTest, NumbersDoNotFollowTheClock) {
  open();
  ASSERT_TRUE(append({{"a", "A"}}));
  clock_.set_wall(clock_.wall_now() - std::chrono::hours{1});
  EXPECT_TRUE(append({{"b", "B"}})->position.text.ends_with(".2"));
  open();
  EXPECT_TRUE(append({{"c", "C"}})->position.text.ends_with(".3"));
}

TEST_F(JournalTest, RetentionByAgeDeletesFromTheOldEnd) {
  limits_.retention_age = std::chrono::hours{24};
  open();
  fill(3);
  clock_.advance(std::chrono::hours{23});
  fill(2);
  EXPECT_EQ(trim_all(), 0u);
  clock_.advance(std::chrono::hours{1} + milliseconds{1});
  EXPECT_EQ(trim_all(), 3u);
  EXPECT_EQ(journal_->low_sequence(), 4u);
  EXPECT_EQ(stored().size(), 2u);
}

TEST_F(JournalTest, ADeletedIdIsNewAgain) {
  open();
  ASSERT_TRUE(append({{"a", "A"}}));
  clock_.advance(std::chrono::hours{25});
  EXPECT_EQ(append({{"a", "A"}})->duplicates, 1u);
  EXPECT_EQ(trim_all(), 1u);
  EXPECT_EQ(append({{"a", "other"}})->accepted, 1u);
}

TEST_F(JournalTest, SequencesAreNotUsedAgainWhenAllIsDeleted) {
  open();
  fill(5);
  clock_.advance(std::chrono::hours{25});
  EXPECT_EQ(trim_all(), 5u);
  open();
  EXPECT_EQ(journal_->low_sequence(), 6u);
  EXPECT_EQ(journal_->stored_bytes(), 0u);
  EXPECT_TRUE(append({{"a", "A"}})->position.text.ends_with(".6"));
}

TEST_F(JournalTest, RetentionBySizeKeepsTheNewest) {
  limits_.retention_bytes = 100'000;
  limits_.trim_rows_max = 7;
  open();
  for (int i = 0; i < 50; ++i) fill(10, 1000);
  EXPECT_TRUE(journal_->is_over_size());
  EXPECT_GT(trim_all(), 350u);
  EXPECT_FALSE(journal_->is_over_size());
  EXPECT_LE(journal_->stored_bytes(), limits_.retention_bytes);
  EXPECT_GT(journal_->stored_bytes(), limits_.retention_bytes * 9 / 10);
  const std::uint64_t bytes = journal_->stored_bytes();
  open();
  EXPECT_EQ(journal_->stored_bytes(), bytes);
}

TEST_F(JournalTest, RetentionSparesWhatIsNotSettled) {
  open();
  fill(10);
  clock_.advance(std::chrono::hours{25});
  EXPECT_EQ(journal_->trim(clock_.wall_now())->records, 0u);
  journal_->settle({3, {}});
  EXPECT_EQ(journal_->trim(clock_.wall_now())->records, 3u);
  EXPECT_EQ(journal_->trim(clock_.wall_now())->records, 0u);
  EXPECT_EQ(journal_->low_sequence(), 4u);
}

TEST_F(JournalTest, TheFilesDoNotGrowWithoutEnd) {
  limits_.retention_bytes = 500'000;
  limits_.log_bytes_max = 200'000;
  open();
  std::uintmax_t file_max = 0;
  std::uintmax_t log_max = 0;
  for (int i = 0; i < 200; ++i) {
    fill(100, 300);
    trim_all();
    ASSERT_TRUE(journal_->fold());
    file_max = std::max(file_max, std::filesystem::file_size(path_));
    log_max = std::max(log_max, std::filesystem::file_size(path_ + "-wal"));
  }
  // 6 MB went through.
  EXPECT_LT(file_max, 1'000'000u);
  EXPECT_LT(log_max, 600'000u);
}

TEST_F(JournalTest, ReadsNoMoreThanAskedFor) {
  open();
  fill(10, 1000);
  std::vector<StoredRecord> records;
  ASSERT_TRUE(journal_->read(4, 3, SIZE_MAX, records));
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].position, journal_->positions().of(4));
  EXPECT_EQ(records[0].logged_at, clock_.wall_now());
  records.clear();
  ASSERT_TRUE(journal_->read(1, SIZE_MAX, 2500, records));
  EXPECT_EQ(records.size(), 3u);
  records.clear();
  ASSERT_TRUE(journal_->read(1, SIZE_MAX, 1, records));
  EXPECT_EQ(records.size(), 1u);
}

TEST_F(JournalTest, DeadLettersLeaveOldestFirstAtTheBoundOfNumber) {
  limits_.dead_letters.letters_max = 3;
  open();
  fill(5);
  for (Ordinal i = 1; i <= 5; ++i) {
    ASSERT_TRUE(journal_->begin());
    ASSERT_TRUE(journal_->put_dead_letter({journal_->positions().of(i), clock_.wall_now(), "", "", "bytes"}));
    ASSERT_TRUE(journal_->commit());
    if (i == 4) open();
  }
  const Result<std::vector<DeadLetter>> letters = journal_->list_dead_letters(10);
  ASSERT_EQ(letters->size(), 3u);
  EXPECT_EQ(letters->front().position, journal_->positions().of(5));
  EXPECT_EQ(letters->back().position, journal_->positions().of(3));
}

TEST_F(JournalTest, DeadLettersLeaveOldestFirstAtTheBoundOfBytes) {
  limits_.dead_letters.bytes_max = 1000;
  open();
  fill(5);
  ASSERT_TRUE(journal_->begin());
  for (Ordinal i = 1; i <= 5; ++i) {
    const Position position = journal_->positions().of(i);
    ASSERT_TRUE(journal_->put_dead_letter({position, clock_.wall_now(), "", "", std::string(400, 'x')}));
  }
  ASSERT_TRUE(journal_->commit());
  EXPECT_EQ(journal_->list_dead_letters(10)->size(), 2u);
}

TEST_F(JournalTest, ADeadLetterIsKeptCutToItsBounds) {
  open();
  fill(5);
  const std::string huge(5 * 1024 * 1024, 'x');
  ASSERT_TRUE(journal_->begin());
  ASSERT_TRUE(journal_->put_dead_letter({journal_->positions().of(1), clock_.wall_now(), huge, huge, huge}));
  ASSERT_TRUE(journal_->commit());
  const DeadLetter letter = journal_->list_dead_letters(1)->front();
  EXPECT_EQ(letter.reason.size(), 4096u);
  EXPECT_EQ(letter.detail.size(), 4096u);
  EXPECT_EQ(letter.bytes.size(), 1024u * 1024u);
}

TEST_F(JournalTest, ADeadLetterThatWasNotCommittedCanBePutAgain) {
  open();
  fill(5);
  const auto put = [&](Ordinal at) {
    return journal_->put_dead_letter({journal_->positions().of(at), clock_.wall_now(), "", "", "bytes"}).value();
  };
  ASSERT_TRUE(journal_->begin());
  EXPECT_TRUE(put(3));
  journal_->rollback();
  open();
  ASSERT_TRUE(journal_->begin());
  EXPECT_TRUE(put(3));
  EXPECT_FALSE(put(3));
  EXPECT_FALSE(put(2));
  ASSERT_TRUE(journal_->commit());
  ASSERT_TRUE(journal_->begin());
  ASSERT_TRUE(journal_->remove_dead_letter(journal_->positions().of(3)));
  ASSERT_TRUE(journal_->commit());
  open();
  ASSERT_TRUE(journal_->begin());
  EXPECT_FALSE(put(3));
  EXPECT_TRUE(put(4));
  ASSERT_TRUE(journal_->commit());
  EXPECT_EQ(journal_->list_dead_letters(10)->size(), 1u);
}

// Records that are steps of orders, and retention that takes them all.
class JournalKeepsTest : public JournalTest {
 protected:
  // Each record is the only step of its order.
  void fill_orders(std::size_t count, std::size_t bytes = 100) {
    const Ordinal first = journal_->next_sequence();
    fill(count, bytes);
    Settled settled{journal_->next_sequence() - 1, {}};
    for (Ordinal i = first; i <= settled.up_to; ++i) settled.steps.push_back({i, 0, false});
    journal_->settle(settled);
  }
  std::vector<Ordinal> kept() {
    std::vector<StoredRecord> records;
    EXPECT_TRUE(journal_->read_kept(1, SIZE_MAX, SIZE_MAX, records));
    std::vector<Ordinal> ordinals;
    for (const StoredRecord& record : records) ordinals.push_back(record.ordinal);
    return ordinals;
  }
  // As a follower does that sees them again after a start.
  void settle_kept(bool terminal) {
    Settled settled{journal_->next_sequence() - 1, {}};
    for (const Ordinal ordinal : kept()) settled.steps.push_back({ordinal, 0, terminal});
    journal_->settle(settled);
  }
};

TEST_F(JournalKeepsTest, KeptStepsHaveABoundOfNumber) {
  limits_.kept.rows_max = 3;
  open();
  fill_orders(5);
  clock_.advance(std::chrono::hours{25});
  const Journal::Trimmed trimmed = journal_->trim(clock_.wall_now()).value();
  EXPECT_EQ(trimmed.records, 5u);
  EXPECT_EQ(trimmed.kept_lost, 2u);
  EXPECT_EQ(kept(), (std::vector<Ordinal>{3, 4, 5}));
  EXPECT_EQ(journal_->kept_rows(), 3u);
  // Their ids are gone with them.
  EXPECT_EQ(append({{"fill-2", "other"}})->accepted, 1u);
  EXPECT_EQ(append({{"fill-3", "other"}}).error().kind, ErrorKind::conflict);
  open();
  EXPECT_EQ(journal_->kept_rows(), 3u);
}

TEST_F(JournalKeepsTest, KeptStepsHaveABoundOfBytes) {
  limits_.kept.bytes_max = 3000;
  open();
  fill_orders(5, 1000);
  clock_.advance(std::chrono::hours{25});
  EXPECT_EQ(journal_->trim(clock_.wall_now())->kept_lost, 3u);
  EXPECT_EQ(kept(), (std::vector<Ordinal>{4, 5}));
}

TEST_F(JournalKeepsTest, ALowerBoundIsReachedInSteps) {
  open();
  fill_orders(10);
  clock_.advance(std::chrono::hours{25});
  EXPECT_EQ(journal_->trim(clock_.wall_now())->records, 10u);
  limits_.kept.rows_max = 1;
  limits_.trim_rows_max = 4;
  open();
  settle_kept(false);
  for (const std::size_t left : {6U, 2U, 1U}) {
    fill(1);
    journal_->settle({journal_->next_sequence() - 1, {}});
    clock_.advance(std::chrono::hours{25});
    ASSERT_EQ(journal_->trim(clock_.wall_now())->records, 1u);
    EXPECT_EQ(kept().size(), left);
  }
}

TEST_F(JournalKeepsTest, RetentionBySizeDoesNotCountThem) {
  limits_.retention_bytes = 20'000;
  open();
  fill_orders(100, 1000);
  EXPECT_TRUE(journal_->has_too_much());
  EXPECT_GT(journal_->trim(clock_.wall_now())->records, 80u);
  EXPECT_EQ(journal_->trim(clock_.wall_now())->records, 0u);
  EXPECT_FALSE(journal_->has_too_much());
  EXPECT_FALSE(journal_->is_over_size());
  EXPECT_GT(journal_->stored_bytes(), 100'000u) << "the kept ones are stored as well";
  const std::uint64_t bytes = journal_->stored_bytes();
  open();
  EXPECT_EQ(journal_->stored_bytes(), bytes);
}

TEST_F(JournalKeepsTest, TerminalStepsLeaveInTheirOrder) {
  open();
  fill(1);
  clock_.set_wall(clock_.wall_now() + std::chrono::hours{2});
  fill(1);
  clock_.set_wall(clock_.wall_now() - std::chrono::hours{1});
  fill(1);
  clock_.set_wall(clock_.wall_now() + std::chrono::minutes{24 * 60 + 30});
  fill(1);
  journal_->settle({4, {{1, 0, true}, {2, 0, true}, {3, 0, true}}});
  EXPECT_EQ(journal_->trim(clock_.wall_now() + std::chrono::hours{10})->records, 3u);
  // By the log's time, which is that of the fourth, the first and the third are over; the third waits for the second,
  // whose clock was ahead.
  EXPECT_EQ(kept(), (std::vector<Ordinal>{2, 3}));
}

}  // namespace
}  // namespace carillon::eventlog
