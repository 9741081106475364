#include <iostream>
#include <variant>

#include "app/command_line.hpp"
#include "app/serve_command.hpp"
#include "app/version.hpp"

namespace carillon::app {
namespace {

struct Run {
  int operator()(const ServeCommand& command) const { return run(command); }
  int operator()(const VersionCommand&) const {
    std::cout << "carillon " << version() << "\n";
    return kExitOk;
  }
  int operator()(const auto&) const { return kExitFailed; }
};

}  // namespace
}  // namespace carillon::app

int main(int argc, char** argv) {
  using namespace carillon::app;
  const auto command = parse_command_line({argv + 1, argv + argc});
  if (command) return std::visit(Run{}, *command);
  (command.error().exit_code == kExitOk ? std::cout : std::cerr) << command.error().text;
  return command.error().exit_code;
}
