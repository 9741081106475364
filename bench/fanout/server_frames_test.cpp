#include "fanout/server_frames.hpp"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace carillon::bench {
namespace {

using protocol::Opcode;

struct Seen {
  std::vector<std::tuple<Opcode, bool, std::string>> frames;
  bool ok = true;
};

// What comes out when `bytes` arrive in pieces of that size.
Seen cut(std::string_view bytes, std::size_t piece_bytes) {
  Seen seen;
  ServerFrames frames;
  for (; !bytes.empty() && seen.ok; bytes.remove_prefix(std::min(piece_bytes, bytes.size())))
    seen.ok = frames.feed(bytes.substr(0, piece_bytes), [&](const ServerFrames::Frame& frame) {
      seen.frames.emplace_back(frame.opcode, frame.is_last, frame.payload);
    });
  return seen;
}

TEST(ServerFrames, AreTheSameInPiecesOfAnySize) {
  const std::string middle(126, 'm'), large(70'000, 'l');
  std::string bytes;
  protocol::append_text_frame(bytes, "hello");
  protocol::append_frame(bytes, Opcode::binary, middle);
  protocol::append_frame(bytes, Opcode::ping, "");
  bytes += std::string("\x02\x03one", 5);  // to be continued
  protocol::append_frame(bytes, Opcode::continuation, "two");
  protocol::append_text_frame(bytes, large);
  for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, std::size_t{140},
                                 std::size_t{4096}, bytes.size()}) {
    const Seen seen = cut(bytes, size);
    EXPECT_TRUE(seen.ok);
    ASSERT_EQ(seen.frames.size(), 6U) << size;
    EXPECT_EQ(seen.frames[0], std::tuple(Opcode::text, true, "hello"));
    EXPECT_EQ(seen.frames[1], std::tuple(Opcode::binary, true, middle));
    EXPECT_EQ(seen.frames[2], std::tuple(Opcode::ping, true, ""));
    EXPECT_EQ(seen.frames[3], std::tuple(Opcode::binary, false, "one"));
    EXPECT_EQ(seen.frames[4], std::tuple(Opcode::continuation, true, "two"));
    EXPECT_EQ(seen.frames[5], std::tuple(Opcode::text, true, large));
  }
}

TEST(ServerFrames, RefuseWhatNoServerSends) {
  EXPECT_FALSE(cut(std::string("\x81\x85\x00\x00\x00\x00hello", 11), 20).ok) << "masked";
  EXPECT_FALSE(cut("\xC1\x05hello", 20).ok) << "compressed";
  EXPECT_FALSE(cut(std::string("\x81\x7F\x00\x00\x00\x01\x00\x00\x00\x00", 10), 20).ok) << "4 GiB";
}

TEST(ServerFrames, KeepWhatIsNotWhole) {
  const Seen seen = cut("\x81\x05hell", 20);
  EXPECT_TRUE(seen.ok);
  EXPECT_TRUE(seen.frames.empty());
}

}  // namespace
}  // namespace carillon::bench
