#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace carillon::bench {

// Looks at the server's process from outside. Without a process (0) everything is zero.
class ServerProbe {
 public:
  explicit ServerProbe(pid_t process) : process_(process) {}

  [[nodiscard]] bool exists() const { return process_ > 0; }
  [[nodiscard]] pid_t process() const { return process_; }
  // User and system time of all its threads, to the nanosecond.
  [[nodiscard]] std::chrono::nanoseconds cpu_time() const;
  // VmRSS, and of that what belongs to no file.
  [[nodiscard]] std::uint64_t resident_bytes() const { return bytes_of("VmRSS:"); }
  [[nodiscard]] std::uint64_t anonymous_bytes() const { return bytes_of("RssAnon:"); }
  // That it has open: a connection is one until the server is done with it.
  [[nodiscard]] std::size_t descriptors() const;

 private:
  // A line of /proc/PID/status.
  [[nodiscard]] std::uint64_t bytes_of(std::string_view name) const;

  pid_t process_;
};

}  // namespace carillon::bench
