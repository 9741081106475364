#include "campaign/campaign_audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace carillon::campaign {

namespace {

constexpr std::string_view kOrderUpdate = R"({"type":"notification","event":"order_update")";
constexpr std::size_t kMissingMax = 10'000;  // beyond that many a late one counts as repeated

}  // namespace

CampaignAudit::CampaignAudit(const Streams& streams, const std::vector<std::uint32_t>& user_of_client)
    : streams_(streams),
      open_(streams.users()),
      published_(streams.count()),
      order_of_all_(streams.groups(), AgreedOrder(user_of_client.size())) {
  std::vector<std::size_t> followers(streams.users(), 0);
  for (const std::uint32_t user : user_of_client)
    clients_.push_back(make_client(user, user == kNoUser ? 0 : followers[user]++));
  for (const std::size_t count : followers) orders_of_.insert(orders_of_.end(), streams.groups(), AgreedOrder(count));
}

CampaignAudit::Client CampaignAudit::make_client(std::uint32_t user, std::size_t follower) const {
  using Kind = Streams::Kind;
  std::set<std::uint32_t> its = {streams_.to_all(Kind::signal), streams_.to_all(Kind::alert)};
  if (user != kNoUser)
    for (const Kind kind : {Kind::order, Kind::signal, Kind::alert}) its.insert(streams_.of(user, kind));
  Client client{.user = user, .follower = follower};
  for (const std::uint32_t stream : its) client.got.push_back({.stream = stream});
  return client;
}

void CampaignAudit::on_begun(const Mark& last) {
  published_[last.stream].begun = last.number;
}

void CampaignAudit::on_acknowledged(const Mark& last) {
  verdict_.acknowledged += last.number - published_[last.stream].acknowledged;
  published_[last.stream].acknowledged = last.number;
}

void CampaignAudit::on_gap(std::uint32_t client, std::string_view reason) {
  for (Got& got : clients_[client].got) got.gap_announced = true;
  ++verdict_.announced_gaps;
  faults_.add(fmt::format("client {} was told of a gap: {}", client, reason));
}

void CampaignAudit::on_heartbeat(std::uint32_t client, std::uint64_t delivered, std::uint64_t counted) {
  ++verdict_.heartbeats;
  if (delivered == counted) return;
  ++verdict_.wrong_counts;
  faults_.add(fmt::format("client {} counted {} events, the server {}", client, counted, delivered));
}

void CampaignAudit::on_notification(std::uint32_t client, std::string_view text) {
  ++verdict_.deliveries;
  const auto mark = mark_in(text);
  if (!mark || mark->stream >= published_.size() || mark->number > published_[mark->stream].begun)
    return found(verdict_.altered, client, "is not what was published", mark.value_or(Mark{}));
  Client& its = clients_[client];
  Got* const got = got_of(its, mark->stream);
  if (got == nullptr) return found(verdict_.leaked, client, "is another user's", *mark);
  if (mark->number == 0) return found(verdict_.out_of_order, client, "should have been withheld", *mark);
  if (!take(*got, client, *mark)) return;
  if (!is_agreed(client, *mark) && !its.lacks_some)
    found(verdict_.out_of_order, client, "came to others in another order", *mark);
}

void CampaignAudit::on_open(std::uint32_t user, std::vector<std::uint64_t> numbers) {
  open_[user] = std::move(numbers);
}

void CampaignAudit::begin_snapshot(std::uint32_t client) {
  clients_[client].snapshot.clear();
}

void CampaignAudit::on_snapshot(std::uint32_t client, std::string_view text) {
  const auto mark = mark_in(text);
  if (!mark) return found(verdict_.altered, client, "of a snapshot is not what was published", Mark{});
  Client& its = clients_[client];
  if (got_of(its, mark->stream) == nullptr) return found(verdict_.leaked, client, "is another user's", *mark);
  if (text.starts_with(kOrderUpdate)) its.snapshot.push_back(mark->number);
}

void CampaignAudit::end_snapshot(std::uint32_t client) {
  const Client& its = clients_[client];
  const std::vector<std::uint64_t> none;
  const auto& open = its.user == kNoUser ? none : open_[its.user];
  if (its.snapshot == open) return;
  ++verdict_.wrong_states;
  faults_.add(fmt::format("client {} began anew with the orders [{}], and open are [{}]", client,
                          fmt::join(its.snapshot, " "), fmt::join(open, " ")));
}

bool CampaignAudit::is_agreed(std::uint32_t client, const Mark& mark) {
  const Client& its = clients_[client];
  const std::size_t group = streams_.group_of(mark.stream);
  const bool among_its_users = its.user == kNoUser || order_of(its.user, group).take(its.follower, mark);
  const bool among_all = !streams_.is_to_all(mark.stream) || order_of_all_[group].take(client, mark);
  return among_its_users && among_all;
}

bool CampaignAudit::take(Got& got, std::uint32_t client, const Mark& mark) {
  if (mark.number < got.next) {
    const bool was_missing = got.missing.erase(mark.number) > 0;
    if (was_missing) --verdict_.lost;
    found(was_missing ? verdict_.out_of_order : verdict_.repeated, client,
          was_missing ? "came behind a later one" : "came before", mark);
    return false;
  }
  if (mark.number > got.next) jump(got, client, mark);
  got.gap_announced = false;
  got.next = mark.number + 1;
  return true;
}

void CampaignAudit::jump(Got& got, std::uint32_t client, const Mark& mark) {
  if (!got.gap_announced) found(verdict_.unannounced_gaps, client, fmt::format("came when {} was due", got.next), mark);
  clients_[client].lacks_some = true;
  verdict_.lost += mark.number - got.next;
  for (; got.next < mark.number && got.missing.size() < kMissingMax; ++got.next) got.missing.insert(got.next);
}

void CampaignAudit::found(std::uint64_t& figure, std::uint32_t client, std::string_view what, const Mark& mark) {
  ++figure;
  faults_.add(fmt::format("client {}: event {} of stream {} {}", client, mark.number, mark.stream, what));
}

CampaignAudit::Got* CampaignAudit::got_of(Client& client, std::uint32_t stream) {
  const auto got = std::ranges::find(client.got, stream, &Got::stream);
  return got == client.got.end() ? nullptr : &*got;
}

bool CampaignAudit::is_complete() const {
  for (const Published& published : published_)
    if (published.begun != published.acknowledged) return false;
  for (const Client& client : clients_)
    for (const Got& got : client.got)
      if (got.next <= published_[got.stream].acknowledged) return false;
  return true;
}

Verdict CampaignAudit::conclude() const {
  Verdict verdict = verdict_;
  for (const Client& client : clients_) {
    for (const Got& got : client.got) {
      const std::uint64_t due = published_[got.stream].acknowledged + 1;
      if (due > got.next) verdict.lost += due - got.next;
    }
  }
  return verdict;
}

}  // namespace carillon::campaign
