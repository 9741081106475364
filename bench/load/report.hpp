#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "load/faults.hpp"
#include "load/histogram.hpp"

namespace carillon::bench {

// What a scenario measured. A run with faults measured nothing: its figures are printed, and it fails.
class Report {
 public:
  explicit Report(std::string scenario) : scenario_(std::move(scenario)) {}

  // `name` in snake_case with its unit last: it is the key in the JSON file. What is no number is a fault, and 0.
  void set(std::string name, double value);
  // NAME_p50_ms, NAME_p99_ms, NAME_p999_ms, NAME_max_ms.
  void set_latencies(const std::string& name, const Histogram& latencies);
  void add(const Faults& faults) { faults_.add_all(faults); }
  void fault(std::string what) { faults_.add(std::move(what)); }

  [[nodiscard]] std::optional<double> figure(std::string_view name) const;
  [[nodiscard]] bool is_void() const { return faults_.count() > 0; }
  // A table for people.
  void print() const;
  // {"scenario", "valid", "figures": {...}, "faults", "first_faults": [...]}
  [[nodiscard]] Result<> write_json(const std::filesystem::path& file) const;

 private:
  std::string scenario_;
  std::vector<std::pair<std::string, double>> figures_;
  Faults faults_;
};

[[nodiscard]] inline double in_mb(std::uint64_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}
[[nodiscard]] inline double in_ms(std::chrono::nanoseconds duration) {
  return static_cast<double>(duration.count()) / 1e6;
}
[[nodiscard]] inline double in_us(std::chrono::nanoseconds duration) {
  return static_cast<double>(duration.count()) / 1e3;
}
[[nodiscard]] inline double in_seconds(std::chrono::nanoseconds duration) {
  return static_cast<double>(duration.count()) / 1e9;
}

}  // namespace carillon::bench
