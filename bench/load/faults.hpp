#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace carillon::bench {

// What makes a run worth nothing. Keeps the first few in words, counts all.
class Faults {
 public:
  static constexpr std::size_t kKeptMax = 10;

  void add(std::string what) {
    ++count_;
    if (kept_.size() < kKeptMax) kept_.push_back(std::move(what));
  }
  void add_all(const Faults& others) {
    for (const std::string& what : others.kept_) add(what);
    count_ += others.count_ - others.kept_.size();
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] const std::vector<std::string>& first() const { return kept_; }

 private:
  std::uint64_t count_ = 0;
  std::vector<std::string> kept_;
};

}  // namespace carillon::bench
