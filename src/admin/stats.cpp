#include "admin/stats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "event/event.hpp"
#include "protocol/server_message.hpp"
#include "protocol/timestamp.hpp"

namespace carillon::admin {

namespace {

using telemetry::Histogram;
using telemetry::Registry;

// Appends members to an object under way, each behind its comma.
class Object {
 public:
  explicit Object(std::string& out) : out_(out) { out_ += '{'; }
  ~Object() { out_ += '}'; }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  // For the value of `name`, which follows.
  std::string& member(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    json::append_string(out_, name);
    out_ += ':';
    return out_;
  }
  void put(std::string_view name, std::uint64_t number) { member(name) += fmt::to_string(number); }
  void put(std::string_view name, bool is_true) { member(name) += is_true ? "true" : "false"; }
  void put_text(std::string_view name, std::string_view text) { json::append_string(member(name), text); }

 private:
  std::string& out_;
};

// A gauge whose cells are read one after the other may be below zero for a moment.
std::uint64_t whole(std::int64_t value) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
}

// Over all labels.
std::uint64_t total(const Registry& metrics, std::string_view name) {
  std::int64_t sum = 0;
  for (const auto& sample : metrics.samples(name)) sum += sample.value;
  return whole(sum);
}

// Of the one series with this label, where there is one.
std::optional<Registry::Sample> of_event(const Registry& metrics, std::string_view name, EventKind kind) {
  const telemetry::Labels labels{{"event", std::string(to_string(kind))}};
  auto samples = metrics.samples(name);
  const auto found = std::ranges::find(samples, labels, &Registry::Sample::labels);
  return found == samples.end() ? std::nullopt : std::optional(std::move(*found));
}

std::uint64_t count_of_event(const Registry& metrics, std::string_view name, EventKind kind) {
  const auto sample = of_event(metrics, name, kind);
  return sample ? whole(sample->value) : 0;
}

// By the one label that the metric has.
void put_counts(Object& into, std::string_view member, const Registry& metrics, std::string_view name) {
  Object counts(into.member(member));
  for (const auto& sample : metrics.samples(name)) counts.put(sample.labels.front().second, whole(sample.value));
}

struct Stage {
  std::string_view member;
  std::string_view seconds;
  std::string_view beyond_limit;
};
constexpr std::array<Stage, 3> kStages = {{
    {"event_to_accepted", "carillon_event_accept_seconds", "carillon_event_accept_beyond_limit_total"},
    {"accepted_to_written", "carillon_accept_write_seconds", "carillon_accept_write_beyond_limit_total"},
    {"written_to_receipt", "carillon_write_receipt_seconds", "carillon_write_receipt_beyond_limit_total"},
}};

void put_buckets(std::string& out, const std::vector<std::uint64_t>& buckets) {
  out += '[';
  for (std::size_t i = 0; i <= Histogram::kBounds.size(); ++i) {
    const std::string bound = i < Histogram::kBounds.size() ? fmt::format("{}", Histogram::kBounds.at(i)) : "null";
    fmt::format_to(std::back_inserter(out), R"({}{{"le_seconds":{},"count":{}}})", i > 0 ? "," : "", bound,
                   buckets.empty() ? 0 : buckets.at(i));
  }
  out += ']';
}

void put_stage(Object& into, const Stage& stage, const Registry& metrics, EventKind kind) {
  const auto times = of_event(metrics, stage.seconds, kind);
  Object object(into.member(stage.member));
  object.put("count", times ? whole(times->value) : 0);
  object.put("beyond_limit", count_of_event(metrics, stage.beyond_limit, kind));
  const std::chrono::duration<double> limit = protocol::lateness_limit(kind);
  object.member("limit_seconds") += fmt::format("{}", limit.count());
  put_buckets(object.member("buckets"), times ? times->buckets : std::vector<std::uint64_t>{});
}

void put_event(Object& into, const Registry& metrics, EventKind kind) {
  Object event(into.member(to_string(kind)));
  event.put("published", count_of_event(metrics, "carillon_published_total", kind));
  event.put("late", count_of_event(metrics, "carillon_published_late_total", kind));
  for (const Stage& stage : kStages) put_stage(event, stage, metrics, kind);
}

// Only a broker can be away or behind; the journal is this node's own.
void put_log(Object& into, const Registry& metrics, const NodeFacts& facts) {
  const auto connected = metrics.samples("carillon_log_connected");
  const auto lag = metrics.samples("carillon_log_lag_milliseconds");
  Object log(into.member("log"));
  log.put_text("kind", facts.log_kind);
  log.put("connected", connected.empty() || connected.front().value > 0);
  log.put("writable", facts.log_is_writable);
  log.put("lag_milliseconds", lag.empty() ? 0 : whole(lag.front().value));
}

}  // namespace

std::string encode_stats(const Registry& metrics, const NodeFacts& facts) {
  std::string out;
  {
    Object stats(out);
    stats.put_text("version", facts.version);
    stats.put_text("at", protocol::format_timestamp(facts.at));
    stats.put("uptime_seconds", static_cast<std::uint64_t>(facts.uptime.count()));
    stats.put("ready", facts.obstacle.empty());
    if (!facts.obstacle.empty()) stats.put_text("obstacle", facts.obstacle);
    stats.put("connections", total(metrics, "carillon_connections"));
    stats.put("sessions", total(metrics, "carillon_sessions"));
    stats.put("sessions_behind", total(metrics, "carillon_sessions_behind"));
    stats.put("notifications_sent", total(metrics, "carillon_notifications_sent_total"));
    stats.put("slow_clients", total(metrics, "carillon_slow_clients_total"));
    put_log(stats, metrics, facts);
    {
      Object events(stats.member("events"));
      for (std::size_t i = 0; i < kEventKinds; ++i) put_event(events, metrics, static_cast<EventKind>(i));
    }
    put_counts(stats, "withheld", metrics, "carillon_withheld_total");
    put_counts(stats, "dead_letters", metrics, "carillon_dead_letters_total");
    put_counts(stats, "resumes", metrics, "carillon_resumes_total");
    put_counts(stats, "auth_failed", metrics, "carillon_auth_failed_total");
    put_counts(stats, "invalid_messages", metrics, "carillon_invalid_messages_total");
    put_counts(stats, "http_responses", metrics, "carillon_http_responses_total");
    put_counts(stats, "rest_calls", metrics, "carillon_rest_calls_total");
    put_counts(stats, "sessions_closed", metrics, "carillon_sessions_closed_total");
  }
  return out;
}

net::Route stats_route(std::string path, const Registry& metrics, Facts facts, Refusal refusal) {
  net::Route route;
  route.method = "GET";
  route.path = std::move(path);
  route.handle = [&metrics, facts = std::move(facts), refusal = std::move(refusal)](net::HttpRequest&& request,
                                                                                    const net::Responder& responder) {
    if (const auto refused = refusal(request.head)) return responder.respond(*refused);
    net::HttpResponse response;
    response.body = encode_stats(metrics, facts());
    responder.respond(response);
  };
  return route;
}

}  // namespace carillon::admin
