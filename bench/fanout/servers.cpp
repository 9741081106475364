#include "fanout/servers.hpp"

#include <fstream>

namespace carillon::bench {

Servers::Servers(const std::vector<pid_t>& processes, std::filesystem::path allocations)
    : probes_(processes.begin(), processes.end()), allocations_(std::move(allocations)) {}

std::chrono::nanoseconds Servers::cpu_time() const {
  std::chrono::nanoseconds sum{0};
  for (const ServerProbe& probe : probes_) sum += probe.cpu_time();
  return sum;
}

std::uint64_t Servers::anonymous_bytes() const {
  std::uint64_t sum = 0;
  for (const ServerProbe& probe : probes_) sum += probe.anonymous_bytes();
  return sum;
}

std::optional<std::uint64_t> Servers::allocations() const {
  std::uint64_t count = 0;
  std::ifstream file(allocations_, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(&count), sizeof count)) return std::nullopt;
  return count;
}

}  // namespace carillon::bench
