#include "campaign/batch_publisher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/json.hpp"

namespace carillon::campaign {

namespace {

constexpr std::uint32_t kBatchMax = 300;  // events; with those for nobody well under the protocol's 1000
constexpr milliseconds kBetweenBatches{10};
constexpr std::uint32_t kBackOffMs = 80;
constexpr std::uint32_t kPatienceMinMs = 500, kPatienceMaxMs = 4000;
constexpr double kToAllShare = 0.01;  // of the events of all publishers, each of signals and alerts
constexpr std::uint32_t kRepeatOneIn = 40;

std::uint64_t number_in(const json::Document& answer, std::string_view name) {
  const auto member = answer.root().find(name);
  const std::string_view digits = member ? member->text() : std::string_view();
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

BatchPublisher::BatchPublisher(runtime::Loop& loop, bench::ConnectionRoom& room, const bench::Target& target,
                               CampaignAudit& audit, bench::Faults& faults, Plan plan)
    : loop_(loop),
      target_(target),
      audit_(audit),
      faults_(faults),
      plan_(std::move(plan)),
      random_(plan_.seed),
      client_(0, loop, room, *this),
      signals_{audit.streams().to_all(Streams::Kind::signal), 0},
      alerts_{audit.streams().to_all(Streams::Kind::alert), 0} {
  for (const std::uint32_t user : plan_.users) streams_.emplace_back(user, audit_.streams(), random_());
}

void BatchPublisher::start() {
  started_ = std::chrono::steady_clock::now();
  connect();
}

void BatchPublisher::connect() {
  idle_ = false;
  if (!client_.open(target_, target_.token("campaign-publisher", "publish")))
    loop_.arm(timer_, milliseconds(1 + random(kBackOffMs)));
}

void BatchPublisher::on_timer() {
  if (posted_) {
    ++figures_.given_up;
    client_.close();
    return on_lost(client_, "no answer");
  }
  if (client_.is_lost()) return connect();
  go_on();
}

void BatchPublisher::on_idle(bench::RestClient&) {
  idle_ = true;
  if (!timer_.is_armed()) go_on();
}

void BatchPublisher::go_on() {
  if (!idle_ || has_finished()) return;
  if (body_.empty()) make_batch();
  if (body_.empty()) return loop_.arm(timer_, kBetweenBatches);
  idle_ = false;
  posted_ = true;
  client_.post(body_);
  if (plan_.many_nodes) loop_.arm(timer_, milliseconds(kPatienceMinMs + random(kPatienceMaxMs - kPatienceMinMs)));
}

void BatchPublisher::make_batch() {
  const std::chrono::duration<double> since = std::chrono::steady_clock::now() - started_;
  const double due = plan_.events_per_second * since.count() - made_;
  if (due < 1) return;
  const auto count = std::min(static_cast<std::uint32_t>(std::min(due, 1e6)), 1 + random(kBatchMax));
  made_ += count;
  body_ = "[";
  in_body_ = ours_in_body_ = 0;
  in_doubt_ = stored_ = false;
  for (std::uint32_t i = 0; i < count; ++i) append_event();
  body_ += ']';
  tell_audit(&CampaignAudit::on_begun);
}

void BatchPublisher::tell_audit(void (CampaignAudit::*what)(const Mark& last)) const {
  for (const UserEvents& events : streams_)
    for (const Mark& last : events.last()) (audit_.*what)(last);
  if (plan_.signals) (audit_.*what)(signals_);
  if (plan_.alerts) (audit_.*what)(alerts_);
}

void BatchPublisher::tell_open() const {
  for (const UserEvents& events : streams_) audit_.on_open(events.user(), events.open());
}

void BatchPublisher::append_event() {
  const double to_all = kToAllShare * audit_.streams().users() / static_cast<double>(plan_.users.size());
  const double choice = std::uniform_real_distribution<double>()(random_);
  const bool is_signal = plan_.signals && choice < to_all;
  const bool is_alert = plan_.alerts && choice >= 1 - to_all;
  ++ours_in_body_;
  if (!is_signal && !is_alert) {
    in_body_ += streams_[random(static_cast<std::uint32_t>(streams_.size()))].append_next(body_);
    return;
  }
  ++in_body_;
  if (body_.back() != '[') body_ += ',';
  ++(is_signal ? signals_ : alerts_).number;
  body_ += is_signal ? signal_envelope(signals_, "") : alert_envelope(alerts_, "");
}

void BatchPublisher::on_answer(bench::RestClient&, int status, std::string_view body) {
  posted_ = false;
  timer_.disarm();
  if (status == 202) return on_accepted(body);
  // Not ready, or its log is busy with something; the batch may be in it or not.
  in_doubt_ = true;
  ++figures_.put_off;
  loop_.arm(timer_, milliseconds(1 + random(kBackOffMs)));
  if (status != 503) faults_.add(fmt::format("a call was answered with {}: {}", status, body.substr(0, 300)));
}

// All of a batch is accepted or none of it (protocol 8.5), and what had been accepted is accepted still. Where several
// nodes append, the one asked may not know of all of that yet.
bool BatchPublisher::is_plausible(std::uint64_t accepted, std::uint64_t duplicates) const {
  const bool is_new = accepted == in_body_ && duplicates == 0;
  const bool was_stored = accepted == 0 && duplicates == in_body_;
  const bool is_repeat = stored_ || in_doubt_;
  if (plan_.many_nodes && is_repeat) return accepted + duplicates == in_body_;
  return stored_ ? was_stored : is_new || (in_doubt_ && was_stored);
}

void BatchPublisher::on_accepted(std::string_view body) {
  const auto answer = json::Document::parse(body);
  const std::uint64_t accepted = answer ? number_in(*answer, "accepted") : 0;
  const std::uint64_t duplicates = answer ? number_in(*answer, "duplicates") : 0;
  if (!is_plausible(accepted, duplicates))
    faults_.add(fmt::format("of a batch of {}{} were accepted {} and duplicates {}", in_body_,
                            stored_ ? ", repeated," : "", accepted, duplicates));
  if (!stored_) {
    ++figures_.calls;
    figures_.for_nobody += in_body_ - ours_in_body_;
    if (duplicates > 0) ++figures_.found_stored;
    tell_audit(&CampaignAudit::on_acknowledged);
  }
  const bool repeats = !stored_ && !finishing_ && random(kRepeatOneIn) == 0;
  if (repeats) ++figures_.repeated;
  stored_ = repeats;
  if (!repeats) body_.clear();
}

void BatchPublisher::on_lost(bench::RestClient&, std::string_view) {
  idle_ = false;
  if (std::exchange(posted_, false)) {
    ++figures_.outcomes_unknown;
    in_doubt_ = true;
  }
  if (!has_finished()) loop_.arm(timer_, milliseconds(1 + random(kBackOffMs)));
}

}  // namespace carillon::campaign
