#include "eventlog/sqlite_journal.hpp"

#include <pthread.h>

#include <string>
#include <utility>

#include "base/ensure.hpp"
#include "base/short_slice.hpp"
#include "telemetry/log.hpp"

namespace carillon::eventlog {

using telemetry::Level;

SqliteJournal::SqliteJournal(Options options, const Clock& clock, telemetry::Registry& registry)
    : options_(std::move(options)),
      clock_(clock),
      metrics_(registry),
      queue_(options_.queue),
      refusals_(registry, kJournalAppends, {{"where", "queue"}}),
      dead_letters_refused_(
          registry.counter("carillon_journal_dead_letters_lost_total", "Dead letters with no room.")) {}

SqliteJournal::~SqliteJournal() {
  stop();
}

Result<> SqliteJournal::start(RecordSink& sink) {
  ensure(!journal_ && !thread_.joinable(), "a journal is started once");
  const MonoTime begin = clock_.mono_now();
  Result<std::unique_ptr<Journal>> journal = Journal::open(options_.path, options_.limits);
  if (!journal) return std::unexpected(journal.error());
  journal_ = std::move(*journal);
  group_.emplace(*journal_, metrics_, last_committed_);
  follower_.emplace(sink, *journal_);
  positions_ = journal_->positions();
  origin_ = {.position = positions_->of(journal_->low_sequence() - 1),
             .buried_up_to = Place(Offset{journal_->letters_up_to()})};
  last_committed_ = journal_->next_sequence() - 1;
  next_upkeep_ = begin;
  is_busy_ = true;
  const auto took = std::chrono::duration_cast<milliseconds>(clock_.mono_now() - begin);
  telemetry::log(Level::info, "journal opened",
                 {{"path", options_.path},
                  {"last", journal_->positions().of(journal_->next_sequence() - 1).text},
                  {"records", journal_->next_sequence() - journal_->low_sequence()},
                  {"kept", journal_->kept_rows()},
                  {"bytes", journal_->stored_bytes()},
                  {"took_ms", took.count()}});
  set_writable(true);
  is_started_ = true;
  queue_.open();
  thread_ = std::thread([this] { run(); });
  return {};
}

std::expected<Place, GapReason> SqliteJournal::locate(std::string_view position) const {
  if (!is_started_) return std::unexpected(GapReason::unknown);
  const auto number = positions_->number(position);
  if (!number) return std::unexpected(number.error());
  return Place(Offset{*number});
}

void SqliteJournal::has_reached(Place place, ReachedDone done) {
  done(is_started_ && Place(Offset{last_committed_}).covers(place));
}

void SqliteJournal::stop() {
  queue_.close({ErrorKind::unavailable, "the journal is stopped"});
  if (!thread_.joinable()) return;
  ensure(thread_.get_id() != std::this_thread::get_id(), "a completion does not stop the journal");
  thread_.join();
}

void SqliteJournal::append(std::vector<Record> records, AppendDone done) {
  AppendCall call{std::move(records), std::move(done)};
  if (Result<> pushed = queue_.push(call); !pushed) refuse(std::move(call.done), pushed.error());
}

void SqliteJournal::refuse(AppendDone done, const Error& error) {
  {
    const std::lock_guard lock(refusals_mutex_);
    refusals_.count(error);
  }
  done(std::unexpected(error));
}

void SqliteJournal::sink_has_room() {
  if (!is_started_) return;
  follower_->sink_has_room();
  queue_.wake();
}

void SqliteJournal::put_dead_letter(DeadLetter letter) {
  DeadLetterCall call = PutDeadLetter{std::move(letter)};
  const auto place = locate(std::get<PutDeadLetter>(call).letter.position.text);
  const bool is_ours = place && Place(Offset{last_committed_}).covers(*place);
  const Result<> pushed = is_ours ? queue_.push(call) : fail(ErrorKind::invalid, "it is at no position of the journal");
  if (pushed) return;
  const std::lock_guard lock(refusals_mutex_);
  dead_letters_refused_.add();
  telemetry::log(
      Level::error, "dead letter lost",
      {{"position", std::get<PutDeadLetter>(call).letter.position.text}, {"reason", pushed.error().message}});
}

void SqliteJournal::list_dead_letters(std::size_t limit, DeadLettersDone done) {
  DeadLetterCall call = ListDeadLetters{limit, std::move(done)};
  if (Result<> pushed = queue_.push(call); !pushed) {
    std::get<ListDeadLetters>(call).done(std::unexpected(pushed.error()));
  }
}

void SqliteJournal::remove_dead_letter(Position position, Done done) {
  DeadLetterCall call = RemoveDeadLetter{std::move(position), std::move(done)};
  if (Result<> pushed = queue_.push(call); !pushed) {
    std::get<RemoveDeadLetter>(call).done(std::unexpected(pushed.error()));
  }
}

void SqliteJournal::run() {
  ::pthread_setname_np(::pthread_self(), "journal");
  ask_for_short_slices();
  for (bool is_last = false; !is_last && !failure_;) {
    LogQueue::Taken taken = queue_.take(is_busy_ ? std::chrono::nanoseconds::zero() : options_.upkeep_interval);
    is_last = taken.is_last;
    is_busy_ = false;
    metrics_.queue_calls.set(static_cast<std::int64_t>(taken.calls_waiting));
    if (taken.settled.up_to != 0) journal_->settle(taken.settled);
    commit(std::move(taken));
    if (!failure_ && !is_last) follow();
    if (!failure_) keep_up();
    report();
  }
  set_writable(false);
  if (!failure_) journal_->close_in_order();
  group_.reset();
  journal_.reset();
  if (failure_ && options_.on_fatal) options_.on_fatal(*failure_);
}

void SqliteJournal::commit(LogQueue::Taken taken) {
  if (taken.appends.empty() && taken.dead_letters.empty() && !group_->has_letters()) return;
  const Result<bool> added = group_->commit(std::move(taken), clock_.wall_now());
  if (!added) return suffer(added.error());
  if (*added) disk_is_full_ = false;
}

void SqliteJournal::follow() {
  const Result<bool> more = follower_->advance(*journal_);
  if (!more) return suffer(more.error());
  is_busy_ = *more;
}

// What is due now and then; by size retention is due whenever there is too much.
void SqliteJournal::keep_up() {
  const MonoTime now = clock_.mono_now();
  const bool is_due = now >= next_upkeep_;
  if (is_due) next_upkeep_ = now + options_.upkeep_interval;
  if (disk_is_full_) {
    if (!is_due) return;
    if (const Result<> probed = journal_->probe(); !probed) return suffer(probed.error());
    disk_is_full_ = false;
  }
  if (is_due || trims_on_ || journal_->has_too_much()) trim();
  if (failure_) return;
  if (const Result<> folded = journal_->fold(); !folded) suffer(folded.error());
}

void SqliteJournal::trim() {
  const Result<Journal::Trimmed> trimmed = journal_->trim(clock_.wall_now());
  trims_on_ = trimmed && trimmed->records == options_.limits.trim_rows_max;
  if (!trimmed) return suffer(trimmed.error());
  metrics_.records_trimmed.add(trimmed->records);
  tell_lost(trimmed->kept_lost);
  is_busy_ = is_busy_ || trims_on_;
}

void SqliteJournal::tell_lost(std::uint64_t kept_steps) {
  if (kept_steps == 0) return;
  metrics_.kept_lost.add(kept_steps);
  if (has_told_lost_) return;
  has_told_lost_ = true;
  telemetry::log(Level::warning, "kept orders lost",
                 {{"rows_max", options_.limits.kept.rows_max}, {"bytes_max", options_.limits.kept.bytes_max}});
}

void SqliteJournal::suffer(const Error& error) {
  if (error.kind == ErrorKind::full) {
    if (!disk_is_full_) telemetry::log(Level::warning, "journal is full", {{"reason", error.message}});
    disk_is_full_ = true;
    return;
  }
  failure_ = {ErrorKind::unavailable, "the journal has failed: " + error.message};
  set_writable(false);
  telemetry::log(Level::error, "journal has failed", {{"reason", error.message}});
  queue_.close(*failure_);
  for (bool is_last = false; !is_last;) {
    LogQueue::Taken taken = queue_.take(std::chrono::nanoseconds::zero());
    is_last = taken.is_last;
    fail_calls(std::move(taken), *failure_, metrics_);
  }
}

void SqliteJournal::set_writable(bool writable) {
  writable_.store(writable);
  metrics_.writable.set(writable ? 1 : 0);
}

void SqliteJournal::report() {
  const bool writable = !failure_ && !disk_is_full_ && !journal_->is_over_size();
  set_writable(writable);
  metrics_.low_sequence.set(static_cast<std::int64_t>(journal_->low_sequence()));
  metrics_.last_sequence.set(static_cast<std::int64_t>(journal_->next_sequence() - 1));
  metrics_.followed_sequence.set(static_cast<std::int64_t>(follower_->next() - 1));
  metrics_.kept_records.set(static_cast<std::int64_t>(journal_->kept_rows()));
  metrics_.stored_bytes.set(static_cast<std::int64_t>(journal_->stored_bytes()));
}

}  // namespace carillon::eventlog
