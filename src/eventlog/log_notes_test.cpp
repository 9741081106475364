#include "eventlog/log_notes.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace carillon::eventlog {
namespace {

using namespace std::string_literals;

LogNotes read(const std::vector<std::string>& notes) {
  return LogNotes::read(notes);
}

LogIdentity identity(std::uint32_t epoch, Place reached = Place(Offset{7, 0}), std::uint64_t added = 7) {
  return {.epoch = epoch, .incarnation = "made \"then\"", .reached = std::move(reached), .added = added};
}

DeadLetter letter(std::string position, std::string bytes = "bytes\nof two lines\0"s + '\xff') {
  return {.position = {std::move(position)},
          .at = WallTime(milliseconds{1795348800123}),
          .reason = "not_json",
          .detail = "/: at byte 3",
          .bytes = std::move(bytes)};
}

TEST(LogNotes, KeepALetterAsItIs) {
  const LogNotes notes = read({encode_letter_note(letter("ra.5-1"))});
  ASSERT_EQ(notes.letters().size(), 1u);
  const DeadLetter& read = notes.letters().front();
  const DeadLetter written = letter("ra.5-1");
  EXPECT_EQ(read.position, written.position);
  EXPECT_EQ(read.at, written.at);
  EXPECT_EQ(read.reason, written.reason);
  EXPECT_EQ(read.detail, written.detail);
  EXPECT_EQ(read.bytes, written.bytes);
  EXPECT_TRUE(notes.has_letter({"ra.5-1"}));
}

TEST(LogNotes, CutWhatIsTooLongOrNoText) {
  DeadLetter long_letter = letter("ra.5", std::string(2'000'000, 'x'));
  long_letter.detail = std::string(5000, 'd');
  long_letter.reason = "bad \xff reason";
  const LogNotes notes = read({encode_letter_note(long_letter)});
  ASSERT_EQ(notes.letters().size(), 1u);
  EXPECT_EQ(notes.letters().front().bytes.size(), std::size_t{1} << 20);
  EXPECT_EQ(notes.letters().front().detail.size(), 4096u);
  EXPECT_EQ(notes.letters().front().reason, "bad  reason");
}

TEST(LogNotes, HaveALetterThatTwoNodesWroteOnce) {
  const LogNotes notes = read(
      {encode_letter_note(letter("ra.5")), encode_letter_note(letter("ra.6")), encode_letter_note(letter("ra.5"))});
  ASSERT_EQ(notes.letters().size(), 2u);
  EXPECT_EQ(notes.letters()[0].position.text, "ra.5");
  EXPECT_EQ(notes.letters()[1].position.text, "ra.6");
}

// Where nodes read several lanes in another order each, their positions of one record differ.
TEST(LogNotes, HaveALetterThatTwoNodesKnowByTwoPositionsOnce) {
  DeadLetter mine = letter("ka.5.3");
  DeadLetter theirs = letter("ka.2.3");
  mine.lane = theirs.lane = 1;
  mine.offset = theirs.offset = {3, 0};
  DeadLetter another = letter("ka.2.4");
  another.lane = 1;
  another.offset = {4, 0};
  const LogNotes notes = read({encode_letter_note(mine), encode_letter_note(theirs), encode_letter_note(another),
                               encode_removed_note({"ka.5.3"}), encode_letter_note(theirs)});
  ASSERT_EQ(notes.letters().size(), 1u);
  EXPECT_EQ(notes.letters()[0].position.text, "ka.2.4");
  EXPECT_EQ(notes.letters()[0].lane, 1u);
  EXPECT_EQ(notes.letters()[0].offset, (Offset{4, 0}));
  EXPECT_EQ(notes.buried_up_to({"ka.0"}), *parse_place("5.4"));
}

TEST(LogNotes, DoNotBringBackARemovedLetter) {
  const LogNotes notes =
      read({encode_letter_note(letter("ra.5")), encode_removed_note({"ra.5"}), encode_letter_note(letter("ra.5"))});
  EXPECT_TRUE(notes.letters().empty());
  EXPECT_EQ(notes.buried_up_to({"ra.0"}), Place(Offset{5, 0}));
  EXPECT_EQ(notes.buried_up_to({"rb.0"}), Place());
}

TEST(LogNotes, KnowHowFarLettersWerePutInEachLane) {
  const LogNotes notes = read({encode_letter_note(letter("ka.5.1")), encode_letter_note(letter("ka.4.9"))});
  EXPECT_EQ(notes.buried_up_to({"ka.0"}), Place({{5, 0}, {9, 0}}));
}

TEST(LogNotes, LetTheOldestLetterGoAtTheBound) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i <= LogNotes::kLettersMax; ++i)
    texts.push_back(encode_letter_note(letter("ra." + std::to_string(i), "x")));
  const LogNotes notes = read(texts);
  EXPECT_EQ(notes.letters().size(), LogNotes::kLettersMax);
  EXPECT_EQ(notes.letters().front().position.text, "ra.1");

  texts.clear();
  for (int i = 0; i < 70; ++i)
    texts.push_back(encode_letter_note(letter("ra." + std::to_string(i), std::string(std::size_t{1} << 20, 'x'))));
  const LogNotes heavy = read(texts);
  EXPECT_EQ(heavy.letters().size(), 64u);
  EXPECT_EQ(heavy.letters().front().position.text, "ra.6");
}

