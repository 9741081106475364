#pragma once

#include <string>

#include "event/event.hpp"
#include "eventlog/event_log.hpp"
#include "protocol/envelope.hpp"

namespace carillon::ingest {

// A checked event as the log takes it. What is one user's keeps its order in every log.
[[nodiscard]] inline eventlog::Record record_of(const Event& event) {
  return {.id = event.id,
          .bytes = protocol::encode_envelope(event),
          .key = event.user_id.empty() ? std::string(to_string(event.kind)) : event.user_id};
}

}  // namespace carillon::ingest
