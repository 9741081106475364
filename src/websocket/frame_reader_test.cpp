#include "websocket/frame_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iomanip>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace carillon::websocket {

using protocol::CloseCode;
using protocol::Opcode;
using Kind = FrameReader::Kind;
using Peer = FrameReader::Peer;

namespace {

// An item with its own text.
struct Seen {
  Kind kind = Kind::need_more;
  std::string data;
  unsigned code = 0;

  bool operator==(const Seen&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  static constexpr std::array kNames = {"need_more", "message", "ping", "pong", "close", "fault"};
  return out << kNames.at(static_cast<std::size_t>(seen.kind)) << '(' << seen.code << ") " << std::quoted(seen.data);
}

Seen message(std::string text) {
  return {Kind::message, std::move(text)};
}
Seen ping(std::string data) {
  return {Kind::ping, std::move(data)};
}
Seen pong(std::string data) {
  return {Kind::pong, std::move(data)};
}
Seen close(unsigned code, std::string reason = {}) {
  return {Kind::close, std::move(reason), code};
}
Seen fault(CloseCode code) {
  return {Kind::fault, {}, static_cast<unsigned>(code)};
}

// "81 02 4869": the bytes of hexadecimal digits.
std::string wire(std::string_view digits) {
  std::string bytes, pair;
  for (const char c : digits) {
    if (c == ' ') continue;
    pair.push_back(c);
    if (pair.size() < 2) continue;
    bytes.push_back(static_cast<char>(std::stoi(pair, nullptr, 16)));
    pair.clear();
  }
  return bytes;
}

// A connection that is fed in pieces; what it says stays the same however the bytes were cut.
class Reading {
 public:
  explicit Reading(Peer peer, FrameReader::Limits limits = {}) : reader_(peer, limits) {}

  Reading& feed(std::string_view piece) {
    while (!ended_) {
      const auto item = reader_.next(piece);
      if (item.kind == Kind::need_more) break;
      seen_.push_back({item.kind, std::string(item.data), item.code});
      ended_ = item.kind == Kind::close || item.kind == Kind::fault;
      if (item.kind == Kind::fault) EXPECT_FALSE(item.why.empty());
    }
    if (!ended_) EXPECT_TRUE(piece.empty()) << "the reader asked for more and left what it had";
    return *this;
  }
  [[nodiscard]] const std::vector<Seen>& seen() const { return seen_; }
  [[nodiscard]] bool is_mid_message() const { return reader_.is_mid_message(); }

