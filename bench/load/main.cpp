// carillon-bench: puts a running server under load and says what came of it. See bench/README.md.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>

#include "load/scenarios.hpp"

namespace carillon::bench {

namespace {

struct Common {
  std::string server = "127.0.0.1:8443";
  std::string ca_file;
  std::string secret_file;
  int process = 0;
  std::string json_file;
};

using Run = std::function<Report(const Target&, const ServerProbe&)>;

int run(const Common& common, const Run& scenario) {
  const auto target = Target::load(common.server, common.ca_file, common.secret_file);
  if (!target) {
    std::fprintf(stderr, "carillon-bench: %s\n", target.error().message.c_str());
    return 2;
  }
  const Report report = scenario(*target, ServerProbe(common.process));
  report.print();
  if (common.json_file.empty()) return report.is_void() ? 1 : 0;
  if (const auto written = report.write_json(common.json_file); !written) {
    std::fprintf(stderr, "carillon-bench: %s\n", written.error().message.c_str());
    return 2;
  }
  return report.is_void() ? 1 : 0;
}

// One subcommand per scenario; the options of all live here until the end.
class Commands {
 public:
  Commands() {
    app_.require_subcommand(1);
    app_.add_option("--server", common_.server, "HOST:PORT of the server")->capture_default_str();
    app_.add_option("--ca", common_.ca_file, "PEM file of its authority; without it nothing is checked");
    app_.add_option("--secret", common_.secret_file, "the server's HMAC secret, to make tokens with")->required();
    app_.add_option("--server-pid", common_.process, "its process, for CPU time, memory and the kill");
    app_.add_option("--json", common_.json_file, "where to write the figures");
    add_mixed();
    add_alert();
    add_memory();
    add_heartbeats();
    add_rest("rest-single", "single-event calls as fast as they are answered", rest_single_);
    add_rest("rest-batch", "calls with many events each, as fast as they are answered", rest_batch_);
    add_storm();
    add_crash();
    add_resume_storm();
    add_fairness();
    add_stalled();
    add_unfriendly();
  }

  int main(int count, char** words) {
    CLI11_PARSE(app_, count, words);
    return run(common_, run_);
  }

 private:
  CLI::App* add(const char* name, const char* what, const Run& scenario) {
    CLI::App* const command = app_.add_subcommand(name, what)->fallthrough();
    command->callback([this, scenario] { run_ = scenario; });
    return command;
  }

  template <class Number>
  static void add_number(CLI::App* command, const char* name, Number& number, const char* what) {
    command->add_option(name, number, what)->capture_default_str()->check(CLI::PositiveNumber);
  }
  template <class Duration>
  static void add_duration(CLI::App* command, const char* name, Duration& duration, const char* what) {
    command
        ->add_option_function<std::int64_t>(
            name, [&duration](std::int64_t value) { duration = Duration(value); }, what)
        ->default_str(std::to_string(duration.count()))
        ->check(CLI::PositiveNumber);
  }

  void add_mixed() {
    CLI::App* const command =
        add("mixed", "a third each of the three kinds, at a steady rate",
            [this](const auto& target, const auto& server) { return run_mixed(target, server, mixed_); });
    add_number(command, "--clients", mixed_.clients, "connections");
    add_number(command, "--users", mixed_.users, "users they share; as many as clients when not given");
    add_number(command, "--rate", mixed_.events_per_second, "events per second");
    add_duration(command, "--seconds", mixed_.duration, "how long");
  }

  void add_alert() {
    CLI::App* const command =
        add("alert", "CRITICAL alerts to all, one at a time",
            [this](const auto& target, const auto& server) { return run_alert(target, server, alert_); });
    add_number(command, "--clients", alert_.clients, "connections");
    add_number(command, "--alerts", alert_.alerts, "how many");
    add_duration(command, "--interval-ms", alert_.interval, "between two");
  }

  void add_memory() {
    CLI::App* const command =
        add("memory", "the server's memory per idle connection",
            [this](const auto& target, const auto& server) { return run_memory(target, server, memory_); });
    add_number(command, "--base-clients", memory_.base_clients, "where the slope begins");
    add_number(command, "--clients", memory_.clients, "where it ends");
  }

  void add_heartbeats() {
    CLI::App* const command =
        add("heartbeats", "the server's CPU time for clients that are idle",
            [this](const auto& target, const auto& server) { return run_heartbeats(target, server, heartbeats_); });
    add_number(command, "--clients", heartbeats_.clients, "connections");
    add_duration(command, "--seconds", heartbeats_.duration, "how long");
  }

  void add_rest(const char* name, const char* what, RestOptions& options) {
    CLI::App* const command = add(
        name, what, [&options](const auto& target, const auto& server) { return run_rest(target, server, options); });
    add_number(command, "--connections", options.connections, "keep-alive connections");
    add_number(command, "--events", options.events_per_call, "events per call");
    add_duration(command, "--seconds", options.duration, "how long");
  }

