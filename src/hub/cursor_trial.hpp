#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/cursor.hpp"
#include "protocol/text_frame.hpp"

namespace carillon::hub {

// For tests and the fuzzer: clients of one window that come, read and stay away in any order, each held against the
// plain list of all that was ever published. What happens is drawn: from a seed, or from a fuzzer's bytes.
class CursorTrial {
 public:
  using Draw = std::function<std::size_t(std::size_t below)>;

  explicit CursorTrial(Draw draw) : draw_(std::move(draw)), window_({.age = kAge, .bytes = 1'000 + draw_(20'000)}) {
    window_.set_origin({"p.0"}, 0);
    readers_.resize(1 + draw_(3));
    for (Reader& reader : readers_) begin(reader);
  }

  // One more thing happens. Null: all was as it must be so far; else what was not.
  [[nodiscard]] const char* step() {
    Reader& reader = readers_[draw_(readers_.size())];
    const std::size_t chance = draw_(16);
    if (chance < 5) {
      publish();
    } else if (chance < 8) {
      end_turn();
    } else if (chance < 13) {
      read(reader);
    } else if (chance < 14) {
      reader.grants = draw_grants();
      reader.held.push_back(reader.grants);
    } else if (chance < 15) {
      begin(reader);
    } else {
      now_ += std::chrono::seconds{draw_(1'000)};
    }
    return complaint_;
  }

  // Reads everything, and then nobody lacks anything.
  [[nodiscard]] const char* finish() {
    end_turn();
    for (Reader& reader : readers_)
      for (int i = 0; complaint_ == nullptr && !reader.is_lost && !read(reader); ++i) check(i < 5'000, "it never ends");
    return complaint_;
  }

 private:
  static constexpr milliseconds kAge{std::chrono::minutes{20}};

  struct Reader {
    UserId user{};
    Grants grants{};
    Cursor cursor{};
    std::size_t from = 0;                 // the first of all_ that it has not been brought past
    std::vector<Grants> held{};           // since then
    Ordinal asked = 0;                    // it has everything up to here
    Ordinal last = 0;                     // what it got last
    std::vector<std::size_t> snapshot{};  // what of it has not come yet, in all_
    std::uint64_t replayed = 0;
    bool is_replay = false, is_live = false, is_lost = false;
  };

  void check(bool holds, const char* what) {
    if (!holds && complaint_ == nullptr) complaint_ = what;
  }

  UserId draw_user() { return std::string(1, static_cast<char>('a' + draw_(3))); }
  Grants draw_grants() {
    Grants grants;
    for (const Grant grant : {Grant::signals, Grant::orders})
      if (draw_(4) > 0) grants.add(grant);
    return grants;
  }

  void publish() {
    auto made = std::make_shared<Publication>();
    made->sequence = window_.end();
    made->ordinal = last_ordinal() + 1 + draw_(3);
    made->offset = {made->ordinal};
    made->position.text = "p." + std::to_string(made->ordinal);
    made->kind = static_cast<EventKind>(draw_(kEventKinds));
    made->accepted_at = made->published_at = now_;
    if (made->kind == EventKind::order_update) {
      made->owner = draw_user();
      made->order_id = made->owner + std::to_string(draw_(3));
      made->status = draw_(3) == 0 ? OrderStatus::filled : OrderStatus::partially_filled;
    } else if (draw_(2) == 0) {
      made->audience = {draw_user()};
    }
    made->level = static_cast<AlertLevel>(draw_(4));
    const std::string head = "{\"id\":\"" + made->position.text + "\"";
    protocol::append_text_frame(made->frame, head + ",\"payload\":\"" + std::string(draw_(150), 'x') + "\"}");
    made->mark_at = static_cast<std::uint32_t>(protocol::header_size(made->frame) + head.size());
    all_.push_back(made);
    window_.append(made);
    state_.apply(made);
  }

  // As Hub::deliver() does.
  void end_turn() {
    for (Reader& reader : readers_) {
      bool is_concerned = false;
      for (std::uint64_t s = turn_begin_; s < window_.end(); ++s)
        is_concerned = is_concerned || may_see(reader.user, reader.grants, window_.at(s));
      if (!is_concerned) continue;
      reader.cursor.pass(turn_begin_);
      reader.cursor.fall_behind();
    }
    turn_begin_ = window_.end();
    window_.trim(now_);
    state_.trim(now_);
  }

  Ordinal last_ordinal() const { return all_.empty() ? 0 : all_.back()->ordinal; }

  std::size_t place_after(Ordinal ordinal) const {
    const auto found = std::ranges::find_if(all_, [&](const PublicationPtr& p) { return p->ordinal > ordinal; });
    return static_cast<std::size_t>(found - all_.begin());
  }

  void begin(Reader& reader) {
    reader = Reader{};
    reader.user = draw_user();
    reader.grants = draw_grants();
    reader.held = {reader.grants};
    Beginning beginning{.resume = std::nullopt, .wants_snapshot = draw_(3) > 0};
    std::optional<GapReason> expected;
    std::optional<Ordinal> ordinal;
    if (draw_(3) > 0) {
      const std::size_t chance = draw_(8);
      if (chance == 0) {
        expected = GapReason::epoch;
        beginning.resume.emplace(std::unexpected(GapReason::epoch));
      } else {
        ordinal = draw_(last_ordinal() + (chance == 1 ? 5 : 1));
        if (*ordinal < window_.place_before(window_.begin()).at(0).high) expected = GapReason::trimmed;
        beginning.resume.emplace(Place(Offset{*ordinal}));
      }
    }
    reader.is_replay = beginning.resume && !expected;
    reader.from = reader.is_replay ? place_after(*ordinal) : all_.size();
    reader.asked = reader.is_replay ? *ordinal : last_ordinal();
    if (!reader.is_replay && beginning.wants_snapshot) reader.snapshot = snapshot(reader);
    const Viewer viewer{reader.user, reader.grants};
    const auto gap = reader.cursor.begin(beginning, window_, state_, viewer, now_);
    check(gap == expected, "a resume is answered by what the window holds");
  }

  std::vector<std::size_t> snapshot(const Reader& reader) const {
    std::map<std::string, std::size_t> orders;
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const Publication& p = *all_[i];
      if (!may_see(reader.user, reader.grants, p)) continue;
      if (p.kind == EventKind::order_update) orders[p.order_id] = i;
      const bool is_recent = now_ - p.accepted_at <= std::chrono::hours{1};
      if (p.kind == EventKind::system_alert && p.level >= AlertLevel::error && is_recent) found.push_back(i);
    }
    for (const auto& [order, last] : orders)
      if (!is_terminal(all_[last]->status)) found.push_back(last);
    std::ranges::sort(found);
    return found;
  }

  static std::string json(const Publication& p, std::string_view mark) {
    std::string text = p.frame.substr(0, p.mark_at) + std::string(mark) + p.frame.substr(p.mark_at);
    return text.substr(protocol::header_size(p.frame));
  }

  // True: there is nothing more for now.
  bool read(Reader& reader) {
    if (reader.is_lost) return true;
    std::string frames;
    const Viewer viewer{reader.user, reader.grants};
    const std::size_t bytes_max = 1 + draw_(600);
    reader.cursor.pass(turn_begin_);
    const Reading reading = reader.cursor.read(window_, viewer, bytes_max, frames);
    check(frames.size() <= bytes_max + 300, "a reading is bounded");
    if (reading.gap) {
      check(frames.empty() && reader.from < all_.size() && all_[reader.from]->sequence < window_.begin(),
            "there is a gap only where something was lost");
      reader.is_lost = true;
      return true;
    }
    std::uint32_t count = 0;
    for (std::string_view left = frames; !left.empty() && complaint_ == nullptr; ++count) {
      const std::size_t header = protocol::header_size(left);
      std::size_t size = static_cast<unsigned char>(left[1]);
      if (header == 4)
        size = static_cast<std::size_t>(static_cast<unsigned char>(left[2]) << 8 | static_cast<unsigned char>(left[3]));
      check(header <= 4 && header + size <= left.size(), "frames are whole");
      if (complaint_ != nullptr) return true;
      take(reader, std::string(left.substr(header, size)));
      left.remove_prefix(header + size);
    }
    check(count == reading.count, "what is appended is counted");
    after_reading(reader, reading);
    return reading.at_end;
  }

  void take(Reader& reader, const std::string& text) {
    if (!reader.is_live && !reader.is_replay) {
      const auto found = std::ranges::find_if(
          reader.snapshot, [&](std::size_t i) { return json(*all_[i], ",\"snapshot\":true") == text; });
      check(found != reader.snapshot.end(), "a snapshot holds what stood at its begin, once and in order");
      if (found == reader.snapshot.end()) return;
      check(may_see(reader.user, reader.grants, *all_[*found]), "a snapshot shows what its reader may see by now");
      reader.snapshot.erase(reader.snapshot.begin(), found + 1);
      return;
    }
    const std::string_view mark = reader.is_live ? "" : ",\"replayed\":true";
    for (; reader.from < all_.size(); ++reader.from) {
      const Publication& p = *all_[reader.from];
      if (p.ordinal <= reader.asked) continue;
      if (may_see(reader.user, reader.grants, p) && json(p, mark) == text) break;
      check(!always_saw(reader, p), "nothing is left out and nothing comes twice");
    }
    check(reader.from < all_.size(), "nothing comes that is not next");
    if (complaint_ != nullptr) return;
    reader.last = all_[reader.from++]->ordinal;
    if (!reader.is_live) ++reader.replayed;
  }

  // Whether it was entitled to this under all that it held since it last had everything.
  static bool always_saw(const Reader& reader, const Publication& p) {
    return std::ranges::all_of(reader.held, [&](Grants grants) { return may_see(reader.user, grants, p); });
  }

  void after_reading(Reader& reader, const Reading& reading) {
    check(reading.at_end == !reader.cursor.is_behind(), "a cursor at the end is not behind");
    check(reader.is_live != reader.cursor.is_catching_up() || reading.is_live, "live comes when the catching up ends");
    if (reading.is_live) {
      check(!reader.is_live, "live comes once");
      check(reading.replayed == reader.replayed, "what was replayed is counted");
      check(reader.held.size() > 1 || reader.snapshot.empty(), "a snapshot is whole when live comes");
      reader.is_live = true;
    }
    if (complaint_ != nullptr || !reader.cursor.has_position()) return;
    const Ordinal ordinal = reader.cursor.place(window_).at(0).high;
    check(reader.cursor.position(window_).text == "p." + std::to_string(ordinal), "a position and its place agree");
    check(ordinal >= reader.last && ordinal >= reader.asked, "a position does not go back");
    for (std::size_t i = reader.from; i < all_.size() && all_[i]->ordinal <= ordinal; ++i)
      check(all_[i]->ordinal <= reader.asked || !always_saw(reader, *all_[i]), "what is before a position has come");
    if (!reading.at_end) return;
    for (std::size_t i = reader.from; i < all_.size(); ++i)
      check(all_[i]->ordinal <= reader.asked || !always_saw(reader, *all_[i]), "at the end everything has come");
    if (reader.is_live) {
      reader.from = all_.size();
      reader.held = {reader.grants};
    }
  }

  Draw draw_;
  RecentWindow window_;
  CurrentState state_;
  std::vector<PublicationPtr> all_;
  std::vector<Reader> readers_;
  MonoTime now_{std::chrono::hours{1}};
  std::uint64_t turn_begin_ = 1;
  const char* complaint_ = nullptr;
};

}  // namespace carillon::hub
