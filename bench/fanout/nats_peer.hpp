#pragma once

#include <string>

#include "fanout/dialect.hpp"
#include "fanout/line.hpp"
#include "fanout/mark.hpp"
#include "fanout/publisher.hpp"

namespace carillon::bench {

// Every subscriber subscribes to the one subject that is published to.
class NatsDialect final : public Dialect {
 public:
  [[nodiscard]] Entrance entrance(std::uint32_t) const override { return {.path = "/", .fields = {}}; }
  void begin(Ear& ear) const override;
  void hear(const ServerFrames::Frame& frame, std::string& rest, Ear& ear) const override;
};

// Publishes at the server's clear-text port. It confirms nothing: what it did not take, no client gets.
class NatsPublisher final : public Publisher {
 public:
  NatsPublisher(Line line, Mark mark) : line_(std::move(line)), mark_(std::move(mark)) {}

  // Once, before the first event.
  [[nodiscard]] Result<> greet();
  Result<> publish(std::uint64_t first, std::uint64_t count) override;

 private:
  Line line_;
  const Mark mark_;
};

}  // namespace carillon::bench
