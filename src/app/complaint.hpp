#pragma once

#include <cstdio>
#include <string>

#include "app/command_line.hpp"
#include "app/terminal_text.hpp"

namespace carillon::app {

// Says on standard error why a command failed; the result is its exit code.
inline int complain(const std::string& why) {
  std::fputs(("carillon: " + for_terminal(why) + "\n").c_str(), stderr);
  return kExitFailed;
}

}  // namespace carillon::app
