#include "app/terminal_text.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace carillon::app {
namespace {

TEST(TerminalText, ShowsWordsAndDisarmsControls) {
  EXPECT_EQ(for_terminal("Zoë €𝄞 \"x\""), "Zoë €𝄞 \"x\"");
  EXPECT_EQ(for_terminal("a\x1b[2Jb\r\n\x7f"), "a?[2Jb???");
  EXPECT_EQ(for_terminal("a\u009b31m"), "a?31m");
  EXPECT_EQ(for_terminal("\xff\x80 a"), "?? a");
  EXPECT_EQ(for_terminal("\u00a0"), "\u00a0");
}

TEST(TerminalText, ColoursOnlyATerminal) {
  const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  EXPECT_EQ(Palette::for_output(null).red("x"), "x");
  ::close(null);
  EXPECT_EQ(Palette(true).red("x"), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(Palette(false).alarm("x"), "x");
}

}  // namespace
}  // namespace carillon::app
