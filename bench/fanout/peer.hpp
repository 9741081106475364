#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "fanout/dialect.hpp"
#include "fanout/event_calls.hpp"
#include "fanout/mark.hpp"
#include "fanout/publisher.hpp"
#include "load/target.hpp"

namespace carillon::bench {

struct PeerOptions {
  std::string kind;                // carillon, floor, nats or nchan
  std::string subscribe, publish;  // HOST:PORT
  std::filesystem::path ca;        // of the subscribers' TLS; empty: nothing is checked
  std::filesystem::path secret;    // of carillon's tokens
};

// The server that a load is put on: carillon, or something else that brings the same messages to as many.
class Peer {
 public:
  [[nodiscard]] static Result<Peer> make(const PeerOptions& options);

  [[nodiscard]] const Target& target() const { return *target_; }
  [[nodiscard]] const Dialect& dialect() const { return *dialect_; }
  // Connects; not much before there is something to publish, as servers have little patience with who says nothing. The
  // peer outlives the publisher.
  [[nodiscard]] Result<std::unique_ptr<Publisher>> open_publisher(const Mark& mark) const;
  // The same for calls with other events. Carillon only.
  [[nodiscard]] Result<EventCalls> open_calls() const;

 private:
  enum class Kind : std::uint8_t { carillon, floor, nats, nchan };

  static std::optional<Kind> kind_of(const std::string& name);

  Kind kind_ = Kind::carillon;
  net::Endpoint publish_;
  std::unique_ptr<Target> target_;
  std::unique_ptr<Dialect> dialect_;
};

}  // namespace carillon::bench
