#include "ingest/event_id.hpp"

#include <openssl/rand.h>

#include <array>

#include "base/ensure.hpp"

namespace carillon::ingest {

std::string make_event_id() {
  std::array<unsigned char, 16> bytes{};
  ensure(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1, "the system gives random bytes");
  std::string id = "c-";
  for (const unsigned char byte : bytes) {
    id.push_back("0123456789abcdef"[byte >> 4]);
    id.push_back("0123456789abcdef"[byte & 15]);
  }
  return id;
}

}  // namespace carillon::ingest
