#pragma once

#include <expected>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "event/event.hpp"
#include "net/http_server.hpp"

namespace carillon::ingest {

// Reads the body of POST /v1/events: one envelope, an array, or lines (protocol 8.5). All or nothing: a refusal is 415
// (content type), 400 (no JSON at all), 413 (too many) or 422, which names every bad item by index and pointer.
// Events without an id get one. Pure, but for the randomness of the ids.
[[nodiscard]] std::expected<std::vector<Event>, net::HttpResponse> parse_publish_request(
    const net::HttpRequest& request, WallTime now);

}  // namespace carillon::ingest
