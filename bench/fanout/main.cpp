// carillon-fanout: brings the same messages to many clients through carillon and through its peers, and says what it
// cost. See bench/README.md.

#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "fanout/scenarios.hpp"
#include "load/event_book.hpp"

namespace carillon::bench {

namespace {

using Run = std::function<Report(const Peer&, const Mark&, const Servers&)>;

int complain(const std::string& what) {
  std::fprintf(stderr, "carillon-fanout: %s\n", what.c_str());
  return 2;
}

// One subcommand per scenario; the options of all live here until the end.
class Commands {
 public:
  Commands() {
    app_.require_subcommand(1);
    app_.add_option("--peer", peer_.kind, "what the server is: carillon, floor, nats or nchan")->required();
    app_.add_option("--subscribe", peer_.subscribe, "HOST:PORT of its TLS port")->required();
    app_.add_option(
        "--publish", peer_.publish,
        "HOST:PORT where it takes events: the floor's control port, the clear-text ports of nats and nginx; carillon's "
        "REST is at the TLS port");
    app_.add_option("--ca", peer_.ca, "PEM file of its authority; without it nothing is checked");
    app_.add_option("--secret", peer_.secret, "carillon's HMAC secret, to make tokens with");
    app_.add_option("--server-pid", processes_, "its processes, for CPU time and memory")->delimiter(',')->required();
    app_.add_option("--allocations", allocations_, "the file that count_allocations.so keeps for the server")
        ->check(CLI::ExistingFile);
    app_.add_option("--json", json_file_, "where to write the figures");
    add_broadcast();
    add_targeted();
  }

  int main(int count, char** words) {
    CLI11_PARSE(app_, count, words);
    if (peer_.publish.empty()) peer_.publish = peer_.subscribe;
    for (const pid_t process : processes_)
      if (::kill(process, 0) != 0)
        return complain(fmt::format("--server-pid: there is no process {} of ours", process));
    const Mark mark(run_name_.empty() ? make_run_name() : run_name_);
    const auto peer = Peer::make(peer_);
    if (!peer) return complain(peer.error().message);
    const Report report = run_(*peer, mark, Servers(processes_, allocations_));
    report.print();
    if (!json_file_.empty())
      if (const auto written = report.write_json(json_file_); !written) return complain(written.error().message);
    return report.is_void() ? 1 : 0;
  }

 private:
  void add_broadcast() {
    CLI::App* const command = app_.add_subcommand("broadcast", "events to all clients")->fallthrough();
    command->callback([this] {
      if (interval_ms_ == 0 && !is_unthrottled_) throw CLI::RequiredError("--interval-ms or --unthrottled");
      broadcast_.interval = std::chrono::nanoseconds(static_cast<std::int64_t>(interval_ms_ * 1e6));
      broadcast_.is_shared = !run_name_.empty();
      run_ = [this](const Peer& peer, const Mark& mark, const Servers& servers) {
        return run_broadcast(peer, mark, servers, broadcast_);
      };
    });
    const auto add = [&](const char* name, auto& number, const char* what) {
      return command->add_option(name, number, what)->capture_default_str()->check(CLI::PositiveNumber);
    };
    add("--clients", broadcast_.clients, "connections");
    add("--sources", broadcast_.sources, "so many addresses they come from, 127.0.0.1 and on")
        ->check(CLI::Range(1, 254));
    add("--events", broadcast_.events, "how many are measured");
    add("--together", broadcast_.together, "so many are published at once");
    add("--warm-up", broadcast_.warm_up, "bursts before, one at a time")->check(CLI::NonNegativeNumber);
    add("--interval-ms", interval_ms_, "between two bursts, whether or not they came");
    command->add_flag("--unthrottled", is_unthrottled_, "the next burst when everybody has the last")
        ->excludes("--interval-ms");
    command->add_option("--run", run_name_, "of several loads that share this run: says `live`, is told when to begin");
    command->add_flag("--only-listen", broadcast_.only_listens, "another load of the run publishes")->needs("--run");
  }

  void add_targeted() {
    CLI::App* const command =
        app_.add_subcommand("targeted", "updates of one user's orders, while events to all run back to back")
            ->fallthrough();
    command->callback([this] {
      if (peer_.kind != "carillon") throw CLI::ValidationError("targeted", "only carillon has events for one user");
      targeted_.duration = std::chrono::seconds(seconds_);
      run_ = [this](const Peer& peer, const Mark& mark, const Servers& servers) {
        return run_targeted(peer, mark, servers, targeted_);
      };
    });
    const auto add = [&](const char* name, auto& number, const char* what) {
      return command->add_option(name, number, what)->capture_default_str()->check(CLI::PositiveNumber);
    };
    add("--clients", targeted_.clients, "connections that get what goes to all");
    add("--sources", targeted_.sources, "so many addresses they come from, 127.0.0.1 and on")
        ->check(CLI::Range(1, 254));
    add("--rate", targeted_.updates_per_second, "updates per second");
    add("--seconds", seconds_, "how long");
  }

  CLI::App app_{
      "Brings the same messages to many clients of a server. A run in which a client lost, repeated, re-ordered or saw "
      "a "
      "foreign event fails."};
  PeerOptions peer_;
  std::vector<pid_t> processes_;
  std::string allocations_;
  std::string json_file_;
  std::string run_name_;
  BroadcastOptions broadcast_;
  TargetedOptions targeted_;
  std::int64_t seconds_ = 20;
  double interval_ms_ = 0;
  bool is_unthrottled_ = false;
  Run run_;
};

}  // namespace
}  // namespace carillon::bench

int main(int count, char** words) {
  try {
    return carillon::bench::Commands().main(count, words);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "carillon-fanout: %s\n", error.what());
    return 2;
  }
}