 private:
  FrameReader reader_;
  std::vector<Seen> seen_;
  bool ended_ = false;
};

std::vector<Seen> read(Peer peer, std::string_view bytes, FrameReader::Limits limits = {}) {
  return Reading(peer, limits).feed(bytes).seen();
}

// Whole, cut in two at every byte, and byte by byte.
void expect_read(Peer peer, const std::string& bytes, const std::vector<Seen>& items, FrameReader::Limits limits = {}) {
  EXPECT_EQ(read(peer, bytes, limits), items);
  const std::string_view all = bytes;
  for (std::size_t cut = 1; cut < bytes.size(); ++cut)
    ASSERT_EQ(Reading(peer, limits).feed(all.substr(0, cut)).feed(all.substr(cut)).seen(), items) << "cut at " << cut;
  Reading bytewise(peer, limits);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytewise.feed(all.substr(i, 1));
  EXPECT_EQ(bytewise.seen(), items);
}

// `bytes` end with the first one that shows the fault: nothing is refused before it, and nothing else is waited for.
void expect_refused(Peer peer, const std::string& bytes, CloseCode code, FrameReader::Limits limits = {}) {
  SCOPED_TRACE(::testing::PrintToString(bytes));
  ASSERT_FALSE(bytes.empty());
  Reading reading(peer, limits);
  reading.feed(std::string_view(bytes).substr(0, bytes.size() - 1));
  EXPECT_TRUE(reading.seen().empty() || reading.seen().back().kind != Kind::fault) << "refused too early";
  reading.feed(std::string_view(bytes).substr(bytes.size() - 1));
  ASSERT_FALSE(reading.seen().empty());
  EXPECT_EQ(reading.seen().back(), fault(code));
  EXPECT_EQ(read(peer, bytes + "whatever follows", limits).back(), fault(code));
}

constexpr auto kClient = Peer::client;
constexpr auto kServer = Peer::server;
constexpr auto kProtocolError = CloseCode::protocol_error;

// RFC 6455 5.7
TEST(FrameReader, ReadsTheExamplesOfTheRfc) {
  expect_read(kServer, wire("81 05 48656c6c6f"), {message("Hello")});
  expect_read(kClient, wire("81 85 37fa213d 7f9f4d5158"), {message("Hello")});
  expect_read(kServer, wire("01 03 48656c 80 02 6c6f"), {message("Hello")});
  expect_read(kServer, wire("89 05 48656c6c6f"), {ping("Hello")});
  expect_read(kClient, wire("8a 85 37fa213d 7f9f4d5158"), {pong("Hello")});
}

TEST(FrameReader, ReadsEverySplitOfAFragmentedMessageWithAPingInside) {
  const auto all_splits = [](Peer peer, const std::string& bytes, const std::vector<Seen>& items) {
    const std::size_t cuts = bytes.size() - 1;
    for (std::size_t set = 0; set < (std::size_t{1} << cuts); ++set) {
      Reading reading(peer);
      std::size_t begin = 0;
      for (std::size_t i = 0; i <= cuts; ++i) {
        if (i < cuts && (set >> i & 1U) == 0) continue;
        reading.feed(std::string_view(bytes).substr(begin, i + 1 - begin));
        begin = i + 1;
      }
      ASSERT_EQ(reading.seen(), items) << "cut set " << set;
    }
  };
  all_splits(kServer, wire("01 02 48c3 89 01 21 80 02 a96c"), {ping("!"), message("H\xC3\xA9l")});
  all_splits(kClient, wire("01 81 00000000 c3 80 81 01010101 a8"), {message("\xC3\xA9")});
}

TEST(FrameReader, ReadsEveryLengthForm) {
  const std::string edge_bytes[] = {std::string(125, 'a'), std::string(126, 'b'), std::string(65535, 'c'),
                                    std::string(65536, 'd')};
  const std::string headers[] = {wire("81 7d"), wire("81 7e 007e"), wire("81 7e ffff"), wire("81 7f 0000000000010000")};
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(read(kServer, headers[i] + edge_bytes[i] + wire("81 00"), {.message_bytes_max = 65536}),
              (std::vector{message(edge_bytes[i]), message("")}));
  EXPECT_EQ(read(kServer, wire("89 7d") + edge_bytes[0]), std::vector{ping(edge_bytes[0])});
}

TEST(FrameReader, ReadsEmptyMessagesPingsAndFragments) {
  expect_read(kClient, wire("81 80 01020304"), {message("")});
  expect_read(kClient, wire("89 80 01020304 8a 80 01020304"), {ping(""), pong("")});
  expect_read(kServer, wire("01 00 00 00 80 00"), {message("")});
  expect_read(kServer, wire("01 00 00 01 61 00 00 80 00 81 01 62"), {message("a"), message("b")});
}

TEST(FrameReader, ReadsControlFramesBetweenFragmentsAsTheyCome) {
  expect_read(kServer, wire("01 01 61 89 01 31 8a 01 32 00 01 62 89 00 80 01 63 81 01 64"),
              {ping("1"), pong("2"), ping(""), message("abc"), message("d")});
  expect_read(kServer, wire("01 01 61 88 02 03e8"), {close(1000)});
}

TEST(FrameReader, KnowsWhetherAMessageHasBegun) {
  const std::string bytes = wire("01 81 00000000 61 89 80 00000000 80 81 00000000 62");
  Reading reading(kClient);
  EXPECT_FALSE(reading.is_mid_message());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    reading.feed(std::string_view(bytes).substr(i, 1));
    EXPECT_EQ(reading.is_mid_message(), i + 1 < bytes.size()) << i;
  }
  Reading pinged(kServer);
  EXPECT_TRUE(pinged.feed(wire("89 01")).is_mid_message());
  EXPECT_FALSE(pinged.feed("x").is_mid_message());
}

// cases.md D1
TEST(FrameReader, RefusesAClientsUnmaskedFrameWhateverItIs) {
  for (const char* header : {"81 05", "82 05", "88 00", "89 00", "8a 00", "01 01", "02 01"})
    expect_refused(kClient, wire(header), kProtocolError);
  expect_refused(kClient, wire("01 81 00000000 61 80 01"), kProtocolError);
  expect_refused(kClient, wire("00"), kProtocolError);
}

// RFC 6455 5.1
TEST(FrameReader, RefusesAServersMaskedFrame) {
  for (const char* header : {"81 85", "88 80", "89 80", "8a 80"}) expect_refused(kServer, wire(header), kProtocolError);
}

// cases.md D2
TEST(FrameReader, RefusesReservedBits) {
  for (const char* first : {"c1", "a1", "91", "f1", "c9", "a8", "9a"})
    for (const Peer peer : {kClient, kServer}) expect_refused(peer, wire(first), kProtocolError);
  expect_refused(kClient, wire("01 80 00000000 40"), kProtocolError);
}

// cases.md D3, D8: at the first byte, whatever length is declared
TEST(FrameReader, RefusesUnknownOpcodesBeforeTheirLength) {
  for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U})
    for (const unsigned fin : {0x80U, 0U})
      expect_refused(kClient, std::string(1, static_cast<char>(fin | opcode)), kProtocolError);
}

