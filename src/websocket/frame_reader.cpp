#include "websocket/frame_reader.hpp"

#include <algorithm>

#include "base/ensure.hpp"

namespace carillon::websocket {

using protocol::CloseCode;
using protocol::Opcode;

namespace {

// Above this an idle connection gives the room of its last message back.
constexpr std::size_t kKeptBytesMax = 256;

FrameReader::Item fault(CloseCode code, std::string_view why) {
  return {.kind = FrameReader::Kind::fault, .data = {}, .code = static_cast<std::uint16_t>(code), .why = why};
}

// RFC 6455 7.4: what may stand in a close frame.
bool is_close_code(unsigned code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace

FrameReader::Item FrameReader::next(std::string_view& input) {
  if (message_done_) {
    message_done_ = false;
    if (message_.capacity() > kKeptBytesMax) message_ = std::string();
    message_.clear();
  }
  for (;;) {
    Item item = in_payload_ ? read_payload(input) : read_header(input);
    if (item.kind != Kind::need_more || input.empty()) {
      // A frame without payload is complete with its header, though no input is left.
      if (item.kind == Kind::need_more && in_payload_ && left_ == 0) item = read_payload(input);
      return item;
    }
  }
}

std::size_t FrameReader::header_size_needed() const {
  if (header_size_ < 2) return 2;
  const unsigned length = header_[1] & 0x7FU;
  const std::size_t length_bytes = length == 126 ? 2U : (length == 127 ? 8U : 0U);
  return 2 + length_bytes + ((header_[1] & 0x80U) != 0 ? 4U : 0U);
}

FrameReader::Item FrameReader::read_header(std::string_view& input) {
  while (header_size_ < header_size_needed()) {
    if (input.empty()) return {};
    header_.at(header_size_++) = static_cast<std::uint8_t>(input.front());
    input.remove_prefix(1);
    if (header_size_ <= 2)
      if (Item item = check_first_byte(); item.kind == Kind::fault) return item;
  }
  return begin_payload();
}

// Also the second byte: whatever can be refused before a length or a payload is waited for.
FrameReader::Item FrameReader::check_first_byte() {
  const unsigned first = header_[0];
  const bool fin = (first & 0x80U) != 0;
  const auto opcode = static_cast<Opcode>(first & 0x0FU);
  if ((first & 0x70U) != 0) return fault(CloseCode::protocol_error, "reserved bit set");
  if ((first & 0x0FU) > 10 || ((first & 0x0FU) > 2 && !is_control()))
    return fault(CloseCode::protocol_error, "unknown opcode");
  if (is_control() && !fin) return fault(CloseCode::protocol_error, "fragmented control frame");
  if (opcode == Opcode::continuation && !in_message_)
    return fault(CloseCode::protocol_error, "continuation of nothing");
  if ((opcode == Opcode::text || opcode == Opcode::binary) && in_message_)
    return fault(CloseCode::protocol_error, "new message inside a fragmented one");
  if (!is_control() && fragments_ >= limits_.fragments_max)
    return fault(CloseCode::policy_violation, "too many fragments");
  if (header_size_ < 2) return {};
  const bool masked = (header_[1] & 0x80U) != 0;
  if (masked != (peer_ == Peer::client)) return fault(CloseCode::protocol_error, "wrong masking");
  // Not before the masking: an unmasked frame is a protocol error whatever it holds (cases.md D1).
  if (opcode == Opcode::binary) return fault(CloseCode::unsupported_data, "binary message");
  if (is_control() && (header_[1] & 0x7FU) > 125) return fault(CloseCode::protocol_error, "control frame too long");
  return {};
}

FrameReader::Item FrameReader::begin_payload() {
  std::size_t at = 2;
  left_ = header_[1] & 0x7FU;
  const std::size_t length_bytes = left_ == 126 ? 2U : (left_ == 127 ? 8U : 0U);
  if (length_bytes > 0) {
    left_ = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) left_ = left_ << 8 | header_.at(at++);
    const bool minimal = length_bytes == 2 ? left_ > 125 : left_ > 0xFFFF;
    if (!minimal || left_ >> 63 != 0) return fault(CloseCode::protocol_error, "malformed length");
  }
  if (peer_ == Peer::client) std::copy_n(header_.begin() + static_cast<std::ptrdiff_t>(at), 4, mask_.begin());
  if (!is_control() && left_ > limits_.message_bytes_max - message_.size())
    return fault(CloseCode::too_large, "message too large");
  mask_at_ = 0;
  control_size_ = 0;
  header_size_ = 0;
  in_payload_ = true;
  if (!is_control()) {
    in_message_ = true;
    ++fragments_;
  }
  return {};
}

FrameReader::Item FrameReader::read_payload(std::string_view& input) {
  const std::size_t size = std::min<std::uint64_t>(left_, input.size());
  const auto part = input.substr(0, size);
  input.remove_prefix(size);
  left_ -= size;
  if (is_control()) {
    std::copy(part.begin(), part.end(), control_.begin() + control_size_);
    unmask({control_.data() + control_size_, size});
    control_size_ = static_cast<std::uint8_t>(control_size_ + size);
  } else {
    const std::size_t before = message_.size();
    message_.append(part);
    unmask({message_.data() + before, size});
    if (!utf8_.feed(std::string_view(message_).substr(before))) return fault(CloseCode::invalid_utf8, "invalid UTF-8");
  }
  return left_ == 0 ? finish_frame() : Item{};
}

void FrameReader::unmask(std::span<char> bytes) {
  if (peer_ != Peer::client) return;
  for (char& c : bytes) c = static_cast<char>(static_cast<std::uint8_t>(c) ^ mask_.at(mask_at_++ & 3U));
}

FrameReader::Item FrameReader::finish_frame() {
  in_payload_ = false;
  const auto opcode = static_cast<Opcode>(header_[0] & 0x0FU);
  const std::string_view control(control_.data(), control_size_);
  if (opcode == Opcode::ping) return {.kind = Kind::ping, .data = control, .code = 0, .why = {}};
  if (opcode == Opcode::pong) return {.kind = Kind::pong, .data = control, .code = 0, .why = {}};
  if (opcode == Opcode::close) return finish_close();
  if ((header_[0] & 0x80U) == 0) return {};
  if (!utf8_.complete()) return fault(CloseCode::invalid_utf8, "truncated UTF-8");
  utf8_ = Utf8Validator();
  in_message_ = false;
  fragments_ = 0;
  message_done_ = true;
  return {.kind = Kind::message, .data = message_, .code = 0, .why = {}};
}

FrameReader::Item FrameReader::finish_close() {
  Item item{.kind = Kind::close, .data = {}, .code = 1005, .why = {}};
  if (control_size_ == 0) return item;
  if (control_size_ == 1) return fault(CloseCode::protocol_error, "close frame with half a code");
  const auto high = static_cast<std::uint8_t>(control_[0]);
  const auto low = static_cast<std::uint8_t>(control_[1]);
  item.code = static_cast<std::uint16_t>(high << 8 | low);
  item.data = std::string_view(control_.data() + 2, control_size_ - 2U);
  if (!is_close_code(item.code)) return fault(CloseCode::protocol_error, "close code that may not be sent");
  Utf8Validator reason;
  if (!reason.feed(item.data) || !reason.complete()) return fault(CloseCode::invalid_utf8, "close reason not UTF-8");
  return item;
}

void append_masked_frame(std::string& out, Opcode opcode, std::string_view payload, std::array<std::uint8_t, 4> key) {
  const std::size_t begin = out.size();
  protocol::append_frame(out, opcode, payload);
  const std::size_t body = out.size() - payload.size();
  out[begin + 1] = static_cast<char>(static_cast<std::uint8_t>(out[begin + 1]) | 0x80U);
  for (std::size_t i = 0; i < payload.size(); ++i)
    out[body + i] = static_cast<char>(static_cast<std::uint8_t>(out[body + i]) ^ key.at(i & 3U));
  out.insert(body, std::string(key.begin(), key.end()));
}

void append_close_frame(std::string& out, CloseCode code, std::string_view reason) {
  ensure(reason.size() <= 123, "a close reason fits its frame");
  std::string payload;
  const auto number = static_cast<unsigned>(code);
  payload.push_back(static_cast<char>(number >> 8));
  payload.push_back(static_cast<char>(number & 0xFFU));
  payload.append(reason);
  protocol::append_frame(out, Opcode::close, payload);
}

}  // namespace carillon::websocket
