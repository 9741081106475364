#pragma once

#include "base/json.hpp"
#include "event/event.hpp"
#include "protocol/field.hpp"

namespace carillon::protocol {

// Checks the payload of an event of this kind against its table in protocol 5. Members that no table knows are not
// looked at. The pointer of a fault starts at the payload.
[[nodiscard]] MaybeFault check_payload(EventKind kind, const json::Value& payload);

}  // namespace carillon::protocol
