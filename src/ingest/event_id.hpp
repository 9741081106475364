#pragma once

#include <string>

namespace carillon::ingest {

// The id of an event whose producer left the choice to us (protocol 8.1): 128 random bits, so that no two are ever the
// same.
[[nodiscard]] std::string make_event_id();

}  // namespace carillon::ingest
