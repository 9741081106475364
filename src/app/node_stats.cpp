#include "app/node_stats.hpp"

#include <charconv>
#include <utility>
#include <vector>

#include "base/json.hpp"

namespace carillon::app {
namespace {

// Clients choose the codes that they close with, so that there may be many.
constexpr json::Limits kLimits{.depth_max = 8, .members_max = 16'384, .values_max = 65'536};

// Reads members that must be there; the first that is not is the fault of the whole.
class Reading {
 public:
  json::Value member(json::Value of, std::string_view name) {
    const auto found = of.find(name);
    if (!found && missing_.empty()) missing_ = name;
    return found.value_or(of);
  }

  template <class Number>
  Number number(json::Value value, std::string_view name) {
    const std::string_view text = value.text();
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if ((error != std::errc{} || end != text.data() + text.size()) && missing_.empty()) missing_ = name;
    return number;
  }
  std::uint64_t count(json::Value of, std::string_view name) { return number<std::uint64_t>(member(of, name), name); }
  double seconds(json::Value of, std::string_view name) { return number<double>(member(of, name), name); }

  NodeStats::Counts counts(json::Value of, std::string_view name) {
    NodeStats::Counts counts;
    for (const json::Value each : member(of, name)) counts[std::string(each.key())] = number<std::uint64_t>(each, name);
    return counts;
  }

  StageTimes stage(json::Value of, std::string_view name);

  [[nodiscard]] std::string_view missing() const { return missing_; }

 private:
  std::string missing_;
};

struct Bucket {
  StageTimes::Bound bound;
  std::uint64_t up_to = 0;  // how many took no longer
};

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

StageTimes Reading::stage(json::Value of, std::string_view name) {
  const json::Value stage = member(of, name);
  StageTimes times;
  times.beyond_limit = count(stage, "beyond_limit");
  times.limit = seconds(stage, "limit_seconds");
  std::vector<Bucket> buckets;
  for (const json::Value each : member(stage, "buckets")) {
    times.count += count(each, "count");
    const bool has_bound = !member(each, "le_seconds").is(json::Kind::null);
    if (has_bound) times.last_bound = seconds(each, "le_seconds");
    buckets.push_back({has_bound ? StageTimes::Bound(times.last_bound) : std::nullopt, times.count});
  }
  if (times.count == 0) return times;
  times.p50 = bound_at(buckets, rank_of(50, times.count));
  times.p99 = bound_at(buckets, rank_of(99, times.count));
  times.slowest = bound_at(buckets, times.count);
  return times;
}

}  // namespace

Result<NodeStats> NodeStats::read(std::string_view json) {
  const auto document = json::Document::parse(json, kLimits);
  if (!document) return std::unexpected(document.error());
  const json::Value root = document->root();
  Reading reading;
  NodeStats stats;
  const json::Value events = reading.member(root, "events");
  for (std::size_t i = 0; i < kEventKinds; ++i) {
    const json::Value event = reading.member(events, to_string(static_cast<EventKind>(i)));
    stats.times.at(i) = {.event_to_accepted = reading.stage(event, "event_to_accepted"),
                         .accepted_to_written = reading.stage(event, "accepted_to_written"),
                         .written_to_receipt = reading.stage(event, "written_to_receipt")};
  }
  stats.withheld = reading.counts(root, "withheld");
  stats.dead_letters = reading.counts(root, "dead_letters");
  stats.resumes = reading.counts(root, "resumes");
  stats.connections = reading.count(root, "connections");
  stats.sessions = reading.count(root, "sessions");
  stats.sessions_behind = reading.count(root, "sessions_behind");
  stats.slow_clients = reading.count(root, "slow_clients");
  stats.obstacle = root.find_string("obstacle").value_or("");
  if (!reading.missing().empty())
    return fail(ErrorKind::invalid,
                "these are not the statistics of a Carillon server: no " + std::string(reading.missing()));
  return stats;
}

}  // namespace carillon::app
