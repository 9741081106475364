#include "eventlog/broker_log.hpp"

#include <random>
#include <string>
#include <utility>

#include "base/short_slice.hpp"
#include "telemetry/log.hpp"

namespace carillon::eventlog {

using telemetry::Level;

namespace {

constexpr int kNamingTries = 3;

const Error kNotRunning{ErrorKind::unavailable, "the log is not running"};
const Error kLost{ErrorKind::unavailable, "the broker that holds the log cannot be reached"};

}  // namespace

BrokerLog::BrokerLog(std::unique_ptr<Broker> broker, Options options, const Clock& clock, telemetry::Registry& registry)
    : broker_(std::move(broker)),
      options_(std::move(options)),
      clock_(clock),
      metrics_(registry),
      queue_(options_.queue),
      link_(broker_->name(), clock, registry) {}

BrokerLog::~BrokerLog() {
  stop();
}

Result<> BrokerLog::start(RecordSink& sink) {
  Backoff backoff(options_.following.backoff, std::random_device{}());
  while (true) {
    auto opened = open();
    if (opened) {
      run(std::move(*opened), sink);
      return {};
    }
    if (opened.error().kind != ErrorKind::unavailable && opened.error().kind != ErrorKind::full)
      return std::unexpected(opened.error());
    link_.down(BrokerLink::End::reader, opened.error());
    if (!link_.wait(backoff.next())) return std::unexpected(opened.error());
  }
}

Result<BrokerLog::Opened> BrokerLog::open() {
  Opened opened{
      .reader = broker_->make_reader(), .writer = broker_->make_writer(), .extent = {}, .notes = {}, .after = {}};
  auto extent = opened.reader->connect();
  if (!extent) return std::unexpected(extent.error());
  opened.extent = std::move(*extent);
  if (const auto connected = opened.writer->connect(); !connected) return std::unexpected(connected.error());
  auto notes = identify(*opened.writer, opened.extent);
  if (!notes) return std::unexpected(notes.error());
  opened.notes = std::move(*notes);
  const auto wanted = opened.reader->place_at(clock_.wall_now() - options_.history);
  if (!wanted) return std::unexpected(wanted.error());
  opened.after = opened.extent.before_first;
  opened.after.pass(*wanted);
  opened.after.widen(opened.extent.last.lanes());
  if (const auto sought = opened.reader->seek(opened.after); !sought) return std::unexpected(sought.error());
  return opened;
}

// Finds out from the notes which log this is, and gives it a name where it has none, or where the one of that name
// cannot be this.
Result<LogNotes> BrokerLog::identify(BrokerWriter& writer, const Extent& extent) {
  for (int tries = 0;; ++tries) {
    const auto texts = writer.read_notes();
    if (!texts) return std::unexpected(texts.error());
    LogNotes notes = LogNotes::read(*texts);
    const auto& identity = notes.identity();
    if (identity && identity->fits(extent.incarnation, extent.last, extent.added)) return notes;
    if (tries == kNamingTries)
      return fail(ErrorKind::unavailable, broker_->name() + ": the notes beside the log do not say which log it is");
    const LogIdentity next{.epoch = std::random_device{}() | 1U,
                           .incarnation = extent.incarnation,
                           .reached = extent.last,
                           .added = extent.added};
    telemetry::log(Level::info, identity ? "the log is another one than before" : "the log is new",
                   {{"log", broker_->name()}});
    const auto written = writer.append_note(encode_epoch_note(next, identity ? identity->epoch : 0));
    if (!written) return std::unexpected(written.error());
  }
}

void BrokerLog::run(Opened opened, RecordSink& sink) {
  for (const std::string& warning : opened.writer->warnings())
    telemetry::log(Level::warning, "weak acknowledgement", {{"log", broker_->name()}, {"reason", warning}});
  LogIdentity identity = *opened.notes.identity();
  identity.incarnation = opened.extent.incarnation;
  identity.reached.pass(opened.extent.last);
  identity.added = opened.extent.added;
  positions_.emplace(broker_->letter(), identity.epoch);
  origin_ = {.position = positions_->of(opened.after), .buried_up_to = {}};
  origin_.buried_up_to = opened.notes.buried_up_to(origin_.position);

  follower_.emplace(std::move(opened.reader), sink, *positions_, std::move(opened.after), std::move(opened.extent),
                    ids_, link_, options_.following, clock_, metrics_);
  appender_.emplace(
      std::move(opened.writer), queue_, *positions_, std::move(identity), origin_.buried_up_to, ids_, link_,
      [this] { return follower_->read_up_to(); }, options_.appending, clock_, metrics_);
  link_.up(BrokerLink::End::reader);
  link_.up(BrokerLink::End::writer);
  queue_.open();
  is_started_ = true;
  appending_ = std::thread([this] {
    ask_for_short_slices();
    appender_->run();
  });
  following_ = std::thread([this] {
    ask_for_short_slices();
    follower_->run([this] { queue_.wake(); }, [this](GapReason reason) { on_end(reason); });
  });
}

void BrokerLog::on_end(GapReason reason) {
  telemetry::log(Level::error, "the log does not go on after what was followed",
                 {{"log", broker_->name()}, {"reason", to_string(reason)}});
  const auto tell = [this, reason] {
    if (options_.on_gap) options_.on_gap(reason);
  };
  if (reason == GapReason::epoch) return appender_->condemn(tell);
  tell();
}

void BrokerLog::stop() {
  link_.stop();
  if (!is_started_.exchange(false)) return;
  follower_->stop();
  following_.join();
  queue_.close(kNotRunning);
  appending_.join();
}

std::expected<Place, GapReason> BrokerLog::locate(std::string_view position) const {
  if (!positions_) return std::unexpected(GapReason::unknown);
  return positions_->locate(position);
}

void BrokerLog::has_reached(Place place, ReachedDone done) {
  ReachedCall call{std::move(place), std::move(done)};
  if (!is_started_) return call.done(std::unexpected(kNotRunning));
  if (auto pushed = queue_.push(call); !pushed) call.done(std::unexpected(pushed.error()));
}

void BrokerLog::append(std::vector<Record> records, AppendDone done) {
  AppendCall call{std::move(records), std::move(done)};
  if (is_started_ && !link_.is_up()) return call.done(std::unexpected(kLost));
  if (auto pushed = queue_.push(call); !pushed) call.done(std::unexpected(pushed.error()));
}

void BrokerLog::sink_has_room() {
  if (follower_) follower_->sink_has_room();
}

void BrokerLog::put_dead_letter(DeadLetter letter) {
  DeadLetterCall call = PutDeadLetter{std::move(letter)};
  if (auto pushed = queue_.push(call); !pushed)
    telemetry::log(Level::warning, "dead letter not kept", {{"reason", pushed.error().message}});
}

void BrokerLog::list_dead_letters(std::size_t limit, DeadLettersDone done) {
  DeadLetterCall call = ListDeadLetters{limit, std::move(done)};
  if (auto pushed = queue_.push(call); !pushed) std::get<ListDeadLetters>(call).done(std::unexpected(pushed.error()));
}

void BrokerLog::remove_dead_letter(Position position, Done done) {
  DeadLetterCall call = RemoveDeadLetter{std::move(position), std::move(done)};
  if (auto pushed = queue_.push(call); !pushed) std::get<RemoveDeadLetter>(call).done(std::unexpected(pushed.error()));
}

bool BrokerLog::is_writable() const {
  return is_started_ && link_.is_up() && !appender_->is_full();
}

bool BrokerLog::has_caught_up() const {
  return is_started_ && follower_->has_caught_up();
}

}  // namespace carillon::eventlog
