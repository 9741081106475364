#pragma once

#include "fanout/dialect.hpp"
#include "fanout/event_calls.hpp"
#include "fanout/mark.hpp"
#include "fanout/message.hpp"
#include "fanout/publisher.hpp"
#include "load/target.hpp"

namespace carillon::bench {

// Every subscriber is a user of its own, without a snapshot (protocol 2.2a, 6.3).
class CarillonDialect final : public Dialect {
 public:
  // `target` outlives it. Client 0 is the user of that number.
  explicit CarillonDialect(const Target& target, std::uint32_t first_user = 0)
      : target_(target), first_user_(first_user) {}

  [[nodiscard]] Entrance entrance(std::uint32_t client) const override;
  void begin(Ear&) const override {}
  void hear(const ServerFrames::Frame& frame, std::string& rest, Ear& ear) const override;

 private:
  const Target& target_;
  const std::uint32_t first_user_;
};

// Publishes alerts with as many calls as it takes.
class CarillonPublisher final : public Publisher {
 public:
  CarillonPublisher(EventCalls calls, Mark mark)
      : calls_(std::move(calls)), mark_(std::move(mark)), envelope_bytes_(kMessageBytes) {}

  Result<> publish(std::uint64_t first, std::uint64_t count) override;
  void learn_size(std::uint64_t number, std::size_t bytes) override;

 private:
  [[nodiscard]] std::string envelope(std::uint64_t number) const;

  EventCalls calls_;
  const Mark mark_;
  std::size_t envelope_bytes_;  // and a digit of the number more
};

}  // namespace carillon::bench
