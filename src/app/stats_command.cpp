#include "app/stats_command.hpp"

#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>

#include "app/admin_port.hpp"
#include "app/complaint.hpp"
#include "app/dev_setup.hpp"
#include "app/node_stats.hpp"
#include "app/node_stats_text.hpp"
#include "base/ensure.hpp"
#include "config/config.hpp"

namespace carillon::app {
namespace {

constexpr const char* kDefaultAdmin = "127.0.0.1:8444";

std::optional<net::Endpoint> admin_of(const std::filesystem::path& file) {
  const auto config = config::load(file, config::environment_of_process());
  if (config) return config->server.admin_listen;
  for (const config::ConfigFault& fault : config.error()) complain(fault.to_string());
  return std::nullopt;
}

// Named, or that of the named configuration, or of the development setup in the working directory, or the default.
// Nothing: a configuration is not good, and it was said why.
std::optional<net::Endpoint> find_admin(const StatsCommand& command) {
  if (!command.config.empty()) return admin_of(command.config);
  const std::filesystem::path setup = std::filesystem::path(kDevFolder) / "carillon.toml";
  std::error_code error;
  if (command.admin.empty() && std::filesystem::exists(setup, error)) return admin_of(setup);
  const auto named = net::Endpoint::parse(command.admin.empty() ? std::string(kDefaultAdmin) : command.admin);
  ensure(named.has_value(), "the command line names an address");
  return *named;
}

struct Answer {
  std::string json;
  NodeStats stats;
};

Result<Answer> stats_of(const net::Endpoint& admin) {
  const Interrupt interrupt;
  const auto stranger = [&](const std::string& why) {
    return fail(ErrorKind::invalid,
                "what answers at " + admin.text() + " is not a server's administrator's port: " + why);
  };
  auto reply = ask_admin_port(admin, "/stats", interrupt);
  if (!reply) return std::unexpected(reply.error());
  if (reply->status != 200) return stranger("/stats is answered by " + reply->refusal());
  auto stats = NodeStats::read(reply->body);
  if (!stats) return stranger(stats.error().message);
  return Answer{std::move(reply->body), std::move(*stats)};
}

}  // namespace

int run(const StatsCommand& command) {
  const auto admin = find_admin(command);
  if (!admin) return kExitFailed;
  const auto answer = stats_of(*admin);
  if (!answer) return complain(answer.error().message);
  const std::string text = command.as_json ? answer->json : node_stats_text(admin->text(), answer->stats);
  return std::puts(text.c_str()) >= 0 && std::fflush(stdout) == 0 ? kExitOk : kExitFailed;
}

}  // namespace carillon::app
