#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"

// Structured log, one line per decision: what was refused, closed, dropped, started, stopped, and why.
// Never a token, a key or a payload; what a peer sent is escaped. Goes to stderr.
namespace carillon::telemetry {

enum class Level : std::uint8_t { debug, info, warning, error };
enum class LogFormat : std::uint8_t { text, json };

// A name and a value of one log line. Lives only as long as the call.
struct Field {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v) {}
  Field(std::string_view k, double v) : key(k), value(v) {}
  template <std::signed_integral T>
  Field(std::string_view k, T v) : key(k), value(static_cast<std::int64_t>(v)) {}
  template <std::unsigned_integral T>
  Field(std::string_view k, T v) : key(k), value(static_cast<std::uint64_t>(v)) {}
};

// Sets form and threshold for the process; before that: text, info. Call before other threads start.
void configure_log(LogFormat format, Level level);

// Writes one line: time, level, `event` (a stable word or phrase such as "connection closed") and the fields.
// Any thread. Never blocks on a slow stderr: at the bound of the queue lines are dropped and counted.
void log(Level level, std::string_view event, std::initializer_list<Field> fields = {});

// Lines dropped because stderr did not keep up.
[[nodiscard]] std::uint64_t log_lines_dropped();

// Writes what is queued; for the end of the process.
void flush_log();

}  // namespace carillon::telemetry
