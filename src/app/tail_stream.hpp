#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "app/terminal_text.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"

namespace carillon::app {

// What tail does with each message of the server. Lives over reconnections. No I/O.
class TailStream {
 public:
  struct Reaction {
    std::string print{};   // a line for standard output; empty: none
    std::string notice{};  // a line for standard error; empty: none
    std::string answer{};  // a message for the server; empty: none
  };

  // `from`: the position to begin after; empty: none.
  TailStream(bool as_json, const Palette& palette, std::string from = {})
      : as_json_(as_json), palette_(palette), position_(std::move(from)) {}

  void begin_connection();
  [[nodiscard]] Reaction take(std::string_view message);

  // What to resume from: the last position that the server has brought us to (protocol 6); empty: none yet. A snapshot
  // brings us nowhere before it is complete.
  [[nodiscard]] const std::string& position() const { return position_; }
  // Of this connection: whether the server accepted the token, for how long its silence means nothing, how long it
  // asked to stay away, and why it refused the token, where it did.
  [[nodiscard]] bool is_accepted() const { return is_accepted_; }
  [[nodiscard]] milliseconds silence_max() const { return silence_max_; }
  [[nodiscard]] milliseconds retry_after() const { return retry_after_; }
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  [[nodiscard]] Reaction take_notification(std::string_view message, const json::Value& notification);
  [[nodiscard]] Reaction answer_ping(const json::Value& payload);
  [[nodiscard]] Reaction take_error(std::string_view event, const json::Value& payload);
  [[nodiscard]] Reaction take_auth_ok(const json::Value& payload);
  [[nodiscard]] Reaction take_live(const json::Value& payload);
  [[nodiscard]] std::string gap_notice(const json::Value& payload) const;
  void advance(std::string_view position);

  bool as_json_;
  Palette palette_;
  std::string position_;
  std::uint64_t delivered_ = 0;  // on this connection
  bool is_accepted_ = false;
  milliseconds silence_max_{};
  milliseconds retry_after_{};
  std::string refusal_;
};

}  // namespace carillon::app
