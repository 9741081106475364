#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "eventlog/event_log.hpp"
#include "eventlog/log_positions.hpp"

namespace carillon::eventlog {

// An event log in memory, for the tests of what stands before and behind a log. One thread: every call does all that
// follows from it, completions and accept() included, before it returns. After stop() it can be started again, as a
// node that comes back to the same log.
class MemoryLog final : public EventLog {
 public:
  // Positions of a log with another epoch are of another log.
  explicit MemoryLog(const Clock& clock, std::uint32_t epoch = 1) : clock_(clock), positions_('m', epoch) {}

  [[nodiscard]] Result<> start(RecordSink& sink) override;
  [[nodiscard]] Origin origin() const override { return origin_; }
  [[nodiscard]] std::expected<Ordinal, GapReason> locate(std::string_view position) const override;
  void stop() override { sink_ = nullptr; }
  void append(std::vector<Record> records, AppendDone done) override;
  void sink_has_room() override { offer(); }
  void settle(Settled settled) override { settled_ = settled.up_to; }
  void put_dead_letter(DeadLetter letter) override;
  void list_dead_letters(std::size_t limit, DeadLettersDone done) override;
  void remove_dead_letter(Position position, Done done) override;
  [[nodiscard]] bool is_writable() const override { return sink_ != nullptr && !refusal_; }
  [[nodiscard]] bool has_caught_up() const override { return sink_ != nullptr && next_ >= at_start_; }

  // Makes every append fail with that error, until told nothing.
  void refuse_appends(std::optional<Error> error) { refusal_ = std::move(error); }
  // Puts a record there as a foreign producer would: any bytes, no id. Also before start().
  Position put_foreign(std::string bytes);

 private:
  [[nodiscard]] Result<Appended> try_append(const std::vector<Record>& records);
  Position store(std::string bytes);
  void offer();

  const Clock& clock_;
  LogPositions positions_;
  RecordSink* sink_ = nullptr;  // while started
  bool was_started_ = false;
  std::optional<Error> refusal_;
  std::vector<StoredRecord> records_;
  std::unordered_map<std::string, std::size_t> ids_;  // to the place in records_
  std::size_t next_ = 0;                              // the first record that the sink has not accepted
  std::size_t at_start_ = 0;
  Ordinal settled_ = 0;
  Origin origin_;
  std::deque<DeadLetter> dead_letters_;  // newest first
  Ordinal letters_up_to_ = 0;            // the highest position that one was put for
};

}  // namespace carillon::eventlog
