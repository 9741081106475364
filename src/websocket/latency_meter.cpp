#include "websocket/latency_meter.hpp"

#include <string>

#include "protocol/server_message.hpp"

namespace carillon::websocket {

LatencyMeter::LatencyMeter(telemetry::Registry& metrics) {
  for (std::size_t i = 0; i < kEventKinds; ++i) {
    const auto kind = static_cast<EventKind>(i);
    const telemetry::Labels labels{{"event", std::string(to_string(kind))}};
    const milliseconds limit = protocol::lateness_limit(kind);
    written_.at(i) = {&metrics.histogram("carillon_accept_write_seconds",
                                         "from the log's acceptance of an event to its write to a client", labels),
                      &metrics.counter("carillon_accept_write_beyond_limit_total",
                                       "deliveries written later than their limit after acceptance", labels),
                      limit};
    received_.at(i) = {&metrics.histogram("carillon_write_receipt_seconds",
                                          "from the write of an event to a client to the client's receipt", labels),
                       &metrics.counter("carillon_write_receipt_beyond_limit_total",
                                        "receipts that came later than their limit after the write", labels),
                       limit};
  }
}

}  // namespace carillon::websocket
