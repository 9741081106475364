#include "fanout/nats_stream.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace carillon::bench {
namespace {

using Kind = NatsStream::Kind;
using Items = std::vector<std::pair<Kind, std::string>>;

// What comes out when `bytes` arrive in pieces of that size.
Items cut(std::string_view bytes, std::size_t piece_bytes) {
  Items items;
  std::string rest;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece_bytes, bytes.size()))) {
    NatsStream stream(rest, bytes.substr(0, piece_bytes));
    while (const auto item = stream.next()) items.emplace_back(item->kind, item->text);
  }
  return items;
}

TEST(NatsStream, IsTheSameInPiecesOfAnySize) {
  const std::string bytes =
      "INFO {\"max_payload\":1048576}\r\nPONG\r\nMSG bench 1 5\r\nhello\r\nMSG bench 1 reply 4\r\n\r\n\r\n\r\nPING\r\n"
      "MSG bench 1 0\r\n\r\n";
  const Items expected = {{Kind::line, R"(INFO {"max_payload":1048576})"},
                          {Kind::line, "PONG"},
                          {Kind::message, "hello"},
                          {Kind::message, "\r\n\r\n"},
                          {Kind::line, "PING"},
                          {Kind::message, ""}};
  for (std::size_t size = 1; size <= bytes.size(); ++size) EXPECT_EQ(cut(bytes, size), expected) << size;
}

TEST(NatsStream, KeepsWhatIsNotWhole) {
  EXPECT_TRUE(cut("MSG bench 1 5\r\nhello\r", 3).empty());
  EXPECT_TRUE(cut("PIN", 1).empty());
}

TEST(NatsStream, TellsWhatIsBroken) {
  for (const char* bytes : {"MSG bench 1 five\r\nhello\r\n", "MSG bench 1 4\r\nhello\r\n", "MSG bench 1 9999999\r\n",
                            "MSG bench 1 \r\n", "MSG bench 1 5x\r\nhello\r\n"}) {
    const Items items = cut(bytes, 1024);
    ASSERT_EQ(items.size(), 1U) << bytes;
    EXPECT_EQ(items[0].first, Kind::broken) << bytes;
  }
  EXPECT_EQ(cut(std::string(100'000, 'x'), 100'000)[0].first, Kind::broken);
}

}  // namespace
}  // namespace carillon::bench
