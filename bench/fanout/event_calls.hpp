#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "fanout/line.hpp"
#include "load/target.hpp"

namespace carillon::bench {

// POST /v1/events on a connection of its own, one call at a time (protocol 8.5). One thread.
class EventCalls {
 public:
  EventCalls(Line line, const Target& target);

  // A batch of so many events, which must all be new.
  [[nodiscard]] Result<> post(std::string_view batch, std::uint64_t events);

 private:
  Line line_;
  std::string head_;  // of every request, up to the length
  std::string answer_;
};

}  // namespace carillon::bench
