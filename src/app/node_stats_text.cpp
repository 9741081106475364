#include "app/node_stats_text.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <utility>

#include "app/terminal_text.hpp"

namespace carillon::app {
namespace {

struct Stage {
  const char* title;
  StageTimes NodeStats::DeliveryTimes::* times;
};
constexpr std::array<Stage, 3> kStages = {{
    {"event to accepted", &NodeStats::DeliveryTimes::event_to_accepted},
    {"accepted to written", &NodeStats::DeliveryTimes::accepted_to_written},
    {"written to receipt", &NodeStats::DeliveryTimes::written_to_receipt},
}};

std::string duration_text(double seconds) {
  if (seconds >= 1) return fmt::format("{:g} s", seconds);
  if (seconds >= 0.001) return fmt::format("{:g} ms", seconds * 1e3);
  return fmt::format("{:g} µs", seconds * 1e6);
}

std::string bound_text(const StageTimes& times, const StageTimes::Bound& bound) {
  if (times.count == 0) return "-";
  return bound ? "<= " + duration_text(*bound) : "> " + duration_text(times.last_bound);
}

std::string counts_text(const NodeStats::Counts& counts) {
  std::string text;
  for (const auto& [word, count] : counts)
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", for_terminal(word), count);
  return text.empty() ? "none" : text;
}

void append_times(std::string& out, EventKind kind, const NodeStats::DeliveryTimes& times) {
  std::string_view event = to_string(kind);
  for (const Stage& stage : kStages) {
    const StageTimes& of = times.*stage.times;
    fmt::format_to(std::back_inserter(out), "{:<18}{:<21}{:>10}{:>12}{:>12}{:>12}{:>10} > {}\n",
                   std::exchange(event, ""), stage.title, of.count, bound_text(of, of.p50), bound_text(of, of.p99),
                   bound_text(of, of.slowest), of.beyond_limit, duration_text(of.limit));
  }
}

}  // namespace

std::string node_stats_text(std::string_view admin, const NodeStats& stats) {
  std::string out = fmt::format("{}: {} sessions on {} connections, {} behind", admin, stats.sessions,
                                stats.connections, stats.sessions_behind);
  if (!stats.obstacle.empty()) out += ", not ready: " + for_terminal(stats.obstacle);
  out += "; since the server started:\n\n";
  fmt::format_to(std::back_inserter(out), "{:<39}{:>10}{:>12}{:>12}{:>12}{:>15}\n", "delivery times", "count", "p50",
                 "p99", "slowest", "over limit");
  for (std::size_t i = 0; i < kEventKinds; ++i) append_times(out, static_cast<EventKind>(i), stats.times.at(i));
  fmt::format_to(
      std::back_inserter(out), "\nwithheld       {}\ndead letters   {}\nresumes        {}\nslow clients   {}",
      counts_text(stats.withheld), counts_text(stats.dead_letters), counts_text(stats.resumes), stats.slow_clients);
  return out;
}

}  // namespace carillon::app
