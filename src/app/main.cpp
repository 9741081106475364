#include <iostream>
#include <variant>

#include "app/check_config_command.hpp"
#include "app/command_line.hpp"
#include "app/dead_letters_command.hpp"
#include "app/publish_command.hpp"
#include "app/serve_command.hpp"
#include "app/stats_command.hpp"
#include "app/tail_command.hpp"
#include "app/token_command.hpp"
#include "app/version.hpp"

namespace carillon::app {
namespace {

int run(const VersionCommand&) {
  std::cout << "carillon " << version() << "\n";
  return kExitOk;
}

}  // namespace
}  // namespace carillon::app

int main(int argc, char** argv) {
  using namespace carillon::app;
  const auto command = parse_command_line({argv + 1, argv + argc});
  if (command) return std::visit([](const auto& each) { return run(each); }, *command);
  (command.error().exit_code == kExitOk ? std::cout : std::cerr) << command.error().text;
  return command.error().exit_code;
}
