#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "net/http_server.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::admin {

// What a node knows of itself beside its metrics, now.
struct NodeFacts {
  std::string_view version;
  WallTime at;
  std::chrono::seconds uptime;
  std::string obstacle;  // why it should not be sent new clients; empty when it should
  std::string_view log_kind;
  bool log_is_writable = false;
};

// Called by any thread.
using Facts = std::function<NodeFacts()>;

// One object that says how a node does (contract/schemas/stats.schema.json), counted since it started.
[[nodiscard]] std::string encode_stats(const telemetry::Registry& metrics, const NodeFacts& facts);

// Nothing: whoever asks by this head may see it.
using Refusal = std::function<std::optional<net::HttpResponse>(const net::HttpHead& head)>;
[[nodiscard]] inline std::optional<net::HttpResponse> open_to_all(const net::HttpHead&) {
  return std::nullopt;
}

// GET `path`: that object, or the refusal. `metrics` outlives the route.
[[nodiscard]] net::Route stats_route(std::string path, const telemetry::Registry& metrics, Facts facts,
                                     Refusal refusal);

}  // namespace carillon::admin
