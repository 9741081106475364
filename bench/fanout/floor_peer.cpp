#include "fanout/floor_peer.hpp"

#include "fanout/block.hpp"
#include "fanout/message.hpp"
#include "protocol/text_frame.hpp"

namespace carillon::bench {

Result<> FloorPublisher::publish(std::uint64_t first, std::uint64_t count) {
  std::string frames, block;
  for (std::uint64_t number = first; number < first + count; ++number)
    protocol::append_text_frame(frames, make_message(mark_, number));
  append_block(block, frames);
  return line_.send(block);
}

}  // namespace carillon::bench
