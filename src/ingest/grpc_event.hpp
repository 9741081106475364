#pragma once

#include <expected>

#include "base/clock.hpp"
#include "event/event.hpp"
#include "protocol/envelope.hpp"

namespace carillon::v1 {
class Event;
}

namespace carillon::ingest {

// Reads an event of a gRPC call (proto/carillon/v1/events.proto) as the envelope that it stands for, so that it is
// checked as every other and its faults have the same words and pointers. Pure.
[[nodiscard]] std::expected<Event, protocol::EnvelopeFault> parse_grpc_event(const v1::Event& message, WallTime now);

}  // namespace carillon::ingest
