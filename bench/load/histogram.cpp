#include "load/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace carillon::bench {

// Values below 64 have a bucket each. Above, a value keeps its first seven bits.
std::size_t Histogram::bucket_of(std::uint64_t value) {
  if (value < kLinear) return static_cast<std::size_t>(value);
  const auto dropped = static_cast<unsigned>(std::bit_width(value)) - kLinearBits - 1;
  return dropped * kLinear + static_cast<std::size_t>(value >> dropped);
}

std::uint64_t Histogram::last_value_of(std::size_t bucket) {
  if (bucket < 2 * kLinear) return bucket;
  const std::size_t dropped = bucket / kLinear - 1;
  return ((bucket % kLinear + kLinear + 1) << dropped) - 1;
}

void Histogram::record(std::chrono::nanoseconds duration) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  ++buckets_.at(bucket_of(value));
  ++count_;
  max_ = std::max(max_, value);
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_.at(i) += other.buckets_.at(i);
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

std::chrono::nanoseconds Histogram::percentile(double share) const {
  const auto rank =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_.at(i);
    if (seen >= rank) return std::chrono::nanoseconds(std::min(last_value_of(i), max_));
  }
  return std::chrono::nanoseconds(0);
}

}  // namespace carillon::bench
