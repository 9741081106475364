#include "telemetry/log_writer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

namespace carillon::telemetry {
namespace {

constexpr std::chrono::seconds kLong{60};

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(fds_.data()), 0); }
  ~Pipe() {
    close_reader();
    ::close(fds_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  [[nodiscard]] int writer() const { return fds_[1]; }
  void close_reader() {
    if (fds_[0] >= 0) ::close(fds_[0]);
    fds_[0] = -1;
  }
  std::string read(std::size_t size) const {
    std::string text(size, '\0');
    std::size_t got = 0;
    while (got < size) {
      const ssize_t n = ::read(fds_[0], text.data() + got, size - got);
      if (n <= 0) break;
      got += static_cast<std::size_t>(n);
    }
    text.resize(got);
    return text;
  }
  // Fills the pipe, so that the next blocking write to it waits for a reader. Returns the bytes it took.
  [[nodiscard]] std::size_t fill() const {
    const std::string block(4096, '.');
    const int flags = ::fcntl(fds_[1], F_GETFL);
    ::fcntl(fds_[1], F_SETFL, flags | O_NONBLOCK);
    std::size_t filled = 0;
    for (ssize_t n = 0; (n = ::write(fds_[1], block.data(), block.size())) > 0;) filled += static_cast<std::size_t>(n);
    ::fcntl(fds_[1], F_SETFL, flags);
    return filled;
  }

 private:
  std::array<int, 2> fds_{-1, -1};
};

TEST(LogWriter, WritesLinesInOrder) {
  const Pipe pipe;
  LogWriter writer(pipe.writer());
  writer.write("one\n");
  writer.write("two\n");
  EXPECT_EQ(pipe.read(8), "one\ntwo\n");
  writer.flush(kLong);
  EXPECT_EQ(writer.lines_dropped(), 0U);
}

TEST(LogWriter, WritesWhatIsQueuedBeforeItEnds) {
  const Pipe pipe;
  {
    LogWriter(pipe.writer()).write("last words\n");
  }
  EXPECT_EQ(pipe.read(11), "last words\n");
}

TEST(LogWriter, BlockedPipeDropsAndCountsInsteadOfWaiting) {
  const Pipe pipe;
  const std::size_t filled = pipe.fill();
  LogWriter writer(pipe.writer(), 1000);
  const std::string line(99, 'x');
  // Each call returns although nobody reads: at most 1000 bytes are with the thread and 1000 in the queue.
  for (int i = 0; i < 100; ++i) writer.write(line + '\n');
  const std::uint64_t dropped = writer.lines_dropped();
  EXPECT_GE(dropped, 80U);
  EXPECT_LE(dropped, 90U);

  writer.flush(std::chrono::milliseconds{1});  // gives up: the end of the process does not hang either

  const std::size_t kept = (100 - dropped) * 100;
  const std::string read = pipe.read(filled + kept);
  EXPECT_EQ(read.substr(filled, 100), line + '\n');
  writer.flush(kLong);
  writer.write("again\n");
  EXPECT_EQ(pipe.read(6), "again\n");
  EXPECT_EQ(writer.lines_dropped(), dropped);
}

TEST(LogWriter, SurvivesAClosedPipeAndCountsTheLines) {
  Pipe pipe;
  pipe.close_reader();
  LogWriter writer(pipe.writer());
  writer.write("one\n");
  writer.write("two\n");
  writer.flush(kLong);
  EXPECT_EQ(writer.lines_dropped(), 2U);
}

TEST(LogWriter, WaitsOnANonBlockingDescriptor) {
  const Pipe pipe;
  const std::size_t filled = pipe.fill();
  ::fcntl(pipe.writer(), F_SETFL, ::fcntl(pipe.writer(), F_GETFL) | O_NONBLOCK);
  LogWriter writer(pipe.writer());
  writer.write("patient\n");
  EXPECT_EQ(pipe.read(filled + 8).substr(filled), "patient\n");
  writer.flush(kLong);
  EXPECT_EQ(writer.lines_dropped(), 0U);
}

TEST(LogWriter, FullDiskDropsAndCounts) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  {
    LogWriter writer(full);
    writer.write("lost\n");
    writer.flush(kLong);
    EXPECT_EQ(writer.lines_dropped(), 1U);
  }
  ::close(full);
}

}  // namespace
}  // namespace carillon::telemetry
