#include "simulation/server_frame.hpp"

#include <charconv>

namespace carillon::simulation {

namespace {

constexpr std::string_view kHead = R"({"type":")";

// What is left of a text that is read from its begin.
class Rest {
 public:
  explicit Rest(std::string_view text) : text_(text) {}
  bool take(std::string_view literal) {
    if (!text_.starts_with(literal)) return false;
    text_.remove_prefix(literal.size());
    return true;
  }
  // Up to the next quote, which is taken too.
  bool word(std::string_view& out) {
    const std::size_t quote = text_.find('"');
    if (quote == std::string_view::npos) return false;
    out = text_.substr(0, quote);
    text_.remove_prefix(quote + 1);
    return true;
  }
  bool number(std::uint64_t& out) {
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), out);
    if (error != std::errc()) return false;
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return true;
  }
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

struct Head {
  std::string_view type, event, timestamp;
};

bool read_head(Rest& rest, Head& head) {
  return rest.take(kHead) && rest.word(head.type) && rest.take(R"(,"event":")") && rest.word(head.event) &&
         rest.take(R"(,"timestamp":")") && rest.word(head.timestamp);
}

ServerFrame read_notification(Rest rest, const Head& head) {
  NotificationFrame found{.event = head.event, .timestamp = head.timestamp};
  if (!rest.take(R"(,"id":")") || !rest.word(found.id)) return UnreadableFrame{};
  found.is_replayed = rest.take(R"(,"replayed":true)");
  found.is_snapshot = rest.take(R"(,"snapshot":true)");
  found.is_late = rest.take(R"(,"late":true)");
  if (!rest.take(R"(,"payload":)") || !rest.text().ends_with('}')) return UnreadableFrame{};
  found.payload = rest.text().substr(0, rest.text().size() - 1);
  return found;
}

ServerFrame read_auth_ok(const Rest& rest) {
  const std::string_view text = rest.text();
  AuthOkFrame found;
  constexpr std::string_view kUser = R"(,"user_id":")", kResume = R"(,"resume":{)";
  const std::size_t user = text.find(kUser);
  if (user == std::string_view::npos) return UnreadableFrame{};
  Rest at_user(text.substr(user + kUser.size()));
  if (!at_user.word(found.user)) return UnreadableFrame{};
  const std::size_t resume = text.find(kResume);
  if (resume == std::string_view::npos) return found;
  Rest answer(text.substr(resume + kResume.size()));
  found.resume.emplace();
  std::string_view requested;
  if (answer.take(R"("requested":")")) {
    if (!answer.word(requested) || !answer.take(",")) return UnreadableFrame{};
    found.resume->requested = requested;
  }
  if (answer.take(R"("complete":false,"reason":")")) {
    if (!answer.word(found.resume->reason) || found.resume->reason.empty()) return UnreadableFrame{};
  } else if (!answer.take(R"("complete":true)")) {
    return UnreadableFrame{};
  }
  if (answer.text() != "}}}") return UnreadableFrame{};
  return found;
}

ServerFrame read_live(Rest rest) {
  LiveFrame found;
  const bool is_read = rest.take(R"(,"payload":{"position":")") && rest.word(found.position) &&
                       rest.take(R"(,"replayed":)") && rest.number(found.replayed) && rest.text() == "}}";
  if (!is_read) return UnreadableFrame{};
  return found;
}

ServerFrame read_ping(Rest rest) {
  PingFrame found;
  const bool is_read = rest.take(R"(,"payload":{"position":")") && rest.word(found.position) &&
                       rest.take(R"(,"delivered":)") && rest.number(found.delivered) && rest.text() == "}}";
  if (!is_read) return UnreadableFrame{};
  return found;
}

ServerFrame read_text(std::string_view text) {
  Rest rest(text);
  Head head;
  if (!read_head(rest, head)) return UnreadableFrame{};
  if (head.type == "notification") return read_notification(rest, head);
  if (head.type == "heartbeat" && head.event == "ping") return read_ping(rest);
  if (head.type != "ack") return UnreadableFrame{};
  if (head.event == "auth_ok") return read_auth_ok(rest);
  return head.event == "live" ? read_live(rest) : UnreadableFrame{};
}

struct Header {
  std::size_t size = 0;
  std::uint64_t payload = 0;
};

std::optional<Header> read_header(std::string_view bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const auto first = static_cast<unsigned char>(bytes[1]);
  const std::size_t more = first < 126 ? 0 : first == 126 ? 2 : 8;
  if (bytes.size() < 2 + more) return std::nullopt;
  std::uint64_t payload = more == 0 ? first : 0;
  for (const char byte : bytes.substr(2, more)) payload = payload << 8 | static_cast<unsigned char>(byte);
  return Header{.size = 2 + more, .payload = payload};
}

}  // namespace

std::optional<std::size_t> frame_size(std::string_view bytes) {
  const auto header = read_header(bytes);
  if (!header || bytes.size() - header->size < header->payload) return std::nullopt;
  return header->size + header->payload;
}

ServerFrame read_frame(std::string_view frame) {
  const std::string_view payload = frame.substr(read_header(frame)->size);
  const auto first = static_cast<unsigned char>(frame[0]);
  if (first == 0x81) return read_text(payload);
  if (first != 0x88 || payload.size() < 2) return UnreadableFrame{};
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(payload[at]); };
  return CloseFrame{.code = static_cast<std::uint16_t>(byte(0) << 8 | byte(1))};
}

std::string describe(const ServerFrame& frame) {
  if (const auto* const got = std::get_if<NotificationFrame>(&frame))
    return std::string(got->event) + " " + std::string(got->id) + (got->is_replayed ? ", replayed" : "") +
           (got->is_snapshot ? ", of the snapshot" : "") + (got->is_late ? ", late" : "");
  if (const auto* const ok = std::get_if<AuthOkFrame>(&frame)) {
    if (!ok->resume) return "auth_ok";
    return "auth_ok, " + (ok->resume->reason.empty() ? "complete" : std::string(ok->resume->reason));
  }
  if (const auto* const live = std::get_if<LiveFrame>(&frame))
    return "live at " + std::string(live->position) + " after " + std::to_string(live->replayed);
  if (const auto* const ping = std::get_if<PingFrame>(&frame))
    return "a heartbeat at " + std::string(ping->position) + ", " + std::to_string(ping->delivered) + " delivered";
  if (const auto* const close = std::get_if<CloseFrame>(&frame)) return "a close, " + std::to_string(close->code);
  return "what it cannot read";
}

std::vector<std::string> split_frames(std::string_view bytes) {
  std::vector<std::string> frames;
  while (const auto size = frame_size(bytes)) {
    frames.emplace_back(bytes.substr(0, *size));
    bytes.remove_prefix(*size);
  }
  return frames;
}

}  // namespace carillon::simulation