// cases.md D4
TEST(FrameReader, RefusesBinaryMessages) {
  expect_refused(kClient, wire("82 80"), CloseCode::unsupported_data);
  expect_refused(kClient, wire("02 85"), CloseCode::unsupported_data);
  expect_refused(kServer, wire("82 05"), CloseCode::unsupported_data);
}

// cases.md D6: at the header, not after the payload
TEST(FrameReader, RefusesATooLargeFrameAtItsHeader) {
  expect_refused(kClient, wire("81 ff 0000000001000000 00000000"), CloseCode::too_large);
  expect_refused(kClient, wire("81 ff 7fffffffffffffff 00000000"), CloseCode::too_large);
  expect_refused(kClient, wire("81 fe 4001 00000000"), CloseCode::too_large);
  EXPECT_EQ(read(kClient, wire("81 fe 4000 00000000") + std::string(16 * 1024, 'x')),
            std::vector{message(std::string(16 * 1024, 'x'))});
}

TEST(FrameReader, CountsTheFragmentsOfAMessageTogether) {
  const FrameReader::Limits four{.message_bytes_max = 4};
  expect_read(kServer, wire("01 02 6161 80 02 6161 81 04 62626262"), {message("aaaa"), message("bbbb")}, four);
  expect_read(kServer, wire("01 04 61616161 00 00 89 02 3131 80 00"), {ping("11"), message("aaaa")}, four);
  expect_refused(kServer, wire("01 02 6161 80 03"), CloseCode::too_large, four);
  expect_refused(kServer, wire("01 04 61616161 80 01"), CloseCode::too_large, four);
  expect_refused(kServer, wire("81 05"), CloseCode::too_large, four);
}

TEST(FrameReader, LeavesControlFramesOutOfTheMessageLimit) {
  const FrameReader::Limits one{.message_bytes_max = 1, .fragments_max = 1};
  expect_read(kServer, wire("81 01 61 89 04 31313131 81 01 62"), {message("a"), ping("1111"), message("b")}, one);
}

// RFC 6455 5.2: the minimal number of bytes; the most significant bit is zero
TEST(FrameReader, RefusesMalformedLengths) {
  expect_refused(kServer, wire("81 7e 007d"), kProtocolError);
  expect_refused(kServer, wire("81 7e 0000"), kProtocolError);
  expect_refused(kServer, wire("81 7f 000000000000ffff"), kProtocolError);
  expect_refused(kServer, wire("81 7f 8000000000000000"), kProtocolError);
  expect_refused(kClient, wire("81 fe 0000 00000000"), kProtocolError);
}

// cases.md D10
TEST(FrameReader, RefusesLongOrFragmentedControlFrames) {
  for (const char* header : {"88 fe", "89 fe", "8a fe", "89 ff"}) expect_refused(kClient, wire(header), kProtocolError);
  for (const char* first : {"08", "09", "0a"}) expect_refused(kClient, wire(first), kProtocolError);
}

// cases.md D11
TEST(FrameReader, RefusesFragmentsOutOfPlace) {
  expect_refused(kServer, wire("80"), kProtocolError);
  expect_refused(kServer, wire("81 00 00"), kProtocolError);
  expect_refused(kServer, wire("01 01 61 81"), kProtocolError);
  expect_refused(kServer, wire("01 01 61 01"), kProtocolError);
  expect_refused(kServer, wire("01 01 61 82"), kProtocolError);
  expect_refused(kServer, wire("01 01 61 80 01 62 80"), kProtocolError);
}

