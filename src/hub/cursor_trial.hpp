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

// For tests and the fuzzer: clients of one window that come, from wherever in the lanes of its log, read and stay away
// in any order, each held against the plain list of all that was ever published. What happens is drawn: from a seed, or
// from a fuzzer's bytes.
class CursorTrial {
 public:
  using Draw = std::function<std::size_t(std::size_t below)>;

  explicit CursorTrial(Draw draw)
      : draw_(std::move(draw)), lanes_(1 + draw_(3)), window_({.age = kAge, .bytes = 1'000 + draw_(20'000)}) {
    window_.set_origin({"p.0"});
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
    Place asked{};                        // it had everything up to here
    Place told{};                         // where it was said to be last
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
    made->ordinal = made->sequence;
    made->lane = static_cast<std::uint32_t>(draw_(lanes_));
    made->offset = {reached_.at(made->lane).high + 1 + draw_(3)};
    reached_.pass(made->lane, made->offset);
    made->position = position_like({"p.0"}, reached_);
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
    window_.trim(now_, window_.end());
    state_.trim(now_);
  }

  // Somewhere in each lane, now and then further than this window is.
  Place draw_place() {
    const std::size_t beyond = draw_(8) == 0 ? 5 : 1;
    std::vector<Offset> lanes;
    for (std::size_t lane = 0; lane < lanes_; ++lane) lanes.push_back({draw_(reached_.at(lane).high + beyond)});
    if (draw_(2) == 0) lanes.assign(1, lanes[0]);
    Place place(std::move(lanes));
    if (draw_(3) > 0) place.pass(window_.place_before(window_.begin()));
    return place;
  }

  void begin(Reader& reader) {
    reader = Reader{};
    reader.user = draw_user();
    reader.grants = draw_grants();
    reader.held = {reader.grants};
    Beginning beginning{.resume = std::nullopt, .wants_snapshot = draw_(3) > 0};
    std::optional<GapReason> expected;
    if (draw_(3) > 0) {
      if (draw_(8) == 0) {
        expected = GapReason::epoch;
        beginning.resume.emplace(std::unexpected(GapReason::epoch));
      } else {
        const Place place = draw_place();
        if (!place.covers(window_.place_before(window_.begin()))) expected = GapReason::trimmed;
        beginning.resume.emplace(place);
      }
    }
    reader.is_replay = beginning.resume && !expected;
    if (reader.is_replay) reader.asked = **beginning.resume;
    reader.from = reader.is_replay ? first_lacked(reader.asked) : all_.size();
    reader.told = reader.is_replay ? reader.asked : reached_;
    if (!reader.is_replay && beginning.wants_snapshot) reader.snapshot = snapshot(reader);
    const Viewer viewer{reader.user, reader.grants};
    const auto gap = reader.cursor.begin(beginning, window_, state_, viewer, now_);
    check(gap == expected, "a resume is answered by what the window holds");
  }

  static bool had(const Reader& reader, const Publication& p) { return reader.asked.covers(p.lane, p.offset); }

  std::size_t first_lacked(const Place& place) const {
    const auto found =
        std::ranges::find_if_not(all_, [&](const PublicationPtr& p) { return place.covers(p->lane, p->offset); });
    return static_cast<std::size_t>(found - all_.begin());
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

  static std::string json(const Publication& p, const Position& id, std::string_view mark) {
    return "{\"id\":\"" + id.text + "\"" + std::string(mark) + p.frame.substr(p.mark_at);
  }
  static std::string json(const Reader& reader, const Publication& p) {
    Position id = p.position;
    if (Place place = place_of(id); !place.covers(reader.asked)) {
      place.pass(reader.asked);
      id = position_like(id, place);
    }
    return json(p, id, reader.is_live ? "" : ",\"replayed\":true");
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
      const auto found = std::ranges::find_if(reader.snapshot, [&](std::size_t i) {
        return json(*all_[i], all_[i]->position, ",\"snapshot\":true") == text;
      });
      check(found != reader.snapshot.end(), "a snapshot holds what stood at its begin, once and in order");
      if (found == reader.snapshot.end()) return;
      check(may_see(reader.user, reader.grants, *all_[*found]), "a snapshot shows what its reader may see by now");
      reader.snapshot.erase(reader.snapshot.begin(), found + 1);
      return;
    }
    for (; reader.from < all_.size(); ++reader.from) {
      const Publication& p = *all_[reader.from];
      if (had(reader, p)) continue;
      if (may_see(reader.user, reader.grants, p) && json(reader, p) == text) break;
      check(!always_saw(reader, p), "nothing is left out and nothing comes twice");
    }
    check(reader.from < all_.size(), "nothing comes that is not next");
    if (complaint_ != nullptr) return;
    reader.told.pass(place_of(all_[reader.from++]->position));
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
    const Place place = reader.cursor.place(window_);
    check(place_of(reader.cursor.position(window_)) == place, "a position and its place agree");
    check(place.covers(reader.told), "a position does not go back");
    reader.told = place;
    for (std::size_t i = reader.from; i < all_.size(); ++i) {
      const Publication& p = *all_[i];
      const bool must_be_there = reading.at_end || place.covers(p.lane, p.offset);
      check(!must_be_there || had(reader, p) || !always_saw(reader, p),
            "what is before a position, or the end, has come");
    }
    if (!reading.at_end) return;
    if (reader.is_live) {
      reader.from = all_.size();
      reader.held = {reader.grants};
    }
  }

  Draw draw_;
  const std::size_t lanes_;
  Place reached_;
  RecentWindow window_;
  CurrentState state_;
  std::vector<PublicationPtr> all_;
  std::vector<Reader> readers_;
  MonoTime now_{std::chrono::hours{1}};
  std::uint64_t turn_begin_ = 1;
  const char* complaint_ = nullptr;
};

}  // namespace carillon::hub
