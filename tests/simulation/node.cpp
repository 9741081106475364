#include "simulation/node.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace carillon::simulation {

namespace {

using notification::Outcome;
using Fate = Outcome::Fate;

std::shared_ptr<Publication> copy(const PublicationPtr& publication) {
  return std::make_shared<Publication>(*publication);
}

// What the model calls it.
std::string_view reason_of(const Outcome& outcome) {
  if (!outcome.fault) return outcome.reason;
  const std::string& code = outcome.fault->code;
  return code == "id_conflict" || code == "owner_mismatch" ? std::string_view(code) : "invalid";
}

milliseconds late_after(EventKind kind) {
  return milliseconds{kind == EventKind::system_alert ? 5'000 : 2'000};
}

}  // namespace

void Shard::set_origin(const Position& origin) {
  const bool ignores_trim = breakage_.strikes(Broken::skip_trim_notice, 100);
  hub_.set_origin(ignores_trim ? position_like(origin, Place()) : origin);
  published_up_to_ = origin;
}

void Shard::send(std::vector<PublicationPtr> publications, bool is_kept, MonoTime due) {
  if (publications.empty()) return;
  mails_.push_back({.publications = std::move(publications), .is_kept = is_kept, .due = due});
}

void Shard::receive(MonoTime now, std::size_t mails_max) {
  for (; mails_max > 0 && !mails_.empty() && mails_.front().due <= now; --mails_max) {
    Mail mail = std::move(mails_.front());
    mails_.pop_front();
    if (mail.is_kept) {
      if (!breakage_.strikes(Broken::skip_kept_records, 100)) hub_.remember(mail.publications);
      continue;
    }
    published_up_to_ = mail.publications.back()->position;
    if (breakage_.is_active()) tamper(mail.publications);
    hub_.publish(mail.publications);
  }
}

// Keeps what the window insists on, consecutive sequences and growing ordinals, so that nobody but the model notices.
void Shard::tamper(std::vector<PublicationPtr>& publications) {
  std::vector<std::shared_ptr<Publication>> out;
  for (const PublicationPtr& publication : publications) {
    if (breakage_.strikes(Broken::drop_publication, 10)) continue;
    auto mine = copy(publication);
    const bool is_order = mine->kind == EventKind::order_update;
    if (is_order && breakage_.strikes(Broken::misroute_order)) mine->owner = mine->owner == "ann" ? "Ann" : "ann";
    if (breakage_.strikes(Broken::widen_audience)) mine->audience.clear();
    if (breakage_.strikes(Broken::other_bytes, 10)) mine->frame[mine->frame.rfind('1')] = '2';
    out.push_back(mine);
    const Ordinal after = mine->ordinal + 1;
    const bool has_room = &publication != &publications.back() && (&publication + 1)->get()->ordinal > after;
    if (!has_room || !breakage_.strikes(Broken::repeat_publication)) continue;
    out.push_back(copy(mine));
    out.back()->ordinal = after;
  }
  if (out.size() > 1 && breakage_.strikes(Broken::swap_publications)) {
    std::swap(out[0], out[1]);
    std::swap(out[0]->ordinal, out[1]->ordinal);
  }
  if (out.size() > 1 && breakage_.strikes(Broken::drop_at_seam)) out.erase(out.begin());
  for (const auto& publication : out) publication->sequence = next_sequence_++;
  publications.assign(out.begin(), out.end());
}

Node::Node(std::size_t index, const Scenario& scenario, Breakage& breakage, SimulatedLog& log, Random& random,
           const Clock& clock)
    : index_(index),
      breakage_(breakage),
      log_(log),
      random_(random),
      clock_(clock),
      options_{.orders = {.terminal_memory = scenario.terminal_memory},
               .filters_duplicates = scenario.is_broker,
               .duplicates = {.age = scenario.id_memory}},
      processor_(options_),
      first_(log.first()),
      history_end_(log.truth().entries().size()),
      origin_(log.truth().read(log.position_of(log.origin()).text).value()),
      place_(log.origin()) {
  for (std::size_t lane = 0; lane < scenario.lanes; ++lane)
    next_.push_back(log.truth().count_up_to(lane, origin_[lane]));
  for (std::size_t i = 0; i < scenario.shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(scenario, breakage));
    shards_.back()->set_origin(log.position_of(place_));
  }
  std::vector<PublicationPtr> kept;
  for (const std::size_t entry : log.kept()) (void)take(entry, true, kept);
  send(kept, true);
}

std::optional<std::string> Node::follow(std::size_t records_max) {
  std::vector<PublicationPtr> publications;
  std::optional<std::string> wrong;
  for (; !wrong && records_max > 0 && draw_lane(); --records_max)
    wrong = take(log_.truth().lanes()[lane_][next_[lane_]++], false, publications);
  send(publications, false);
  return wrong;
}

