#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/envelope_line.hpp"
#include "app/http_reply.hpp"
#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace carillon::app {

// Brings lines of envelopes through POST /v1/events: all that are valid get in, each refused one is told of, and what
// may work later is tried again with the same ids (protocol 8.5).
class Publisher {
 public:
  // What it needs of the world. All outlive it.
  struct World {
    std::function<Result<HttpReply>(std::string_view lines)> call;  // one POST of application/x-ndjson
    std::function<bool(milliseconds)> wait;                         // false: the user interrupted
    std::function<void(const std::string&)> tell;                   // one line for people
  };
  struct Tally {
    std::uint64_t accepted = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t refused = 0;
  };

  // One call holds at most this (the server's bounds are 1000 and 1 MiB).
  static constexpr std::size_t kBatchLinesMax = 500;
  static constexpr std::size_t kBatchBytesMax = 900 * 1024;
  // How long one batch is tried again before it is given up.
  static constexpr milliseconds kPatience = std::chrono::minutes{5};

  Publisher(World world, std::uint64_t seed) : world_(std::move(world)), backoff_({}, seed) {}

  // An error means that going on is of no use, and that the batch, or a part of it, did not get in. A server that
  // cannot be reached at the first try is not waited for.
  [[nodiscard]] Result<> publish(std::vector<EnvelopeLine> batch);
  void refuse(std::uint64_t line_number, std::string_view why);
  [[nodiscard]] const Tally& tally() const { return tally_; }

 private:
  [[nodiscard]] Result<HttpReply> call_until_answered(std::string_view lines);
  [[nodiscard]] bool count_accepted(const HttpReply& reply);
  // Takes out of the batch what the answer names; false when it names nothing in it.
  [[nodiscard]] bool drop_refused(std::vector<EnvelopeLine>& batch, const HttpReply& reply);
  [[nodiscard]] Result<> publish_halves(std::vector<EnvelopeLine> batch, const HttpReply& reply);

  World world_;
  Backoff backoff_;
  Tally tally_;
  bool has_reached_server_ = false;
};

}  // namespace carillon::app
