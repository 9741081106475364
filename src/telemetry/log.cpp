#include "telemetry/log.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <span>

#include "base/clock.hpp"
#include "telemetry/log_line.hpp"
#include "telemetry/log_writer.hpp"

namespace carillon::telemetry {
namespace {

constexpr std::chrono::milliseconds kFlushPatience{1000};

std::atomic<LogFormat> log_format{LogFormat::text};
std::atomic<Level> log_level{Level::info};

// Never destroyed: its thread may be stuck in a blocked write, and the process must be able to end all the same.
LogWriter& writer() {
  static LogWriter* const writer = [] {
    auto* made = new LogWriter(STDERR_FILENO);
    std::atexit(flush_log);
    return made;
  }();
  return *writer;
}

}  // namespace

void configure_log(LogFormat format, Level level) {
  log_format = format;
  log_level = level;
}

void log(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (level < log_level.load(std::memory_order_relaxed)) return;
  writer().write(format_line(log_format.load(std::memory_order_relaxed), SystemClock().wall_now(), level, event,
                             std::span(fields.begin(), fields.size())));
}

std::uint64_t log_lines_dropped() {
  return writer().lines_dropped();
}

void flush_log() {
  writer().flush(kFlushPatience);
}

}  // namespace carillon::telemetry
