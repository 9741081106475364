#pragma once

#include <chrono>

namespace carillon::eventlog {

// Calls until the call succeeds, for half a minute: for what a busy machine, or a broker that has just come up, may
// refuse at first. Gives the last result.
template <class Call>
auto insist(Call call) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  auto result = call();
  while (!result && std::chrono::steady_clock::now() < give_up) result = call();
  return result;
}

}  // namespace carillon::eventlog
