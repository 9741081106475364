#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "auth/verifier.hpp"
#include "eventlog/event_log.hpp"
#include "net/http_server.hpp"
#include "runtime/loop.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::ingest {

// POST /v1/events (protocol 8.5): checks the caller and every event, appends, and answers when the log holds them
// durably. Nothing reaches a client by this way but through the log. One per shard; shard-confined.
class RestPublisher {
 public:
  RestPublisher(runtime::Loop& loop, eventlog::EventLog& log, std::shared_ptr<const auth::Verifier> verifier,
                telemetry::Registry& metrics);

  [[nodiscard]] net::Route route();

 private:
  void handle(net::HttpRequest&& request, const net::Responder& responder);
  void answer(const net::Responder& responder, const Result<eventlog::Appended>& result, const std::string& ids);
  void count(std::string_view outcome);

  runtime::Loop& loop_;
  eventlog::EventLog& log_;
  std::shared_ptr<const auth::Verifier> verifier_;
  telemetry::Registry& metrics_;
  telemetry::Counter& events_;
  telemetry::Counter& duplicates_;
  std::unordered_map<std::string, telemetry::Counter*> calls_;  // by outcome
};

}  // namespace carillon::ingest
