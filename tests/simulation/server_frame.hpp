#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// What a client understands of the bytes that come from a server: frames (RFC 6455 5.2) with messages in them (protocol
// 3). Reads the text as the server writes it and nothing looser.
namespace carillon::simulation {

struct NotificationFrame {
  std::string_view event{}, timestamp{}, id{}, payload{};
  bool is_replayed = false, is_snapshot = false, is_late = false;
};
struct AuthOkFrame {
  struct Resume {
    std::optional<std::string_view> requested;
    std::string_view reason;  // empty: complete
  };
  std::string_view user;
  std::optional<Resume> resume;
};
struct LiveFrame {
  std::string_view position;
  std::uint64_t replayed = 0;
};
struct PingFrame {
  std::string_view position;
  std::uint64_t delivered = 0;
};
struct CloseFrame {
  std::uint16_t code = 0;
};
struct UnreadableFrame {};
using ServerFrame = std::variant<NotificationFrame, AuthOkFrame, LiveFrame, PingFrame, CloseFrame, UnreadableFrame>;

// The size of the frame that begins `bytes`; nothing when it is not all there.
[[nodiscard]] std::optional<std::size_t> frame_size(std::string_view bytes);
// `frame` is whole and outlives the answer.
[[nodiscard]] ServerFrame read_frame(std::string_view frame);
// In a few words, for a person who follows a seed.
[[nodiscard]] std::string describe(const ServerFrame& frame);
// Whole frames, one after the other.
[[nodiscard]] std::vector<std::string> split_frames(std::string_view bytes);

}  // namespace carillon::simulation
