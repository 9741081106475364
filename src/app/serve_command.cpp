#include "app/serve_command.hpp"

#include <iostream>

#include "app/dev_setup.hpp"
#include "app/server.hpp"
#include "app/signals.hpp"
#include "base/clock.hpp"
#include "base/ensure.hpp"
#include "config/config.hpp"
#include "net/tls_memory.hpp"
#include "telemetry/log.hpp"

namespace carillon::app {

namespace {

int refuse(const std::string& why) {
  telemetry::flush_log();
  std::cerr << "carillon: " << why << "\n";
  return kExitFailed;
}

}  // namespace

int run(const ServeCommand& command) {
  ensure(net::TlsMemory::install(), "nothing has used OpenSSL yet");
  std::filesystem::path file = command.config;
  if (file.empty()) {
    auto setup = prepare_dev_setup(command.dev_folder, SystemClock().wall_now());
    if (!setup) return refuse(setup.error().message);
    file = setup->config;
    for (const auto& made : setup->made) std::cerr << "carillon: made " << (command.dev_folder / made).string() << "\n";
  }
  auto config = config::load(file, config::environment_of_process());
  if (!config) {
    for (const auto& fault : config.error()) std::cerr << "carillon: " << fault.to_string() << "\n";
    return kExitFailed;
  }
  config->grpc.reflection = command.config.empty();
  telemetry::configure_log(config->telemetry.log_format, config->telemetry.log_level);
  for (const auto& warning : config->warnings)
    telemetry::log(telemetry::Level::warning, "configuration", {{"warning", warning.to_string()}});

  block_signals();
  while (true) {
    Server server(*config);
    if (auto started = server.start(); !started) return refuse(started.error().message);
    const auto exit_code = server.run();
    if (exit_code && server.begins_anew()) continue;
    telemetry::flush_log();
    return exit_code ? *exit_code : refuse(exit_code.error().message);
  }
}

}  // namespace carillon::app
