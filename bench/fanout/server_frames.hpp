#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/text_frame.hpp"

namespace carillon::bench {

// Cuts what a server sends into frames (RFC 6455 5.2), from pieces of any size, and copies only what a piece leaves
// unfinished. Looks at no more than it must: the receivers of a load share the machine with the server.
class ServerFrames {
 public:
  static constexpr std::uint64_t kPayloadBytesMax = 1024 * 1024;

  struct Frame {
    protocol::Opcode opcode;
    bool is_last;  // of its message
    std::string_view payload;
  };

  // What `take` is called with is valid during the call. False when the bytes are no frames of a server; then nothing
  // more must be fed.
  template <class Take>
  [[nodiscard]] bool feed(std::string_view piece, const Take& take) {
    const bool has_rest = !rest_.empty();
    std::string_view left = has_rest ? std::string_view(rest_.append(piece)) : piece;
    while (const auto frame = cut(left)) take(*frame);
    if (is_broken_) return false;
    has_rest ? void(rest_.erase(0, rest_.size() - left.size())) : void(rest_.assign(left));
    return true;
  }

 private:
  // Takes a whole frame off the front, when one is there.
  std::optional<Frame> cut(std::string_view& left);

  std::string rest_;
  bool is_broken_ = false;
};

}  // namespace carillon::bench
