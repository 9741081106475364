#pragma once

#include <memory>

#include "fanout/line.hpp"
#include "fanout/mark.hpp"
#include "fanout/publisher.hpp"

namespace carillon::bench {

// Tells carillon-floor at its control port what to send; its subscribers hear a PlainDialect.
class FloorPublisher final : public Publisher {
 public:
  FloorPublisher(Line line, Mark mark) : line_(std::move(line)), mark_(std::move(mark)) {}

  // The events in one block: one write to each client.
  Result<> publish(std::uint64_t first, std::uint64_t count) override;

 private:
  Line line_;
  const Mark mark_;
};

}  // namespace carillon::bench
