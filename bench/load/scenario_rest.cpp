#include <vector>

#include "load/event_book.hpp"
#include "load/publisher.hpp"
#include "load/scenarios.hpp"

namespace carillon::bench {

namespace {

constexpr std::chrono::seconds kBeforeFirst{1};  // for all to connect

// A body that can be sent again and again as new events: their marks are all of one width, and are numbered in place.
// With one event it is an envelope, with more an array.
class ReusableBody {
 public:
  explicit ReusableBody(std::uint32_t events) {
    const EventBook book = EventBook::mixed(make_run_name() + "-" + std::string(kDigits, '0'), events, 1000);
    if (events > 1) text_ += '[';
    for (std::uint32_t i = 0; i < events; ++i) {
      if (i > 0) text_ += ',';
      text_ += book.envelope(i);
    }
    if (events > 1) text_ += ']';
    for (std::size_t at = 0; (at = text_.find(std::string(kDigits, '0'), at)) != std::string::npos; at += kDigits)
      marks_.push_back(at);
  }

  std::string_view numbered(std::uint64_t call) {
    char digits[kDigits];
    for (std::size_t i = kDigits; i > 0; --i, call /= 10) digits[i - 1] = static_cast<char>('0' + call % 10);
    for (const std::size_t mark : marks_) text_.replace(mark, kDigits, digits, kDigits);
    return text_;
  }

 private:
  static constexpr std::size_t kDigits = 12;
  std::string text_;
  std::vector<std::size_t> marks_;
};

}  // namespace

Report run_rest(const Target& target, const ServerProbe& server, const RestOptions& options) {
  Report report(options.events_per_call == 1 ? "rest-single" : "rest-batch");
  ReusableBody body(options.events_per_call);
  PublishPlan plan;
  plan.connections = options.connections;
  plan.schedule.events_per_call = options.events_per_call;
  plan.calls_max = UINT64_MAX;
  plan.schedule.start = std::chrono::steady_clock::now() + kBeforeFirst;
  plan.duration = options.duration;
  plan.body = [&](std::uint64_t call) { return body.numbered(call); };
  const auto cpu_before = server.cpu_time();
  const Published published = publish(target, plan);
  const auto cpu = server.cpu_time() - cpu_before;

  report.add(published.faults);
  const double events = static_cast<double>(published.accepted) * options.events_per_call;
  report.set("connections", options.connections);
  report.set("events_per_call", options.events_per_call);
  report.set("events", events);
  report.set("events_per_second", events / in_seconds(published.took));
  report.set_latencies("accepted", published.latency);
  report.set("cpu_per_event_us", in_us(cpu) / events);
  report.set("resident_mb", in_mb(server.resident_bytes()));
  return report;
}

}  // namespace carillon::bench
