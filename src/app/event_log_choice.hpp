#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "config/config.hpp"
#include "event/position.hpp"
#include "eventlog/event_log.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::app {

// What a log tells the process, at most once, on a thread of its own.
struct LogTrouble {
  std::move_only_function<void(const Error&)> on_fatal;  // it cannot be used any more
  std::move_only_function<void(GapReason)> on_gap;       // what this node follows does not go on: begin anew
};

// The log that `[log]` of the configuration chooses; not started. Fails where a file cannot be read or a URL is none.
[[nodiscard]] Result<std::unique_ptr<eventlog::EventLog>> make_event_log(const config::Config& config,
                                                                         LogTrouble trouble, const Clock& clock,
                                                                         telemetry::Registry& metrics);
// For people, without secrets.
[[nodiscard]] std::string event_log_name(const config::Config& config);

}  // namespace carillon::app
