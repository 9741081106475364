#include "telemetry/log_writer.hpp"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace carillon::telemetry {
namespace {

constexpr std::chrono::milliseconds kRest{10};

// The writer takes no signals: they are for the thread that waits for them, and a closed pipe must be an error code
// here, not SIGPIPE.
std::thread start_without_signals(auto body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

std::uint64_t count_lines(std::string_view text) {
  return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

}  // namespace

LogWriter::LogWriter(int fd, std::size_t queue_bytes_max) : fd_(fd), queue_bytes_max_(queue_bytes_max) {
  thread_ = start_without_signals([this] { run(); });
}

LogWriter::~LogWriter() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wanted_.notify_all();
  thread_.join();
}

void LogWriter::write(std::string_view line) {
  bool is_wanted = false;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() + line.size() > queue_bytes_max_) {
      ++lines_dropped_;
      return;
    }
    queue_ += line;
    is_wanted = std::exchange(is_idle_, false) || is_half_full();
  }
  if (is_wanted) wanted_.notify_all();
}

void LogWriter::flush(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  ++flushing_;
  wanted_.notify_all();
  written_.wait_for(lock, patience, [this] { return queue_.empty() && !is_writing_; });
  --flushing_;
}

std::uint64_t LogWriter::lines_dropped() const {
  const std::lock_guard lock(mutex_);
  return lines_dropped_;
}

void LogWriter::run() {
  std::string lines;
  std::unique_lock lock(mutex_);
  for (;;) {
    is_idle_ = true;
    wanted_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
    is_idle_ = false;
    if (queue_.empty()) return;
    lines.clear();
    lines.swap(queue_);
    is_writing_ = true;
    lock.unlock();
    const std::size_t written = write_out(lines);
    lock.lock();
    is_writing_ = false;
    lines_dropped_ += count_lines(std::string_view(lines).substr(written));
    written_.notify_all();
    wanted_.wait_for(lock, kRest, [this] { return is_stopping_ || flushing_ > 0 || is_half_full(); });
  }
}

std::size_t LogWriter::write_out(std::string_view lines) const {
  std::size_t written = 0;
  while (written < lines.size()) {
    const ssize_t n = ::write(fd_, lines.data() + written, lines.size() - written);
    if (n > 0) {
      written += static_cast<std::size_t>(n);
    } else if (n < 0 && errno == EAGAIN) {
      // Whoever shares the descriptor made it non-blocking.
      pollfd writable{.fd = fd_, .events = POLLOUT, .revents = 0};
      ::poll(&writable, 1, -1);
    } else if (n == 0 || errno != EINTR) {
      break;  // closed or full: later lines may have more luck
    }
  }
  return written;
}

}  // namespace carillon::telemetry
