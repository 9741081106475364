#include "eventlog/broker_appender.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <span>
#include <unordered_map>
#include <utility>

#include "telemetry/log.hpp"

namespace carillon::eventlog {

using std::chrono::duration;
using telemetry::Level;

namespace {

constexpr milliseconds kIdle{1000};
constexpr milliseconds kPlacing{20};

Error conflict_of(const std::string& id) {
  return {ErrorKind::conflict, "the id " + id + " belongs to a record with other content"};
}

}  // namespace

BrokerAppender::BrokerAppender(std::unique_ptr<BrokerWriter> writer, LogQueue& queue, const LogPositions& positions,
                               LogIdentity identity, Place buried_up_to, KnownIds& ids, BrokerLink& link,
                               ReadUpTo read_up_to, const Options& options, const Clock& clock,
                               telemetry::Registry& metrics)
    : writer_(std::move(writer)),
      queue_(queue),
      positions_(positions),
      identity_(std::move(identity)),
      buried_up_to_(std::move(buried_up_to)),
      ids_(ids),
      link_(link),
      read_up_to_(std::move(read_up_to)),
      options_(options),
      clock_(clock),
      backoff_(options.backoff, std::random_device{}()),
      losses_(link.losses()),
      outcomes_(metrics, {.appends = "carillon_log_appends_total", .records = "carillon_log_records_total"}),
      append_seconds_(
          metrics.histogram("carillon_log_append_seconds", "From the begin of a group to its last answer.")),
      letters_put_(metrics.counter("carillon_log_dead_letters_total", "Dead letters written beside the log.")),
      letters_lost_(metrics.counter("carillon_log_dead_letters_lost_total", "Dead letters with no room to wait.")),
      queue_calls_(metrics.gauge("carillon_log_queue_calls", "Append calls found waiting for the last group.")) {}

void BrokerAppender::run() {
  write_mark();
  for (bool is_last = false; !is_last;) {
    LogQueue::Taken taken = queue_.take(patience());
    is_last = taken.is_last;
    queue_calls_.set(static_cast<std::int64_t>(taken.calls_waiting));
    connect_when_due();
    say_condemned();
    append(std::move(taken.appends));
    for (DeadLetterCall& call : taken.dead_letters) take(call);
    write_letters();
    answer(std::move(taken.reached));
    place_what_was_read();
  }
  if (is_connected_) write_mark();
  for (Unplaced& each : unplaced_) refuse(std::move(each.done), {ErrorKind::unavailable, "the log was stopped"});
}

milliseconds BrokerAppender::patience() const {
  if (!unplaced_.empty()) return kPlacing;
  if (is_connected_) return kIdle;
  const auto wait = std::chrono::ceil<milliseconds>(next_try_ - clock_.mono_now());
  return std::clamp(wait, milliseconds{0}, kIdle);
}

bool BrokerAppender::connect_when_due() {
  if (is_connected_ && losses_ == link_.losses()) return true;
  is_connected_ = false;
  if (clock_.mono_now() < next_try_) return false;
  losses_ = link_.losses();
  if (const auto connected = writer_->connect(); !connected) {
    lose(connected.error());
    return false;
  }
  is_connected_ = true;
  backoff_.reset();
  link_.up(BrokerLink::End::writer);
  return true;
}

void BrokerAppender::lose(const Error& error) {
  is_connected_ = false;
  last_error_ = {ErrorKind::unavailable, error.message};
  next_try_ = clock_.mono_now() + backoff_.next();
  link_.down(BrokerLink::End::writer, error);
}

void BrokerAppender::append(std::vector<AppendCall> calls) {
  if (calls.empty()) return;
  if (!connect_when_due()) {
    for (AppendCall& call : calls) refuse(std::move(call.done), last_error_);
    return;
  }
  std::vector<Record> fresh;
  std::vector<Plan> plans = plan(std::move(calls), fresh);
  const auto stood = write(fresh);
  if (stood) {
    for (Plan& each : plans) answer(std::move(each), fresh, *stood);
    return;
  }
  const bool is_one_to_blame = stood.error().kind == ErrorKind::invalid && plans.size() > 1;
  for (Plan& each : plans) {
    if (!is_one_to_blame) {
      refuse(std::move(each.call.done), stood.error());
      continue;
    }
    take_back(each, fresh);
    std::vector<AppendCall> alone;
    alone.push_back(std::move(each.call));
    append(std::move(alone));
  }
}

Result<std::vector<BrokerWriter::Stood>> BrokerAppender::write(std::span<const Record> fresh) {
  if (fresh.empty()) return {};
  const MonoTime begin = clock_.mono_now();
  auto stood = writer_->append(fresh);
  append_seconds_.observe(duration<double>(clock_.mono_now() - begin).count());
  if (stood) {
    note_full(nullptr);
  } else if (stood.error().kind == ErrorKind::full || stood.error().kind == ErrorKind::invalid) {
    // It answers, so it is there: only the connection begins anew.
    is_connected_ = false;
    next_try_ = clock_.mono_now();
    if (stood.error().kind == ErrorKind::full) note_full(&stood.error());
  } else {
    lose(stood.error());
  }
  return stood;
}

void BrokerAppender::note_full(const Error* error) {
  if (is_full_.exchange(error != nullptr) == (error != nullptr)) return;
  if (error != nullptr) {
    telemetry::log(Level::error, "event log takes no events", {{"reason", error->message}});
  } else {
    telemetry::log(Level::info, "event log takes events again");
  }
}

void BrokerAppender::take_back(Plan& plan, std::vector<Record>& fresh) {
  for (std::size_t i = 0; i < plan.slots.size(); ++i) {
    const Slot& slot = plan.slots[i];
    if (slot.fresh && !slot.is_repeat) plan.call.records[i] = std::move(fresh[*slot.fresh]);
  }
}

// Decides for each call whether it can be appended at all, and collects the records that are new.
std::vector<BrokerAppender::Plan> BrokerAppender::plan(std::vector<AppendCall> calls, std::vector<Record>& fresh) {
  Slots planned;
  std::vector<Plan> plans;
  for (AppendCall& call : calls) {
    Plan plan{std::move(call), {}};
    const std::size_t before = fresh.size();
    std::optional<Error> conflict;
    for (Record& record : plan.call.records) {
      Slot slot{.content = KnownIds::content_of(record.bytes), .fresh = fresh.size(), .known = {}, .is_repeat = false};
      if (auto same = find(record.id, planned)) {
        if (same->content != slot.content) {
          conflict = conflict_of(record.id);
          break;
        }
        same->is_repeat = true;
        plan.slots.push_back(*same);
        continue;
      }
      planned.emplace(record.id, slot);
      plan.slots.push_back(slot);
      fresh.push_back(std::move(record));
    }
    if (!conflict) {
      plans.push_back(std::move(plan));
      continue;
    }
    for (std::size_t i = before; i < fresh.size(); ++i) planned.erase(fresh[i].id);
    fresh.resize(before);
    refuse(std::move(plan.call.done), *conflict);
  }
  return plans;
}

// The record of that id that there is already, as far as this node knows.
std::optional<BrokerAppender::Slot> BrokerAppender::find(const std::string& id, const Slots& planned) const {
  if (const auto at = planned.find(id); at != planned.end()) return at->second;
  if (const auto known = ids_.find(id)) {
    return Slot{.content = known->content, .fresh = {}, .known = known, .is_repeat = false};
  }
  const auto unread = unread_contents_.find(id);
  if (unread == unread_contents_.end()) return std::nullopt;
  return Slot{.content = unread->second, .fresh = {}, .known = {}, .is_repeat = false};
}

void BrokerAppender::answer(Plan plan, const std::vector<Record>& fresh,
                            const std::vector<BrokerWriter::Stood>& stood) {
  Appended appended;
  std::optional<KnownIds::Known> last;
  for (const Slot& slot : plan.slots) {
    last = slot.known;
    bool is_repeat = slot.is_repeat;
    if (slot.fresh) {
      const std::string& id = fresh[*slot.fresh].id;
      const BrokerWriter::Stood& at = stood[*slot.fresh];
      // The broker knows ids, not contents.
      const auto known = at.is_repeat ? ids_.find(id) : std::nullopt;
      if (known && known->content != slot.content) return refuse(std::move(plan.call.done), conflict_of(id));
      is_repeat = is_repeat || at.is_repeat;
      last = note(id, slot.content, at);
    }
    ++(is_repeat ? appended.duplicates : appended.accepted);
  }
  if (last) {
    appended.position = position_at(last->lane, last->offset);
    return finish(std::move(plan.call.done), appended);
  }
  const Slot& unplaced = plan.slots.back();
  unplaced_.push_back({.id = unplaced.fresh ? fresh[*unplaced.fresh].id : plan.call.records.back().id,
                       .appended = std::move(appended),
                       .done = std::move(plan.call.done),
                       .deadline = clock_.mono_now() + options_.append_timeout});
}

// Where a record stands that was appended; nothing where the reader will find it.
std::optional<KnownIds::Known> BrokerAppender::note(const std::string& id, std::uint64_t content,
                                                    const BrokerWriter::Stood& stood) {
  if (stood.offset) {
    const KnownIds::Known known{content, stood.lane, *stood.offset};
    ids_.remember(id, known, clock_.wall_now());
    return known;
  }
  if (unread_contents_.emplace(id, content).second) {
    unread_.push_back({id, clock_.mono_now() + options_.append_timeout});
  }
  return std::nullopt;
}

void BrokerAppender::finish(EventLog::AppendDone done, const Appended& appended) {
  outcomes_.count(appended);
  done(appended);
}

void BrokerAppender::refuse(EventLog::AppendDone done, const Error& error) {
  outcomes_.count(error);
  done(std::unexpected(error));
}

void BrokerAppender::forget_what_was_read() {
  while (!unread_.empty() && (ids_.find(unread_.front().id) || clock_.mono_now() >= unread_.front().deadline)) {
    unread_contents_.erase(unread_.front().id);
    unread_.pop_front();
  }
}

void BrokerAppender::place_what_was_read() {
  forget_what_was_read();
  while (!unplaced_.empty()) {
    Unplaced& first = unplaced_.front();
    const auto known = ids_.find(first.id);
    if (!known && clock_.mono_now() < first.deadline) return;
    if (known) {
      first.appended.position = position_at(known->lane, known->offset);
      finish(std::move(first.done), first.appended);
    } else {
      refuse(std::move(first.done),
             {ErrorKind::unavailable, "the broker has the records, but they were not read back"});
    }
    unplaced_.pop_front();
  }
}

// What this node has read, and that record too: exact where the log is one lane.
Position BrokerAppender::position_at(std::uint32_t lane, Offset offset) const {
  Place place = read_up_to_();
  if (place.lanes() <= 1 && lane == 0) return positions_.of(Place(offset));
  place.pass(lane, offset);
  return positions_.of(place);
}

void BrokerAppender::take(DeadLetterCall& call) {
  if (auto* put = std::get_if<PutDeadLetter>(&call)) return keep(std::move(put->letter));
  if (auto* wanted = std::get_if<ListDeadLetters>(&call)) return list(*wanted);
  remove(std::get<RemoveDeadLetter>(call));
}

void BrokerAppender::keep(DeadLetter letter) {
  const auto place = positions_.locate(letter.position.text);
  if (place && buried_up_to_.covers(*place)) return;
  if (place) buried_up_to_.pass(*place);
  letter_bytes_ += letter.bytes.size();
  letters_.push_back(std::move(letter));
  while (letters_.size() > kLettersMax || letter_bytes_ > kLetterBytesMax) {
    letter_bytes_ -= letters_.front().bytes.size();
    letters_.pop_front();
    letters_lost_.add();
  }
}

void BrokerAppender::write_letters() {
  while (!letters_.empty() && is_connected_) {
    const auto written = write_note(encode_letter_note(letters_.front()));
    if (!written) return;
    letters_put_.add();
    letter_bytes_ -= letters_.front().bytes.size();
    letters_.pop_front();
  }
}

Result<> BrokerAppender::write_note(const std::string& note) {
  if (!is_connected_) return std::unexpected(last_error_);
  if (auto written = writer_->append_note(note); !written) {
    lose(written.error());
    return written;
  }
  // The oldest notes leave, and one must always say which log this is.
  if (++notes_since_mark_ >= kNotesBetweenMarks) write_mark();
  return {};
}

void BrokerAppender::write_mark() {
  notes_since_mark_ = 0;
  if (!is_connected_) return;
  identity_.reached.pass(read_up_to_());
  // Without it a later mark says the same.
  if (const auto written = writer_->append_note(encode_mark_note(identity_)); !written) lose(written.error());
}

Result<LogNotes> BrokerAppender::read_notes() {
  if (!is_connected_) return std::unexpected(last_error_);
  const auto notes = writer_->read_notes();
  if (!notes) {
    lose(notes.error());
    return std::unexpected(last_error_);
  }
  return LogNotes::read(*notes);
}

void BrokerAppender::list(ListDeadLetters& call) {
  write_letters();
  const auto notes = read_notes();
  if (!notes) return call.done(std::unexpected(notes.error()));
  const auto& letters = notes->letters();
  const auto count = static_cast<std::ptrdiff_t>(std::min(call.limit, letters.size()));
  call.done(std::vector<DeadLetter>(letters.rbegin(), letters.rbegin() + count));
}

void BrokerAppender::remove(RemoveDeadLetter& call) {
  write_letters();
  const auto notes = read_notes();
  if (!notes) return call.done(std::unexpected(notes.error()));
  if (!notes->has_letter(call.position)) return call.done(fail(ErrorKind::not_found, "no dead letter is there"));
  call.done(write_note(encode_removed_note(call.position)));
}

// One look at the end answers all who asked before it. Without it there is no telling that a place never was.
void BrokerAppender::answer(std::vector<ReachedCall> calls) {
  if (calls.empty()) return;
  Place end = read_up_to_();
  if (is_connected_) {
    if (const auto now = writer_->end(); now) {
      end.pass(*now);
    } else {
      lose(now.error());
    }
  }
  for (ReachedCall& call : calls) {
    const bool is_reached = end.covers(call.place);
    call.done(is_reached || is_connected_ ? Result<bool>(is_reached) : std::unexpected(last_error_));
  }
}

void BrokerAppender::condemn(std::function<void()> then) {
  {
    const std::lock_guard lock(condemned_mutex_);
    condemned_ = std::move(then);
  }
  queue_.wake();
}

void BrokerAppender::say_condemned() {
  std::function<void()> then;
  {
    const std::lock_guard lock(condemned_mutex_);
    then = std::exchange(condemned_, nullptr);
  }
  if (!then) return;
  LogIdentity next{.epoch = std::random_device{}() | 1U, .incarnation = {}, .reached = {}, .added = 0};
  if (const auto said = write_note(encode_epoch_note(next, identity_.epoch)); !said)
    telemetry::log(Level::warning, "log's new epoch not written", {{"reason", said.error().message}});
  then();
}

}  // namespace carillon::eventlog
