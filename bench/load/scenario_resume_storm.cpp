#include <signal.h>

#include <iostream>
#include <optional>
#include <sstream>

#include "load/crowd.hpp"
#include "load/preload.hpp"
#include "load/scenarios.hpp"

namespace carillon::bench {

namespace {

constexpr std::chrono::seconds kDeliveryPatience{60};
constexpr std::chrono::seconds kReturnPatience{120};

// What whoever started the server again says of it.
struct Restart {
  MonoTime started;
  pid_t process = 0;
};
std::optional<Restart> read_restart() {
  std::string line;
  std::int64_t nanoseconds = 0;
  Restart restart;
  if (!std::getline(std::cin, line) || !(std::istringstream(line) >> nanoseconds >> restart.process))
    return std::nullopt;
  restart.started = MonoTime(std::chrono::nanoseconds(nanoseconds));
  return restart;
}

// Those that each client gets twice: live, and replayed after the kill.
Faults deliver_live(const Target& target, Crowd& crowd, const EventBook& book) {
  DeliveryAudit audit(book, {}, crowd.audience(), false);
  crowd.attend(&audit);
  Faults faults = preload(target, book);
  if (!audit.wait_for_all(kDeliveryPatience)) faults.add("events were missing before the kill");
  crowd.attend(nullptr);
  faults.add_all(audit.conclude());
  return faults;
}

}  // namespace

Report run_resume_storm(const Target& target, const ServerProbe& server, const ResumeStormOptions& options) {
  Report report("resume-storm");
  const std::size_t missed = std::size_t{options.clients} * options.missed_per_client;
  const EventBook before =
      EventBook::orders(make_run_name(), {.count = options.window_events - missed, .users = options.clients});
  const EventBook since = EventBook::orders(make_run_name(), {.count = missed, .users = options.clients});
  report.add(preload(target, before));
  Crowd crowd(target, {.users = options.clients});
  report.set("clients", crowd.grow_to(options.clients, kHandshakesAtOnce, kConnectPatience).connected);
  crowd.remember_positions();
  report.add(deliver_live(target, crowd, since));
  report.add(crowd.take_faults());
  report.set("resident_before_mb", in_mb(server.resident_bytes()));

  if (::kill(server.process(), SIGKILL) != 0) report.fault("the server could not be killed");
  crowd.leave();
  const auto restart = read_restart();
  if (!restart) {
    report.fault("nobody said when the server was started again");
    return report;
  }
  DeliveryAudit audit(since, {}, crowd.audience(), false);
  crowd.attend(&audit);
  const auto returned = crowd.come_back(kReturnPatience);
  if (!audit.wait_for_all(kDeliveryPatience)) report.fault("missed events were not replayed");
  crowd.attend(nullptr);
  report.add(audit.conclude());
  report.add(crowd.take_faults());
  report.set("live_again", returned.live);
  report.set("replayed", static_cast<double>(audit.delivered()));
  report.set("first_connected_ms", in_ms(returned.first_connected - restart->started));
  report.set("first_accepted_ms", in_ms(returned.first_accepted - restart->started));
  report.set("all_live_ms", in_ms(returned.last_live - restart->started));
  report.set("resident_after_mb", in_mb(ServerProbe(restart->process).resident_bytes()));
  return report;
}

}  // namespace carillon::bench
