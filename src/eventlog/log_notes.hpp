#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "event/place.hpp"
#include "eventlog/event_log.hpp"

// What nodes write beside a log on a broker, for each other and for the time after them. A note is one line of JSON,
// and behind it, where it is a dead letter, the bytes of the record:
//   {"note":"epoch","epoch":"1a2b3c4d","after":"0", ...}  from here on the log is another one than before
//   {"note":"mark","epoch":"1a2b3c4d", ...}               a node saw that log, and how far it was
//   {"note":"letter","position":P,"record":"LANE.OFFSET","at":MS,"reason":R,"detail":D}
//   {"note":"removed","position":P}                       that letter is dealt with
namespace carillon::eventlog {

// Which log this is: positions of another epoch are of another log (protocol 6.1). The rest is how to notice that the
// one of this name was made anew while no node looked.
struct LogIdentity {
  std::uint32_t epoch = 0;  // not 0
  std::string incarnation;  // as the broker says (Extent)
  Place reached;            // the log was at least this long
  std::uint64_t added = 0;

  // Whether a log of this extent can be the same one.
  [[nodiscard]] bool fits(std::string_view incarnation_now, const Place& last, std::uint64_t added_now) const;
};

[[nodiscard]] std::string encode_epoch_note(const LogIdentity& identity, std::uint32_t after);
[[nodiscard]] std::string encode_mark_note(const LogIdentity& identity);
// Of the record at most 1 MiB, of the texts 4 KiB are kept.
[[nodiscard]] std::string encode_letter_note(const DeadLetter& letter);
[[nodiscard]] std::string encode_removed_note(const Position& position);

// What all notes say together. Two nodes that write the same thing say it once. Pure.
class LogNotes {
 public:
  static constexpr std::size_t kLettersMax = 10'000;
  static constexpr std::size_t kLetterBytesMax = std::size_t{64} << 20;

  // Oldest first. What is no note is counted and ignored.
  [[nodiscard]] static LogNotes read(std::span<const std::string> notes);

  [[nodiscard]] const std::optional<LogIdentity>& identity() const { return identity_; }
  // Oldest first, one a record; at the bounds the oldest have left.
  [[nodiscard]] const std::deque<DeadLetter>& letters() const { return letters_; }
  [[nodiscard]] bool has_letter(const Position& position) const;
  // The place of the latest letters of the log that `sample` is a position of, dealt with or not.
  [[nodiscard]] Place buried_up_to(const Position& sample) const;
  [[nodiscard]] std::uint64_t foreign() const { return foreign_; }

 private:
  void take(std::string_view note);
  void take_identity(LogIdentity identity, std::optional<std::uint32_t> after);
  void take_letter(DeadLetter letter);
  void remove(const Position& position);
  void leave_oldest();

  std::optional<LogIdentity> identity_;
  std::deque<DeadLetter> letters_;
  std::size_t letter_bytes_ = 0;
  std::unordered_set<std::string> seen_;           // the records of all letters, for the one that two nodes wrote
  std::unordered_map<std::string, Place> buried_;  // how far there are letters, by the mark of a log's positions
  std::uint64_t foreign_ = 0;
};

}  // namespace carillon::eventlog
