#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/siphash.hpp"

namespace carillon {

// Stands for a text: 128 bits under a key of the process's own, so that two texts that anybody may choose never share
// one.
struct Fingerprint {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  bool operator==(const Fingerprint&) const = default;
};
[[nodiscard]] Fingerprint fingerprint_of(std::string_view text);

// What came in the recent past, by the fingerprint of its name, oldest first out. A million entries are looked up where
// one cache line is touched, not a list of nodes: this stands on the way of every event. Grows, never shrinks. One
// thread.
template <class Value>
class RecentTable {
 public:
  [[nodiscard]] std::size_t size() const { return count_; }
  // Null when it is not there. Until the next insert().
  [[nodiscard]] const Value* find(const Fingerprint& key) const {
    if (count_ == 0) return nullptr;
    for (std::size_t slot = home(key); slots_[slot] != kFree; slot = after(slot)) {
      if (tag_of(slots_[slot]) != tag(key)) continue;
      const Entry& entry = ring_[place_of_slot(slots_[slot])];
      if (entry.key == key) return &entry.value;
    }
    return nullptr;
  }
  [[nodiscard]] Value* find(const Fingerprint& key) {
    return const_cast<Value*>(std::as_const(*this).find(key));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  }
  // `key` is not there.
  void insert(const Fingerprint& key, Value value) {
    if (count_ == ring_.size()) grow();
    const std::size_t place = (first_ + count_++) & (ring_.size() - 1);
    ring_[place] = {key, std::move(value)};
    put(key, place);
  }
  // While there is one.
  [[nodiscard]] const Value& oldest() const { return ring_[first_].value; }
  void pop_oldest() {
    std::size_t slot = home(ring_[first_].key);
    while (slots_[slot] == kFree || place_of_slot(slots_[slot]) != first_) slot = after(slot);
    close_gap(slot);
    first_ = (first_ + 1) & (ring_.size() - 1);
    --count_;
  }

 private:
  struct Entry {
    Fingerprint key;
    Value value;
  };
  using Slot = std::uint64_t;  // the tag above, the place in the ring and one below; linear probing
  static constexpr Slot kFree = 0;
  static constexpr std::size_t kLeast = 64;

  static std::uint32_t tag(const Fingerprint& key) { return static_cast<std::uint32_t>(key.low); }
  static std::uint32_t tag_of(Slot slot) { return static_cast<std::uint32_t>(slot >> 32U); }
  static std::size_t place_of_slot(Slot slot) { return static_cast<std::size_t>((slot & 0xFFFF'FFFFU) - 1); }
  [[nodiscard]] std::size_t home_of(std::uint32_t key_tag) const { return key_tag & (slots_.size() - 1); }
  [[nodiscard]] std::size_t home(const Fingerprint& key) const { return home_of(tag(key)); }
  [[nodiscard]] std::size_t after(std::size_t slot) const { return (slot + 1) & (slots_.size() - 1); }

  void put(const Fingerprint& key, std::size_t place) {
    std::size_t slot = home(key);
    while (slots_[slot] != kFree) slot = after(slot);
    slots_[slot] = Slot{tag(key)} << 32U | static_cast<Slot>(place + 1);
  }
  // Moves up those that stand behind the gap only because it was taken.
  void close_gap(std::size_t gap) {
    for (std::size_t slot = after(gap); slots_[slot] != kFree; slot = after(slot)) {
      const std::size_t wanted = home_of(tag_of(slots_[slot]));
      const bool stays = gap <= slot ? wanted > gap && wanted <= slot : wanted > gap || wanted <= slot;
      if (stays) continue;
      slots_[gap] = slots_[slot];
      gap = slot;
    }
    slots_[gap] = kFree;
  }
  // Half of the slots stay free.
  void grow() {
    std::vector<Entry> larger(std::max(kLeast, ring_.size() * 2));
    for (std::size_t i = 0; i < count_; ++i) larger[i] = std::move(ring_[(first_ + i) & (ring_.size() - 1)]);
    ring_ = std::move(larger);
    first_ = 0;
    slots_.assign(ring_.size() * 2, kFree);
    for (std::size_t i = 0; i < count_; ++i) put(ring_[i].key, i);
  }

  std::vector<Entry> ring_;  // its size, like that of slots_, is a power of two
  std::vector<Slot> slots_;
  std::size_t first_ = 0;  // in ring_
  std::size_t count_ = 0;
};

}  // namespace carillon
