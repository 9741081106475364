#pragma once

#include <memory>
#include <string>
#include <vector>

#include "auth/verifier.hpp"
#include "eventlog/event_log.hpp"
#include "net/http_server.hpp"
#include "runtime/loop.hpp"

namespace carillon::ingest {

// Where an operator looks at dead letters and replays them, with the grant `admin`. One per shard; shard-confined.
//
// GET /v1/dead-letters?limit=N  (1 to 1000, default 100; newest first)
//   {"dead_letters":[{"position":P,"at":T,"reason":R,"detail":D,"record":TEXT}]}
// POST /v1/dead-letters/replay  {"positions":[P, ...]}  (1 to 1000)
//   {"replayed":n,"refused":[{"position":P,"reason":R}]}
// A replay checks the record again and appends it as a new event; what is still refused stays where it is.
class DeadLetterDesk {
 public:
  DeadLetterDesk(runtime::Loop& loop, eventlog::EventLog& log, std::shared_ptr<const auth::Verifier> verifier);

  [[nodiscard]] net::Route list_route();
  [[nodiscard]] net::Route replay_route();

 private:
  class Replay;

  [[nodiscard]] bool admits(const net::HttpRequest& request, const net::Responder& responder) const;
  void list(const net::HttpRequest& request, const net::Responder& responder);
  void replay(const net::HttpRequest& request, const net::Responder& responder);

  runtime::Loop& loop_;
  eventlog::EventLog& log_;
  std::shared_ptr<const auth::Verifier> verifier_;
};

}  // namespace carillon::ingest
