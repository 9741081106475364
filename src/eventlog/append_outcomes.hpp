#pragma once

#include <string_view>

#include "base/result.hpp"
#include "eventlog/event_log.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::eventlog {

// How append calls were answered, and the records of those that succeeded. Written by one thread at a time.
class AppendOutcomes {
 public:
  struct Names {
    std::string_view appends;
    std::string_view records;
  };
  // `where`: labels beside the outcome.
  AppendOutcomes(telemetry::Registry& registry, const Names& names, const telemetry::Labels& where = {});
  void count(const Appended& appended);
  void count(const Error& error);

 private:
  telemetry::Counter &ok_, &conflict_, &full_, &invalid_, &unavailable_;
  telemetry::Counter &accepted_, &duplicate_;
};

}  // namespace carillon::eventlog
