#include "app/check_config_command.hpp"

#include <cstdio>

#include "app/complaint.hpp"
#include "auth/key_set.hpp"
#include "config/config.hpp"
#include "net/tls_context.hpp"

namespace carillon::app {

int run(const CheckConfigCommand& command) {
  const auto config = config::load(command.config, config::environment_of_process());
  if (!config) {
    for (const config::ConfigFault& fault : config.error()) complain(fault.to_string());
    return kExitFailed;
  }
  for (const config::ConfigFault& warning : config->warnings) complain("warning: " + warning.to_string());
  int exit_code = kExitOk;
  const auto tls = net::TlsContext::server({.certificate = config->server.certificate,
                                            .private_key = config->server.private_key,
                                            .allow_tls12 = config->server.tls_min_version == config::TlsVersion::v1_2},
                                           net::make_ticket_keys());
  if (!tls) exit_code = complain(tls.error().message);
  if (const auto keys = auth::KeySet::load(config->auth.tokens); !keys) exit_code = complain(keys.error().message);
  if (exit_code == kExitOk) std::printf("%s: good\n", command.config.c_str());
  return exit_code;
}

}  // namespace carillon::app
