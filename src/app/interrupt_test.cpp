#include "app/interrupt.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>

namespace carillon::app {
namespace {

TEST(Interrupt, WaitsForADescriptor) {
  const Interrupt interrupt;
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const net::Fd reader(pipe[0]);
  const net::Fd writer(pipe[1]);
  EXPECT_EQ(interrupt.wait_for(reader.get(), POLLIN, milliseconds{0}), Interrupt::Waited::timeout);
  EXPECT_EQ(interrupt.wait(milliseconds{1}), Interrupt::Waited::timeout);
  ASSERT_EQ(::write(writer.get(), "x", 1), 1);
  EXPECT_EQ(interrupt.wait_for(reader.get(), POLLIN, milliseconds{-1}), Interrupt::Waited::ready);
  EXPECT_FALSE(interrupt.is_raised());
}

TEST(Interrupt, StaysRaisedAndIsForgottenAtItsEnd) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const Interrupt interrupt;
    EXPECT_FALSE(interrupt.is_raised());
    ASSERT_EQ(::kill(::getpid(), signal), 0);
    EXPECT_EQ(interrupt.wait(milliseconds{-1}), Interrupt::Waited::interrupted);
    EXPECT_TRUE(interrupt.is_raised());
  }
}

TEST(Interrupt, MakesAClosedPipeAnError) {
  const Interrupt interrupt;
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const net::Fd writer(pipe[1]);
  ::close(pipe[0]);
  EXPECT_EQ(::write(writer.get(), "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  EXPECT_FALSE(interrupt.is_raised());
}

}  // namespace
}  // namespace carillon::app
