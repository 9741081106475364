// Any bytes as a client's message (protocol 3): no crash, and a refusal always has one of its codes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/ensure.hpp"
#include "protocol/client_message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto message = carillon::protocol::parse_client_message(text);
  if (message) return 0;
  const std::string_view code = message.error().code;
  carillon::ensure(code == "not_json" || code == "bad_shape" || code == "unknown_type", "a code of protocol 4.4");
  carillon::ensure(!message.error().message.empty(), "a refusal says why");
  return 0;
}
