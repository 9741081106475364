#pragma once

#include <functional>
#include <string>
#include <vector>

#include "net/http_server.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::admin {

// Why a node should not be sent new clients; empty when it should.
using Readiness = std::function<std::string()>;

// What the administrator's loopback port serves: GET /healthz (the process answers), GET /readyz (200, or 503 and the
// reason), GET /metrics (Prometheus text). `metrics` outlives the routes; they run on the serving loop's thread.
[[nodiscard]] std::vector<net::Route> admin_routes(const telemetry::Registry& metrics, Readiness readiness);

}  // namespace carillon::admin