// Mostly it goes on in the lane where it is.
bool Node::draw_lane() {
  const auto& lanes = log_.truth().lanes();
  std::vector<std::size_t> unread;
  for (std::size_t lane = 0; lane < lanes.size(); ++lane)
    if (next_[lane] < lanes[lane].size()) unread.push_back(lane);
  if (unread.empty()) return false;
  if (next_[lane_] == lanes[lane_].size() || random_.percent(20)) lane_ = random_.pick(unread);
  return true;
}

std::size_t Node::first_unread() const {
  const auto& lanes = log_.truth().lanes();
  std::size_t first = log_.truth().entries().size();
  for (std::size_t lane = 0; lane < lanes.size(); ++lane)
    if (next_[lane] < lanes[lane].size()) first = std::min(first, lanes[lane][next_[lane]]);
  return first;
}

std::optional<std::string> Node::take(std::size_t entry, bool is_kept, std::vector<PublicationPtr>& out) {
  const Entry& meant = log_.truth().entries()[entry];
  eventlog::StoredRecord record = log_.record(entry, is_kept);
  Place alone;
  Place& place = is_kept ? alone : place_;
  place.pass(record.lane, record.offset);
  record.position = log_.position_of(place);
  record.ordinal = last_ordinal_ += 1 + entry % 3;
  ordinals_[entry] = record.ordinal;
  entries_[record.ordinal] = entry;
  const bool is_history = entry < history_end_ && !breakage_.strikes(Broken::history_is_late, 100);
  const notification::Moment moment{.wall = clock_.wall_now(), .mono = clock_.mono_now(), .is_history = is_history};
  Outcome outcome = processor_.process(record, moment);
  if (!is_kept) {
    read_.push_back(entry);
    taken_[entry] = {entry < history_end_ ? record.logged_at : moment.wall, moment.mono};
  }
  if (breakage_.is_active()) break_outcome(record, moment, outcome);
  if (outcome.step) settle(*outcome.step);
  if (outcome.publication) out.push_back(outcome.publication);
  // While something is broken on purpose, its clients have to notice.
  if (breakage_.is_active()) return std::nullopt;
  if (outcome.publication != nullptr && outcome.is_late != is_late(entry) && !is_kept)
    return meant.name + " is told late or not, wrongly";
  if (reason_of(outcome) == meant.reason && (outcome.publication != nullptr) == meant.is_published())
    return std::nullopt;
  return "the record " + meant.name + " should be " + (meant.is_published() ? "published" : "told to nobody: ") +
         std::string(meant.reason) + ", and is " + (outcome.publication ? "published" : "not: ") +
         std::string(reason_of(outcome));
}

void Node::settle(const eventlog::Settled::OrderStep& step) {
  log_.settle({.ordinal = entries_.at(step.ordinal) + 1,
               .previous = step.previous == 0 ? 0 : entries_.at(step.previous) + 1,
               .is_terminal = step.is_terminal});
}

bool Node::is_late(std::size_t entry) const {
  const Entry& found = log_.truth().entries()[entry];
  const auto taken = taken_.find(entry);
  const WallTime at = taken == taken_.end() ? found.logged_at : taken->second.for_lateness;
  return at - found.time() > late_after(found.meaning.kind);
}

bool Node::took(MonoTime at, std::size_t user, Grants grants) const {
  return std::ranges::any_of(taken_, [&](const auto& taken) {
    const Entry& entry = log_.truth().entries()[taken.first];
    return taken.second.at == at && entry.is_published() && Truth::concerns(entry, user, grants);
  });
}

// The rules, broken: what they withhold is published as they would publish it if they knew nothing of the past.
void Node::break_outcome(const eventlog::StoredRecord& record, const notification::Moment& moment, Outcome& outcome) {
  struct Leak {
    Broken broken;
    std::string_view reason;
  };
  static constexpr Leak kLeaks[] = {
      {Broken::accept_after_terminal, "after_terminal"}, {Broken::accept_lower_filled, "filled_fell"},
      {Broken::accept_equal_repeat, "repeat"},           {Broken::accept_submitted_again, "submitted_again"},
      {Broken::accept_other_owner, "owner_mismatch"},    {Broken::accept_duplicate, "duplicate"},
      {Broken::accept_id_conflict, "id_conflict"},
  };
  const bool is_told = outcome.publication != nullptr;
  for (const Leak& leak : kLeaks) {
    if (is_told || reason_of(outcome) != leak.reason || !breakage_.strikes(leak.broken, 100)) continue;
    outcome.publication = notification::RecordProcessor(options_).process(record, moment).publication;
  }
  if (!is_told) return;
  const bool withheld = breakage_.strikes(Broken::withhold_valid, 10) ||
                        (index_ == 1 && breakage_.strikes(Broken::withhold_on_one_node, 10));
  if (withheld) outcome = {.fate = Fate::withheld};
}

void Node::send(const std::vector<PublicationPtr>& publications, bool is_kept) {
  for (const auto& shard : shards_)
    shard->send(publications, is_kept, clock_.mono_now() + milliseconds{random_.between(0, 30)});
}

bool Node::is_ready() const {
  return first_unread() >= history_end_ &&
         std::ranges::all_of(shards_, [](const auto& shard) { return shard->is_idle(); });
}

}  // namespace carillon::simulation