// cases.md D12, D13
TEST(FrameReader, RefusesTheSeventeenthFragment) {
  std::string bytes = wire("01 01 61");
  for (int i = 2; i <= 16; ++i) bytes += wire("89 00 00 01 61");
  expect_refused(kServer, bytes + wire("00"), CloseCode::policy_violation);
  bytes[bytes.size() - 3] = static_cast<char>(0x80);
  EXPECT_EQ(read(kServer, bytes + bytes).back(), message(std::string(16, 'a')));

  std::string endless = wire("01 80 00000000");
  for (int i = 2; i <= 16; ++i) endless += wire("00 80 00000000");
  expect_refused(kClient, endless + wire("00"), CloseCode::policy_violation);
}

// cases.md D17: on the first bad byte
TEST(FrameReader, RefusesInvalidUtf8AtTheByteThatShowsIt) {
  for (const char* text :
       {"ff", "61ff", "6162c0", "c1", "f5", "61e080", "eda0", "f08f", "f490", "c361", "80", "e28228"}) {
    expect_refused(kServer, wire("81 08") + wire(text), CloseCode::invalid_utf8);
    expect_refused(kServer, wire("01 00 00 08") + wire(text), CloseCode::invalid_utf8);
  }
  // The last byte of a full frame, and a bad byte that only a second fragment shows.
  expect_refused(kServer, wire("81 03 6161ff"), CloseCode::invalid_utf8);
  expect_refused(kServer, wire("01 02 61e2 00 01 28"), CloseCode::invalid_utf8);
  expect_refused(kClient, wire("81 82 ffffffff 9e 00"), CloseCode::invalid_utf8);
}

TEST(FrameReader, RefusesATextThatEndsInsideACharacter) {
  for (const char* bytes : {"81 01 c3", "81 03 61e282", "81 03 f09f98", "01 01 e2 80 01 82", "01 01 e2 80 00"})
    expect_refused(kServer, wire(bytes), CloseCode::invalid_utf8);
}

TEST(FrameReader, TakesCharactersCutAnywhere) {
  expect_read(kServer, wire("01 01 f0 00 01 9f 89 01 31 00 00 00 01 98 80 01 80 81 03 e282ac"),
              {ping("1"), message("\xF0\x9F\x98\x80"), message("\xE2\x82\xAC")});
}

TEST(FrameReader, LetsPingsAndPongsCarryAnyBytes) {
  expect_read(kServer, wire("89 04 00ff80c3 8a 02 fffe"), {ping(wire("00ff80c3")), pong(wire("fffe"))});
}

// cases.md D21, D26
TEST(FrameReader, ReadsEveryCloseCodeThatMayBeSent) {
  for (unsigned code = 0; code <= 0xFFFF; ++code) {
    const bool allowed =
        (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code < 5000);
    std::string bytes = wire("88 02");
    bytes.push_back(static_cast<char>(code >> 8));
    bytes.push_back(static_cast<char>(code & 0xFF));
    ASSERT_EQ(read(kServer, bytes), std::vector{allowed ? close(code) : fault(kProtocolError)}) << code;
  }
}

TEST(FrameReader, ReadsCloseFrames) {
  expect_read(kServer, wire("88 00"), {close(1005)});
  expect_read(kClient, wire("88 80 01020304"), {close(1005)});
  expect_read(kClient, wire("88 85 37fa213d 3412 434452"), {close(1000, "bye")});
  EXPECT_EQ(read(kServer, wire("88 7d 03e8") + std::string(123, 'r')), std::vector{close(1000, std::string(123, 'r'))});
  expect_refused(kServer, wire("88 01 03"), kProtocolError);
  expect_refused(kServer, wire("88 03 03e8 ff"), CloseCode::invalid_utf8);
  expect_refused(kServer, wire("88 03 03e8 c3"), CloseCode::invalid_utf8);
}

