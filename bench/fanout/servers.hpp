#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "load/server_probe.hpp"

namespace carillon::bench {

// The processes of the server under load, looked at from outside as if they were one.
class Servers {
 public:
  // `allocations`: the file that count_allocations counts in, when it is preloaded; else empty.
  Servers(const std::vector<pid_t>& processes, std::filesystem::path allocations);

  [[nodiscard]] std::chrono::nanoseconds cpu_time() const;
  [[nodiscard]] std::uint64_t anonymous_bytes() const;
  // Ever made. Nothing when nobody counts.
  [[nodiscard]] std::optional<std::uint64_t> allocations() const;

 private:
  std::vector<ServerProbe> probes_;
  std::filesystem::path allocations_;
};

}  // namespace carillon::bench
