#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace carillon::telemetry {

// Writes lines to a descriptor from its own thread, so that a pipe nobody reads or a full disk never stops a caller.
// A line is written at once, and those that come in the ten milliseconds after it together: a thousand clients that
// come at once do not wake the thread a thousand times. At the bound, and when the descriptor refuses them, lines are
// dropped and counted.
class LogWriter {
 public:
  static constexpr std::size_t kQueueBytesMax = 1024 * 1024;

  // `fd` stays the caller's and must outlive the writer.
  explicit LogWriter(int fd, std::size_t queue_bytes_max = kQueueBytesMax);
  // Writes what is queued first, for as long as that takes.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Queues one line, newline included, or drops it. Any thread; takes a lock that is never held during I/O.
  void write(std::string_view line);
  // Waits until what was queued is written, at most `patience`. Any thread.
  void flush(std::chrono::milliseconds patience);
  [[nodiscard]] std::uint64_t lines_dropped() const;

 private:
  void run();
  [[nodiscard]] bool is_half_full() const { return queue_.size() > queue_bytes_max_ / 2; }
  // The bytes of `lines` that the descriptor took.
  std::size_t write_out(std::string_view lines) const;

  const int fd_;
  const std::size_t queue_bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable wanted_;   // the writer waits for it
  std::condition_variable written_;  // flush() does
  std::string queue_;                // lines one after the other
  std::uint64_t lines_dropped_ = 0;
  std::uint32_t flushing_ = 0;  // calls of flush() that wait
  bool is_idle_ = false;        // the writer waits for the first line
  bool is_writing_ = false;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace carillon::telemetry
