#include "load/server_probe.hpp"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace carillon::bench {

// The process's clock instead of /proc/PID/stat, which counts in hundredths of a second.
std::chrono::nanoseconds ServerProbe::cpu_time() const {
  clockid_t clock{};
  timespec time{};
  if (!exists() || ::clock_getcpuclockid(process_, &clock) != 0 || ::clock_gettime(clock, &time) != 0)
    return std::chrono::nanoseconds(0);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::uint64_t ServerProbe::bytes_of(std::string_view name) const {
  if (!exists()) return 0;
  std::ifstream status("/proc/" + std::to_string(process_) + "/status");
  for (std::string word; status >> word;) {
    if (word != name) continue;
    std::uint64_t kilobytes = 0;
    status >> kilobytes;
    return kilobytes * 1024;
  }
  return 0;
}

std::size_t ServerProbe::descriptors() const {
  if (!exists()) return 0;
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(process_) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace carillon::bench
