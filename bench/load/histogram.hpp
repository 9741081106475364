#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace carillon::bench {

// Durations in log-linear buckets, 64 to each power of two of nanoseconds, so that a percentile is told to within
// 1.6 % whatever its size. One thread.
class Histogram {
 public:
  // A negative duration counts as zero.
  void record(std::chrono::nanoseconds duration);
  void merge(const Histogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::chrono::nanoseconds max() const { return std::chrono::nanoseconds(max_); }
  // The least duration that `share` (0 to 1) of all do not exceed, rounded up to its bucket; zero when there are none.
  [[nodiscard]] std::chrono::nanoseconds percentile(double share) const;

 private:
  static constexpr unsigned kLinearBits = 6;
  static constexpr std::size_t kLinear = std::size_t{1} << kLinearBits;
  static constexpr std::size_t kBuckets = (64 - kLinearBits + 1) * kLinear;

  [[nodiscard]] static std::size_t bucket_of(std::uint64_t value);
  [[nodiscard]] static std::uint64_t last_value_of(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace carillon::bench
