#pragma once

#include <string>

#include "fanout/line.hpp"
#include "fanout/mark.hpp"
#include "fanout/publisher.hpp"

namespace carillon::bench {

// Where nginx has the channel for subscribers, who hear a PlainDialect, and for publishers.
inline constexpr const char* kNchanSubscribe = "/subscribe";
inline constexpr const char* kNchanPublish = "/publish";

// Publishes with HTTP calls on a clear-text port, as many at once as there are events; each must be answered.
class NchanPublisher final : public Publisher {
 public:
  NchanPublisher(Line line, const net::Endpoint& endpoint, Mark mark);

  Result<> publish(std::uint64_t first, std::uint64_t count) override;

 private:
  Line line_;
  const Mark mark_;
  const std::string head_;  // of every call
  std::string received_;
};

}  // namespace carillon::bench
