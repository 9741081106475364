#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "eventlog/jetstream_link.hpp"

// What is asked of JetStream about its streams.
namespace carillon::eventlog::jetstream {

// A stream as it is now.
struct Stream {
  std::uint64_t before_first = 0;  // of the records that are still there and those behind them none is missing
  std::uint64_t last = 0;
  std::uint64_t first = 0;
  std::uint64_t deleted = 0;  // records missing in its middle
  std::string created;
};

// Reads an answer to STREAM.INFO.
[[nodiscard]] Stream stream_in(const json::Value& info);

// What both sides do first: sees to it that the stream of the log and that of the notes are there and fit. Returns what
// the server says about that of the log.
[[nodiscard]] Result<json::Document> prepare_streams(const Target& target, const Link& link);

// The record before which every other came earlier than `time`, or the last one; asked of a consumer that reads
// nothing.
[[nodiscard]] Result<std::uint64_t> sequence_before(const Link& link, const std::string& stream, WallTime time);

}  // namespace carillon::eventlog::jetstream
