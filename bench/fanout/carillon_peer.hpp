#pragma once

#include "fanout/dialect.hpp"
#include "fanout/line.hpp"
#include "fanout/mark.hpp"
#include "fanout/publisher.hpp"
#include "load/target.hpp"

namespace carillon::bench {

// Every subscriber is a user of its own, without a snapshot (protocol 2.2a, 6.3).
class CarillonDialect final : public Dialect {
 public:
  explicit CarillonDialect(const Target& target) : target_(target) {}

  [[nodiscard]] Entrance entrance(std::uint32_t client) const override;
  void begin(Ear&) const override {}
  void hear(const ServerFrames::Frame& frame, std::string& rest, Ear& ear) const override;

 private:
  const Target& target_;
};

// Publishes with POST /v1/events, one call at a time.
class CarillonPublisher final : public Publisher {
 public:
  CarillonPublisher(Line line, const Target& target, Mark mark);

  Result<> publish(std::uint64_t first, std::uint64_t count) override;
  void learn_size(std::uint64_t number, std::size_t bytes) override;

 private:
  [[nodiscard]] std::string envelope(std::uint64_t number) const;
  [[nodiscard]] Result<> receive_accepted(std::uint64_t count);

  Line line_;
  const Mark mark_;
  const std::string head_;  // of every request, up to the length
  std::size_t envelope_bytes_;
  std::string received_;
};

}  // namespace carillon::bench
