// Frames from a hostile peer (websocket/frame_reader.hpp): however the bytes are cut, the same items come out, and what
// comes out keeps to the limits.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ensure.hpp"
#include "base/utf8.hpp"
#include "websocket/frame_reader.hpp"

namespace {

using carillon::ensure;
using carillon::websocket::FrameReader;
using Kind = FrameReader::Kind;

struct Seen {
  Kind kind;
  std::string data;
  std::uint16_t code;

  bool operator==(const Seen&) const = default;
};

// What a run says about itself: the input begins with it.
struct Setup {
  FrameReader::Peer peer = FrameReader::Peer::client;
  FrameReader::Limits limits;
  std::uint32_t cut_seed = 0;
};
constexpr std::size_t kSetupBytes = 4;

Setup read_setup(const std::uint8_t* bytes) {
  Setup setup;
  if ((bytes[0] & 1U) != 0) setup.peer = FrameReader::Peer::server;
  setup.limits.message_bytes_max = (bytes[0] & 2U) != 0 ? bytes[1] : 16 * 1024U;
  setup.limits.fragments_max = (bytes[0] & 4U) != 0 ? 1 + bytes[2] % 16U : 16U;
  setup.cut_seed = bytes[3];
  return setup;
}

void check_item(const FrameReader::Item& item, const FrameReader::Limits& limits) {
  switch (item.kind) {
    case Kind::message:
      ensure(item.data.size() <= limits.message_bytes_max, "a message keeps to the limit");
      ensure(carillon::is_utf8(item.data), "a message is UTF-8");
      break;
    case Kind::ping:
    case Kind::pong:
      ensure(item.data.size() <= 125, "a control frame is short");
      break;
    case Kind::close:
      ensure(item.data.size() <= 123 && carillon::is_utf8(item.data), "a close reason is short UTF-8");
      ensure(item.code >= 1000 && item.code < 5000 && item.code != 1004 && item.code != 1006 && item.code != 1015,
             "a close code may be sent");
      break;
    case Kind::fault:
      ensure(!item.why.empty() && item.code >= 1002 && item.code <= 1009, "a fault says what it is");
      break;
    case Kind::need_more:
      break;
  }
}

class Reading {
 public:
  explicit Reading(const Setup& setup) : limits_(setup.limits), reader_(setup.peer, setup.limits) {}

  void feed(std::string_view piece) {
    while (!ended_) {
      const std::size_t before = piece.size();
      const auto item = reader_.next(piece);
      ensure(piece.size() <= before, "the input shrinks");
      check_item(item, limits_);
      if (item.kind == Kind::need_more) {
        ensure(piece.empty(), "nothing is left when more is needed");
        return;
      }
      seen_.push_back({item.kind, std::string(item.data), item.code});
      ended_ = item.kind == Kind::close || item.kind == Kind::fault;
    }
  }
  [[nodiscard]] bool says_the_same_as(const Reading& other) const {
    return seen_ == other.seen_ && (ended_ || reader_.is_mid_message() == other.reader_.is_mid_message());
  }

 private:
  FrameReader::Limits limits_;
  FrameReader reader_;
  std::vector<Seen> seen_;
  bool ended_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kSetupBytes) return 0;
  const Setup setup = read_setup(data);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + kSetupBytes, size - kSetupBytes);

  Reading whole(setup), bytewise(setup), cut(setup);
  whole.feed(bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytewise.feed(bytes.substr(i, 1));
  std::uint32_t random = setup.cut_seed;
  for (std::string_view left = bytes; !left.empty();) {
    random = random * 1'664'525 + 1'013'904'223;
    const auto piece = left.substr(0, random >> 28);  // none at all, too
    cut.feed(piece);
    left.remove_prefix(piece.size());
  }
  ensure(bytewise.says_the_same_as(whole) && cut.says_the_same_as(whole), "cuts change nothing");
  return 0;
}
