#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace carillon::bench {

// What every message of a run ends with: the run's name and the event's number, always in the same place, so that it is
// found without looking for it. Immutable; any thread.
class Mark {
 public:
  explicit Mark(std::string run) : run_(std::move(run)) {}

  [[nodiscard]] const std::string& run() const { return run_; }
  // The last member of the payload, which is the last member of the message.
  [[nodiscard]] std::string text(std::uint64_t number) const;
  // Nothing when it is not a message of this run.
  [[nodiscard]] std::optional<std::uint64_t> number_in(std::string_view message) const;

 private:
  std::string run_;
};

}  // namespace carillon::bench
