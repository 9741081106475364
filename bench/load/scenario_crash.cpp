#include <signal.h>

#include <fstream>
#include <future>
#include <thread>
#include <vector>

#include "load/event_book.hpp"
#include "load/publisher.hpp"
#include "load/scenarios.hpp"

namespace carillon::bench {

namespace {

constexpr std::chrono::milliseconds kBeforeFirst{500};

}  // namespace

Report run_crash(const Target& target, const ServerProbe& server, const CrashOptions& options) {
  Report report("crash");
  // Enough for twice the time: the run ends with the server, not with the book.
  const double seconds = 2 * in_seconds(options.kill_after) + 10;
  const EventBook book =
      EventBook::mixed(make_run_name(), static_cast<std::size_t>(options.events_per_second * seconds), 1000);
  std::vector<std::uint64_t> accepted;
  std::string envelope;
  PublishPlan plan;
  plan.connections = options.connections;
  plan.calls_max = book.size();
  plan.schedule.start = std::chrono::steady_clock::now() + kBeforeFirst;
  plan.schedule.interval = std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / options.events_per_second));
  plan.may_lose_server = true;
  plan.body = [&](std::uint64_t call) { return std::string_view(envelope = book.envelope(call)); };
  plan.accepted = [&](std::uint64_t call) { accepted.push_back(call); };

  auto publishing = std::async(std::launch::async, [&] { return publish(target, plan); });
  std::this_thread::sleep_until(plan.schedule.start + options.kill_after);
  if (::kill(server.process(), SIGKILL) != 0) report.fault("the server could not be killed");
  const Published published = publishing.get();

  report.add(published.faults);
  if (accepted.empty()) report.fault("nothing was accepted before the kill");
  std::ofstream ids(options.ids);
  for (const std::uint64_t call : accepted) ids << book.id(call) << '\n';
  ids.close();
  if (!ids) report.fault(options.ids.string() + ": cannot be written");
  report.set("begun", static_cast<double>(published.begun));
  report.set("accepted", static_cast<double>(published.accepted));
  report.set("accepted_per_second", static_cast<double>(published.accepted) / in_seconds(options.kill_after));
  report.set("unanswered", static_cast<double>(published.begun - published.accepted));
  return report;
}

}  // namespace carillon::bench