TEST(LogNotes, NameTheLog) {
  EXPECT_FALSE(read({}).identity());
  const LogNotes notes =
      read({encode_epoch_note(identity(0x1a), 0), encode_mark_note(identity(0x1a, Place(Offset{9, 0}), 8)),
            encode_mark_note(identity(0x1a, Place(Offset{8, 0}), 9))});
  ASSERT_TRUE(notes.identity());
  EXPECT_EQ(notes.identity()->epoch, 0x1au);
  EXPECT_EQ(notes.identity()->incarnation, "made \"then\"");
  EXPECT_EQ(notes.identity()->reached, Place(Offset{9, 0}));
  EXPECT_EQ(notes.identity()->added, 9u);
}

TEST(LogNotes, BelieveTheFirstOfTwoWhoNamedItAtOnce) {
  const LogNotes first = read({encode_epoch_note(identity(1), 0), encode_epoch_note(identity(2), 0)});
  EXPECT_EQ(first.identity()->epoch, 1u);
  const LogNotes again = read({encode_epoch_note(identity(1), 0), encode_epoch_note(identity(2), 1),
                               encode_epoch_note(identity(3), 1), encode_mark_note(identity(1))});
  EXPECT_EQ(again.identity()->epoch, 2u);
}

TEST(LogNotes, KnowTheLogFromAMarkWhereTheOldestNotesLeft) {
  EXPECT_EQ(read({encode_mark_note(identity(5))}).identity()->epoch, 5u);
}

TEST(LogNotes, TellALogThatCannotBeTheSame) {
  const LogIdentity known = identity(1);
  EXPECT_TRUE(known.fits("made \"then\"", Place(Offset{7, 0}), 7));
  EXPECT_TRUE(known.fits("", Place({{8, 0}, {1, 0}}), 100));
  EXPECT_FALSE(known.fits("made later", Place(Offset{7, 0}), 7));
  EXPECT_FALSE(known.fits("", Place(Offset{6, 0}), 7));
  EXPECT_FALSE(known.fits("", Place(Offset{7, 0}), 6));
}

TEST(LogNotes, CountAndIgnoreWhatIsNoNote) {
  const std::string good = encode_mark_note(identity(5));
  const LogNotes notes = read(
      {"", "not json", "[]", "{}", R"({"note":"other"})", R"({"note":"letter","position":"ra.1"})",
       R"({"note":"removed"})", R"({"note":"removed","position":"no position!"})",
       R"({"note":"mark","epoch":"0","incarnation":"","reached":"1","added":"1"})",
       R"({"note":"epoch","epoch":"1","incarnation":"","reached":"1","added":"1"})", good.substr(0, good.size() - 1)});
  EXPECT_EQ(notes.foreign(), 11u);
  EXPECT_FALSE(notes.identity());
  EXPECT_TRUE(notes.letters().empty());
}

}  // namespace
}  // namespace carillon::eventlog
