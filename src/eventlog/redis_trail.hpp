#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "event/place.hpp"
#include "event/position.hpp"

namespace carillon::eventlog {

// What Redis tells about a stream at one moment (XINFO STREAM). A key that is not there is an empty stream, new.
struct RedisStreamState {
  bool exists = false;
  std::uint64_t added = 0;   // entries-added: ever
  std::uint64_t length = 0;  // entries that are there
  Offset first;              // the oldest that is there; with length > 0
  Offset last;               // last-generated-id: the newest that there ever was
  Offset deleted;            // max-deleted-entry-id: the newest of those that XDEL took

  // The earliest place after which every entry that there ever was is known to be there.
  [[nodiscard]] Offset before_first() const;
};

// How far a reader came in a stream, and whether anything after that place was lost before it was read. Pure.
//
// Redis never says so by itself: asked for what follows an id it gives the next entry that is still there. But it
// counts. It takes entries away in two ways. Trimming takes from the front, so it has passed the reader only if the
// first entry that is there stands after the reader's place; XDEL takes any, and Redis keeps the highest id it took.
// So, if nothing after the place was deleted and nothing at or before it is left, then all that is gone are the entries
// up to the place, which the trail has counted, and those after it that were lost: `added - length` is more than the
// count exactly when something was. This holds for one moment, so state and entries must be read together, in one
// transaction.
//
// That the stream is still the same one is seen by what cannot go back: the last id, the count, and the entry at the
// place itself, which is there as long as an older one is.
class RedisTrail {
 public:
  // What was read together with a state: the entries at and after the place.
  struct Found {
    bool has_place = false;  // the entry at the place itself is there
    std::size_t after = 0;   // entries after it
    Offset last;             // of them, if any
    bool is_all = false;     // there are no more
  };

  // To go on after this place, which is not before before_first() of the state as it is now; keeps what is known where
  // it is the place already.
  void begin(Offset after, const RedisStreamState& state);
  [[nodiscard]] bool has_begun() const { return has_begun_; }
  [[nodiscard]] Offset place() const { return place_; }

  // Whether something after the place is gone, as far as the state alone tells.
  [[nodiscard]] std::optional<GapReason> look(const RedisStreamState& state) const;
  // The same with the entries; where nothing is gone the place moves to the last of them.
  [[nodiscard]] std::optional<GapReason> go_on(const RedisStreamState& state, const Found& found);

 private:
  [[nodiscard]] std::optional<GapReason> compare(const RedisStreamState& state, const Found& found) const;

  bool has_begun_ = false;
  Offset place_;
  bool is_entry_ = false;               // an entry was read there
  std::optional<std::uint64_t> count_;  // of the entries ever added up to the place; unknown in the middle of a stream
};

}  // namespace carillon::eventlog