  void add_storm() {
    CLI::App* const command =
        add("connect-storm", "TLS, token and auth_ok, again and again; then the same while others are live",
            [this](const auto& target, const auto& server) { return run_storm(target, server, storm_); });
    add_number(command, "--clients", storm_.clients, "connections in a round");
    add_number(command, "--rounds", storm_.rounds, "how many rounds of new clients, and of those that come back");
    add_number(command, "--live", storm_.live_clients, "those that are live");
    add_number(command, "--rate", storm_.events_per_second, "events per second for these");
    add_number(command, "--to-all", storm_.to_all, "the share of these that goes to all");
    add_duration(command, "--seconds", storm_.duration, "in quiet, and again in the storm");
  }

  void add_crash() {
    CLI::App* const command =
        add("crash", "kills the server (SIGKILL) while it is published to",
            [this](const auto& target, const auto& server) { return run_crash(target, server, crash_); });
    add_number(command, "--connections", crash_.connections, "keep-alive connections");
    add_number(command, "--rate", crash_.events_per_second, "events per second");
    add_duration(command, "--kill-after-ms", crash_.kill_after, "from the first event");
    command->add_option("--ids", crash_.ids, "where to write the ids that were accepted")->required();
  }

  void add_resume_storm() {
    CLI::App* const command =
        add("resume-storm", "kills the server; all come back when told of its start (a line: monotonic ns, process)",
            [this](const auto& target, const auto& server) { return run_resume_storm(target, server, resume_storm_); });
    add_number(command, "--clients", resume_storm_.clients, "connections");
    add_number(command, "--window-events", resume_storm_.window_events, "events that are there by then");
    add_number(command, "--missed", resume_storm_.missed_per_client, "events that each client comes back from before");
  }

  void add_fairness() {
    CLI::App* const command =
        add("replay-fairness", "others' latency while one client has very much replayed",
            [this](const auto& target, const auto& server) { return run_fairness(target, server, fairness_); });
    add_number(command, "--clients", fairness_.clients, "the others");
    add_number(command, "--rate", fairness_.events_per_second, "events per second");
    add_number(command, "--to-all", fairness_.to_all, "the share of these that goes to all");
    add_number(command, "--replayed", fairness_.replayed_events, "events in a replay");
    add_number(command, "--replays", fairness_.replays, "how many, one after the other");
    add_duration(command, "--seconds", fairness_.duration, "in quiet, and again with the replays");
  }

  void add_stalled() {
    CLI::App* const command =
        add("stalled", "memory and others' latency while some clients do not read",
            [this](const auto& target, const auto& server) { return run_stalled(target, server, stalled_); });
    add_number(command, "--clients", stalled_.clients, "connections");
    add_number(command, "--stalled", stalled_.stalled, "those that stop reading");
    add_number(command, "--rate", stalled_.events_per_second, "events per second");
    add_number(command, "--to-all", stalled_.to_all, "the share of these that goes to all");
    add_number(command, "--events-before", stalled_.events_before, "to fill window and journal with");
    add_duration(command, "--seconds", stalled_.duration, "in quiet, and again while they stall");
  }

  void add_unfriendly() {
    CLI::App* const command = add(
        "unfriendly", "others' latency while handshakes storm, pings flood, connections stay half open, clients stall",
        [this](const auto& target, const auto& server) { return run_unfriendly(target, server, unfriendly_); });
    add_number(command, "--clients", unfriendly_.clients, "connections");
    add_number(command, "--stalled", unfriendly_.stalled, "those of them that stop reading");
    add_number(command, "--flooders", unfriendly_.flooders, "connections that send pings");
    add_number(command, "--half-open", unfriendly_.half_open, "connections that say half a ClientHello, or nothing");
    add_number(command, "--hasty", unfriendly_.hasty, "connections that go when their ClientHello is answered");
    add_number(command, "--rate", unfriendly_.events_per_second, "events per second");
    add_number(command, "--to-all", unfriendly_.to_all, "the share of these that goes to all");
    add_duration(command, "--seconds", unfriendly_.duration, "in quiet, and again under attack");
  }

  CLI::App app_{
      "Puts a Carillon server under load. A run in which a client lost, repeated or saw a foreign event fails."};
  Common common_;
  MixedOptions mixed_;
  AlertOptions alert_;
  MemoryOptions memory_;
  HeartbeatsOptions heartbeats_;
  RestOptions rest_single_;
  RestOptions rest_batch_{.connections = 4, .events_per_call = 500};
  StormOptions storm_;
  CrashOptions crash_;
  ResumeStormOptions resume_storm_;
  FairnessOptions fairness_;
  StalledOptions stalled_;
  UnfriendlyOptions unfriendly_;
  Run run_;
};

}  // namespace
}  // namespace carillon::bench

int main(int count, char** words) {
  try {
    return carillon::bench::Commands().main(count, words);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "carillon-bench: %s\n", error.what());
    return 2;
  }
}
