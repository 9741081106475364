#include "app/line_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace carillon::app {
namespace {

// Every line as "number:text", after the pieces were fed one by one.
std::vector<std::string> read(const std::vector<std::string>& pieces, bool is_finished = true) {
  LineReader reader(8);
  std::vector<std::string> lines;
  const auto take = [&] {
    while (auto line = reader.next()) lines.push_back(std::to_string(line->number) + ':' + line->text);
  };
  for (const std::string& piece : pieces) {
    reader.feed(piece);
    take();
  }
  if (is_finished) reader.finish();
  take();
  return lines;
}

using Lines = std::vector<std::string>;

TEST(LineReader, CutsAndNumbersWhereverThePiecesEnd) {
  const Lines expected = {"1:one", "2:two", "4:four"};
  EXPECT_EQ(read({"one\ntwo\r\n\nfour\n"}), expected);
  EXPECT_EQ(read({"o", "ne", "\n", "two\r", "\n\n", "four", "\n"}), expected);
}

TEST(LineReader, TakesALastLineWithoutEndOnlyAtTheEnd) {
  EXPECT_EQ(read({"one\ntw"}, false), Lines{"1:one"});
  EXPECT_EQ(read({"one\ntw"}, true), (Lines{"1:one", "2:tw"}));
}

TEST(LineReader, CountsBlankLinesWithoutHandingThemOut) {
  EXPECT_EQ(read({"\n \t\n\r\nx"}), Lines{"4:x"});
}

TEST(LineReader, KeepsOnlyTheBeginningOfALongLine) {
  EXPECT_EQ(read({"123456789abc\nx\n"}), (Lines{"1:12345678", "2:x"}));
  EXPECT_EQ(read({"12345", "67", "89", "abc", "\nx\n"}), (Lines{"1:12345678", "2:x"}));
}

TEST(LineReader, NothingIsNoLine) {
  EXPECT_EQ(read({}), Lines{});
  EXPECT_EQ(read({""}), Lines{});
}

}  // namespace
}  // namespace carillon::app
