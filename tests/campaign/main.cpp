// carillon-campaign: the publishers and clients of the crash campaign; tests/campaign/run starts it and kills the
// server.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "campaign/campaign.hpp"

namespace carillon::campaign {

namespace {

constexpr std::chrono::seconds kOpenPatience{60};
constexpr std::chrono::seconds kFinishPatience{120};

struct Arguments {
  std::string server, ca_file, secret_file, json_file;
  CampaignOptions options;
  bool order_per_key = false;
};

int run(const Arguments& arguments) {
  const auto target = bench::Target::load(arguments.server, arguments.ca_file, arguments.secret_file);
  if (!target) {
    std::fprintf(stderr, "carillon-campaign: %s\n", target.error().message.c_str());
    return 2;
  }
  Campaign campaign(*target, arguments.options);
  const bool opened = campaign.open(kOpenPatience);
  bool finished = false;
  if (opened) {
    campaign.begin();
    std::puts("begun");
    std::fflush(stdout);
    // The runner says when it has killed enough, or is gone.
    while (std::getchar() != EOF) {
    }
    finished = campaign.finish(kFinishPatience);
  }
  bench::Report report = campaign.report();
  if (!opened) report.fault("not all clients were let in");
  if (opened && !finished) report.fault("not every client got everything, or not every call was answered, in time");
  report.print();
  if (const auto written = report.write_json(arguments.json_file); !written) {
    std::fprintf(stderr, "carillon-campaign: %s\n", written.error().message.c_str());
    return 2;
  }
  return report.is_void() ? 1 : 0;
}

int main(int count, char** words) {
  Arguments arguments;
  CLI::App app(
      "The load of the crash campaign. Publishes until its input ends, and then waits until all is delivered.");
  app.add_option("--server", arguments.server, "HOST:PORT of the server")->required();
  app.add_option("--ca", arguments.ca_file, "PEM file of its authority")->required();
  app.add_option("--secret", arguments.secret_file, "the server's HMAC secret, to make tokens with")->required();
  app.add_option("--json", arguments.json_file, "where to write the figures")->required();
  app.add_option("--users", arguments.options.users, "with one to three clients each")->capture_default_str();
  app.add_option("--publishers", arguments.options.publishers, "of their events")->capture_default_str();
  app.add_option("--rate", arguments.options.events_per_second, "events per second")->capture_default_str();
  app.add_flag("--many-nodes", arguments.options.many_nodes, "several share the address and the log");
  app.add_flag("--order-per-key", arguments.order_per_key, "the log keeps the order of the events of one key");
  app.add_option("--seed", arguments.options.seed, "of everything random")->capture_default_str();
  CLI11_PARSE(app, count, words);
  if (arguments.order_per_key) arguments.options.order = Streams::Order::per_key;
  return run(arguments);
}

}  // namespace
}  // namespace carillon::campaign

int main(int count, char** words) {
  try {
    return carillon::campaign::main(count, words);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "carillon-campaign: %s\n", error.what());
    return 2;
  }
}