// cases.md D25
TEST(FrameReader, UnmasksWithAnyKeyAndReadsWhatLooksLikeHttpAsText) {
  const std::string http = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const std::array<std::uint8_t, 4> key :
       {std::array<std::uint8_t, 4>{0, 0, 0, 0}, {0xFF, 0xFF, 0xFF, 0xFF}, {0x47, 0x45, 0x54, 0x20}, {1, 2, 3, 4}}) {
    std::string bytes;
    append_masked_frame(bytes, Opcode::text, http, key);
    append_masked_frame(bytes, Opcode::ping, "abcde", key);
    expect_read(kClient, bytes, {message(http), ping("abcde")});
  }
}

TEST(FrameWriter, MasksAsTheRfcDoes) {
  std::string out = "before";
  append_masked_frame(out, Opcode::text, "Hello", {0x37, 0xFA, 0x21, 0x3D});
  EXPECT_EQ(out, "before" + wire("81 85 37fa213d 7f9f4d5158"));
  out.clear();
  append_masked_frame(out, Opcode::pong, "", {1, 2, 3, 4});
  EXPECT_EQ(out, wire("8a 80 01020304"));
  out.clear();
  append_masked_frame(out, Opcode::text, std::string(126, '\0'), {0, 0, 0, 0});
  EXPECT_EQ(out, wire("81 fe 007e 00000000") + std::string(126, '\0'));
}

TEST(FrameWriter, WritesCloseFrames) {
  std::string out;
  append_close_frame(out, CloseCode::bad_token, "no");
  EXPECT_EQ(out, wire("88 04 1131 6e6f"));
  out.clear();
  append_close_frame(out, CloseCode::normal, std::string(123, 'r'));
  EXPECT_EQ(read(kServer, out), std::vector{close(1000, std::string(123, 'r'))});
}

// Any messages, fragmented, interleaved with control frames and cut at random, come out as they went in.
class Conversation {
 public:
  explicit Conversation(unsigned seed) : random_(seed), peer_(seed % 2 == 0 ? kClient : kServer) {}

  void expect_round_trip() {
    for (unsigned i = 0; i < 8; ++i) below(3) == 0 ? say_control() : say_message();
    Reading reading(peer_);
    for (std::string_view left = bytes_; !left.empty();) {
      const std::size_t size = std::min<std::size_t>(left.size(), 1 + below(below(2) == 0 ? 3 : 3000));
      reading.feed(left.substr(0, size));
      left.remove_prefix(size);
    }
    EXPECT_EQ(reading.seen(), said_);
    EXPECT_FALSE(reading.is_mid_message());
  }

 private:
  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }

  std::string any_text() {
    static constexpr std::array kPieces = {"a", "\"", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\x9F\xBF"};
    std::string text;
    for (unsigned left = below(4) == 0 ? below(3000) : below(200); left > 0; --left) text += kPieces.at(below(6));
    return text;
  }

  void append(Opcode opcode, std::string_view payload, bool fin) {
    const std::size_t begin = bytes_.size();
    if (peer_ == kServer) {
      protocol::append_frame(bytes_, opcode, payload);
    } else {
      const auto byte = [&] { return static_cast<std::uint8_t>(below(256)); };
      append_masked_frame(bytes_, opcode, payload, {byte(), byte(), byte(), byte()});
    }
    if (!fin) bytes_[begin] = static_cast<char>(static_cast<std::uint8_t>(bytes_[begin]) & 0x7FU);
  }

  void say_control() {
    const bool is_ping = below(2) == 0;
    std::string data(below(126), '\0');
    for (char& c : data) c = static_cast<char>(below(256));
    append(is_ping ? Opcode::ping : Opcode::pong, data, true);
    said_.push_back(is_ping ? ping(data) : pong(data));
  }

  void say_message() {
    const std::string text = any_text();
    std::string_view left = text;
    Opcode opcode = Opcode::text;
    for (unsigned more = below(2) == 0 ? 0 : below(16); more > 0; --more) {
      const std::size_t size = below(static_cast<unsigned>(left.size()) + 1);
      append(std::exchange(opcode, Opcode::continuation), left.substr(0, size), false);
      left.remove_prefix(size);
      if (below(4) == 0) say_control();
    }
    append(opcode, left, true);
    said_.push_back(message(text));
  }

  std::mt19937 random_;
  Peer peer_;
  std::string bytes_;
  std::vector<Seen> said_;
};

TEST(FrameReader, RoundTripsRandomConversations) {
  for (unsigned seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE(seed);
    Conversation(seed).expect_round_trip();
  }
}

}  // namespace
}  // namespace carillon::websocket
