#include "app/node_stats.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <vector>

namespace carillon::app {
namespace {

using telemetry::MetricsText;

std::uint64_t whole(double value) {
  constexpr double kExactMax = 9007199254740992.0;  // 2^53
  return value > 0 ? static_cast<std::uint64_t>(std::min(value, kExactMax)) : 0;
}

std::uint64_t total(const MetricsText& metrics, std::string_view name) {
  double sum = 0;
  for (const auto& sample : metrics.of(name)) sum += sample.value;
  return whole(sum);
}

NodeStats::Counts counts(const MetricsText& metrics, std::string_view name, std::string_view label) {
  NodeStats::Counts counts;
  for (const auto& sample : metrics.of(name)) counts[std::string(sample.label(label))] += whole(sample.value);
  return counts;
}

// A bucket of a histogram: how many took no longer than its bound; the last one's is nothing.
struct Bucket {
  StageTimes::Bound bound;
  std::uint64_t up_to = 0;
};

StageTimes::Bound bound_of(std::string_view le) {
  double bound = 0;
  const auto [end, error] = std::from_chars(le.data(), le.data() + le.size(), bound);
  if (error != std::errc{} || end != le.data() + le.size() || !std::isfinite(bound)) return std::nullopt;
  return bound;
}

// The bound of the bucket with the `rank`th smallest time, counted from 1.
StageTimes::Bound bound_at(const std::vector<Bucket>& buckets, std::uint64_t rank) {
  for (const Bucket& bucket : buckets)
    if (bucket.up_to >= rank) return bucket.bound;
  return std::nullopt;
}

// The smallest rank that at least `percent` of `count` do not exceed.
std::uint64_t rank_of(std::uint64_t percent, std::uint64_t count) {
  return count / 100 * percent + (count % 100 * percent + 99) / 100;
}

// The names of a stage's histogram and of its counter of what took too long.
struct StageMetrics {
  std::string_view seconds;
  std::string_view beyond_limit;
};
constexpr StageMetrics kEventToAccepted{"carillon_event_accept_seconds", "carillon_event_accept_beyond_limit_total"};
constexpr StageMetrics kAcceptedToWritten{"carillon_accept_write_seconds", "carillon_accept_write_beyond_limit_total"};
constexpr StageMetrics kWrittenToReceipt{"carillon_write_receipt_seconds", "carillon_write_receipt_beyond_limit_total"};

StageTimes stage(const MetricsText& metrics, const StageMetrics& names, std::string_view event) {
  std::vector<Bucket> buckets;
  for (const auto& sample : metrics.of(std::string(names.seconds) + "_bucket"))
    if (sample.label("event") == event) buckets.push_back({bound_of(sample.label("le")), whole(sample.value)});
  StageTimes times;
  for (const auto& sample : metrics.of(names.beyond_limit))
    if (sample.label("event") == event) times.beyond_limit = whole(sample.value);
  if (buckets.empty() || buckets.back().up_to == 0) return times;
  times.count = buckets.back().up_to;
  times.p50 = bound_at(buckets, rank_of(50, times.count));
  times.p99 = bound_at(buckets, rank_of(99, times.count));
  times.slowest = bound_at(buckets, times.count);
  return times;
}

}  // namespace

Result<NodeStats> NodeStats::read(const MetricsText& metrics) {
  if (metrics.of("carillon_sessions").empty())
    return fail(ErrorKind::invalid, "these are not the metrics of a Carillon server");
  NodeStats stats;
  for (std::size_t i = 0; i < kEventKinds; ++i) {
    const std::string_view event = to_string(static_cast<EventKind>(i));
    stats.times.at(i) = {.event_to_accepted = stage(metrics, kEventToAccepted, event),
                         .accepted_to_written = stage(metrics, kAcceptedToWritten, event),
                         .written_to_receipt = stage(metrics, kWrittenToReceipt, event)};
  }
  stats.withheld = counts(metrics, "carillon_withheld_total", "reason");
  stats.dead_letters = counts(metrics, "carillon_dead_letters_total", "reason");
  stats.resumes = counts(metrics, "carillon_resumes_total", "result");
  stats.connections = total(metrics, "carillon_connections");
  stats.sessions = total(metrics, "carillon_sessions");
  stats.slow_clients = total(metrics, "carillon_slow_clients_total");
  return stats;
}

}  // namespace carillon::app
