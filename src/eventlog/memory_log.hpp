#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "eventlog/event_log.hpp"
#include "eventlog/log_positions.hpp"
#include "eventlog/step_index.hpp"

namespace carillon::eventlog {

// An event log in memory, for the tests of what stands before and behind a log. One thread: every call does all that
// follows from it, completions and accept() included, before it returns. After stop() it can be started again, as a
// node that comes back to the same log.
class MemoryLog final : public EventLog {
 public:
  struct Options {
    std::uint32_t epoch = 1;  // of another log: another one
    milliseconds retention_age = std::chrono::hours{24};
  };
  explicit MemoryLog(const Clock& clock) : MemoryLog(clock, Options{}) {}
  MemoryLog(const Clock& clock, const Options& options)
      : clock_(clock), options_(options), positions_('m', options.epoch) {}

  [[nodiscard]] Result<> start(RecordSink& sink) override;
  [[nodiscard]] Origin origin() const override { return origin_; }
  [[nodiscard]] std::expected<Place, GapReason> locate(std::string_view position) const override;
  void has_reached(Place place, ReachedDone done) override {
    done(was_started_ && Place(Offset{end() - 1}).covers(place));
  }
  void stop() override { sink_ = nullptr; }
  void append(std::vector<Record> records, AppendDone done) override;
  void sink_has_room() override { offer(); }
  void settle(Settled settled) override;
  void put_dead_letter(DeadLetter letter) override;
  void list_dead_letters(std::size_t limit, DeadLettersDone done) override;
  void remove_dead_letter(Position position, Done done) override;
  [[nodiscard]] bool is_writable() const override { return sink_ != nullptr && !refusal_; }
  [[nodiscard]] bool has_caught_up() const override { return sink_ != nullptr && caught_up_; }

  // Makes every append fail with that error, until told nothing.
  void refuse_appends(std::optional<Error> error) { refusal_ = std::move(error); }
  // Puts a record there as a foreign producer would: any bytes, no id. Also before start().
  Position put_foreign(std::string bytes);
  // Retention as it suits a test: the records before `ordinal` leave, as far as they are settled, and the last step of
  // each order among them is kept.
  void trim_before(Ordinal ordinal);

 private:
  struct Row {
    StoredRecord record;
    std::string id;            // empty: a foreign one
    bool is_terminal = false;  // as its sink said; of a kept one
  };

  [[nodiscard]] Result<Appended> try_append(const std::vector<Record>& records);
  [[nodiscard]] const StoredRecord& at(Ordinal ordinal) const;
  [[nodiscard]] Ordinal end() const { return low_ + rows_.size(); }
  const StoredRecord& store(std::string id, std::string bytes);
  void forget(const Row& row) { ids_.erase(row.id); }
  void expire();
  void offer();
  [[nodiscard]] std::vector<StoredRecord> next_batch() const;

  const Clock& clock_;
  const Options options_;
  LogPositions positions_;
  RecordSink* sink_ = nullptr;  // while started
  bool was_started_ = false;
  std::optional<Error> refusal_;
  Ordinal low_ = 1;
  std::deque<Row> rows_;         // from low_ on
  std::map<Ordinal, Row> kept_;  // before low_
  std::unordered_map<std::string, Ordinal> ids_;
  WallTime log_time_;  // the latest logged_at up to the record low_
  StepIndex steps_{1};
  Ordinal next_ = 1;  // the first that the sink has not accepted
  Ordinal at_start_ = 0;
  bool caught_up_ = false;
  Origin origin_;
  std::deque<DeadLetter> dead_letters_;  // newest first
  Ordinal letters_up_to_ = 0;            // the last that one was put for
};

}  // namespace carillon::eventlog
