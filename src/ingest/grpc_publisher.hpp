#pragma once

#include <filesystem>
#include <memory>

#include "auth/verifier.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "eventlog/event_log.hpp"
#include "net/address.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::ingest {

// Publishing over gRPC (protocol 8.6): carillon.v1.EventService on a listener of its own, TLS always. Checks the caller
// and every event, appends, and answers when the log holds them durably. One for the process.
//
// Calls arrive on gRPC's threads, which check them and read the next event of a stream at once; what becomes of them is
// kept in order by the publisher's own thread, `grpc`. A stream has about 1 MiB of events under way: beyond that it is
// not read, until its first ones are answered and the client has taken the answers.
class GrpcPublisher {
 public:
  struct Options {
    net::Endpoint listen;
    std::filesystem::path certificate;  // PEM chain, leaf first; read again when it changes
    std::filesystem::path private_key;  // PEM
    bool allow_tls12 = false;
    bool reuse_port = false;    // SO_REUSEPORT
    bool reflection = false;    // says what services there are, to anybody; for development
    milliseconds token_leeway;  // a stream ends so long after its token's expiry
  };

  // Whether this build has gRPC; without it start() fails.
  static const bool kIsBuilt;

  // `log`, `clock` and `metrics` outlive the publisher.
  GrpcPublisher(Options options, eventlog::EventLog& log, std::shared_ptr<const auth::Verifier> verifier,
                const Clock& clock, telemetry::Registry& metrics);
  ~GrpcPublisher();
  GrpcPublisher(const GrpcPublisher&) = delete;
  GrpcPublisher& operator=(const GrpcPublisher&) = delete;

  // Binds the port and takes calls. Fails with a sentence when the port is taken.
  [[nodiscard]] Result<> start();
  // Takes no more calls and ends those under way, after answering what the log has answered; to be called once the log
  // has stopped. Waits at most 2 s for clients to take their answers. Idempotent.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace carillon::ingest
