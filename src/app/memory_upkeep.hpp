#pragma once

#include <cstdint>

#include "app/poll.hpp"
#include "runtime/credit.hpp"
#include "runtime/loop.hpp"

namespace carillon::app {

// Gives memory back to the system after many connections have gone. The allocator keeps what they used: a thousand
// handshakes that came to nothing would be carried for ever. Belongs to the loop's thread.
class MemoryUpkeep {
 public:
  // `connections` has one taken for each that is open; outlives this.
  MemoryUpkeep(runtime::Loop& loop, const runtime::Credit& connections);

 private:
  void look();

  const runtime::Credit& connections_;
  std::uint64_t gone_ = 0;  // when memory was last given back
  Poll poll_;
};

}  // namespace carillon::app
