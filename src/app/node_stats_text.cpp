#include "app/node_stats_text.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <utility>

#include "app/terminal_text.hpp"
#include "base/json.hpp"
#include "protocol/server_message.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::app {
namespace {

struct Stage {
  const char* title;
  const char* member;
  StageTimes NodeStats::DeliveryTimes::* times;
};
constexpr std::array<Stage, 3> kStages = {{
    {"event to accepted", "event_to_accepted", &NodeStats::DeliveryTimes::event_to_accepted},
    {"accepted to written", "accepted_to_written", &NodeStats::DeliveryTimes::accepted_to_written},
    {"written to receipt", "written_to_receipt", &NodeStats::DeliveryTimes::written_to_receipt},
}};

double limit_of(EventKind kind) {
  return std::chrono::duration<double>(protocol::lateness_limit(kind)).count();
}

std::string duration_text(double seconds) {
  if (seconds >= 1) return fmt::format("{:g} s", seconds);
  if (seconds >= 0.001) return fmt::format("{:g} ms", seconds * 1e3);
  return fmt::format("{:g} µs", seconds * 1e6);
}

std::string bound_text(const StageTimes& times, const StageTimes::Bound& bound) {
  if (times.count == 0) return "-";
  return bound ? "<= " + duration_text(*bound) : "> " + duration_text(telemetry::Histogram::kBounds.back());
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
                   bound_text(of, of.slowest), of.beyond_limit, duration_text(limit_of(kind)));
  }
}

std::string bound_json(const StageTimes::Bound& bound) {
  return bound ? fmt::format("{}", *bound) : "null";
}

std::string counts_json(const NodeStats::Counts& counts) {
  std::string json = "{";
  for (const auto& [word, count] : counts) {
    if (json.size() > 1) json += ',';
    json::append_string(json, for_terminal(word));
    json += ':' + std::to_string(count);
  }
  return json + "}";
}

std::string times_json(EventKind kind, const NodeStats::DeliveryTimes& times) {
  std::string json = "{";
  for (const Stage& stage : kStages) {
    const StageTimes& of = times.*stage.times;
    if (json.size() > 1) json += ',';
    fmt::format_to(std::back_inserter(json),
                   R"("{}":{{"count":{},"p50":{},"p99":{},"slowest":{},"beyond_limit":{},"limit":{}}})", stage.member,
                   of.count, bound_json(of.p50), bound_json(of.p99), bound_json(of.slowest), of.beyond_limit,
                   limit_of(kind));
  }
  return json + "}";
}

}  // namespace

std::string node_stats_text(std::string_view admin, const NodeStats& stats) {
  std::string out = fmt::format("{}: {} sessions on {} connections; since the server started:\n\n", admin,
                                stats.sessions, stats.connections);
  fmt::format_to(std::back_inserter(out), "{:<39}{:>10}{:>12}{:>12}{:>12}{:>15}\n", "delivery times", "count", "p50",
                 "p99", "slowest", "over limit");
  for (std::size_t i = 0; i < kEventKinds; ++i) append_times(out, static_cast<EventKind>(i), stats.times.at(i));
  fmt::format_to(
      std::back_inserter(out), "\nwithheld       {}\ndead letters   {}\nresumes        {}\nslow clients   {}",
      counts_text(stats.withheld), counts_text(stats.dead_letters), counts_text(stats.resumes), stats.slow_clients);
  return out;
}

std::string node_stats_json(std::string_view admin, const NodeStats& stats) {
  std::string times;
  for (std::size_t i = 0; i < kEventKinds; ++i) {
    const auto kind = static_cast<EventKind>(i);
    times += fmt::format("{}\"{}\":{}", i == 0 ? "" : ",", to_string(kind), times_json(kind, stats.times.at(i)));
  }
  return fmt::format(
      R"({{"admin":"{}","sessions":{},"connections":{},"delivery_seconds":{{{}}},"withheld":{},"dead_letters":{},)"
      R"("resumes":{},"slow_clients":{}}})",
      admin, stats.sessions, stats.connections, times, counts_json(stats.withheld), counts_json(stats.dead_letters),
      counts_json(stats.resumes), stats.slow_clients);
}

}  // namespace carillon::app
