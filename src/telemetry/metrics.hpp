#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Metric cells that cost one plain add on the way of a delivery: each writer has its own, and a scrape sums the cells
// that share name and labels.
namespace carillon::telemetry {

using Labels = std::vector<std::pair<std::string, std::string>>;

// Written by one thread, read by any.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Written by one thread, read by any.
class Gauge {
 public:
  void set(std::int64_t v) { value_.store(v, std::memory_order_relaxed); }
  void add(std::int64_t n) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Durations in seconds, in fixed buckets from 100 µs to 5 s (upper bounds kBounds, then +Inf). Written by one thread.
class Histogram {
 public:
  static constexpr std::array<double, 15> kBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                     0.05,   0.1,     0.25,   0.5,   1.0,    2.0,   5.0};
  void observe(double seconds);
  [[nodiscard]] std::uint64_t bucket(std::size_t i) const { return buckets_.at(i).value(); }
  [[nodiscard]] double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::array<Counter, kBounds.size() + 1> buckets_;
  std::atomic<double> sum_{0.0};
};

// Owns all cells of the process. Registration and reading: any thread. A cell lives as long as the registry.
// Names follow Prometheus: carillon_<noun>_<unit>_total.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Each call makes a new cell, for one writing thread. The help text of the first registration of a name counts.
  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, Labels labels = {});

  // One series as it is now, its cells added up.
  struct Sample {
    Labels labels;                       // by name
    std::int64_t value = 0;              // of a histogram: how many were observed
    std::vector<std::uint64_t> buckets;  // of a histogram: how many in each, the last what is beyond every bound
  };
  // All series of that name, by their labels; empty when there is none.
  [[nodiscard]] std::vector<Sample> samples(std::string_view name) const;

  // All metrics in Prometheus text exposition format 0.0.4.
  [[nodiscard]] std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace carillon::telemetry
