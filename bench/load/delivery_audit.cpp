#include "load/delivery_audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace carillon::bench {

DeliveryAudit::DeliveryAudit(const EventBook& book, const Schedule& schedule, const Audience& audience,
                             bool keeps_arrivals)
    : book_(book),
      schedule_(schedule),
      audience_(audience),
      next_(audience.clients, 0),
      got_(audience.clients, 0),
      text_hashes_(book.size(), 0),
      arrivals_(keeps_arrivals ? book.size() : 0) {
  for (std::uint32_t client = 0; client < audience.clients; ++client) due_ += book.count_for(client % audience.users);
  if (due_ == 0) all_came_.set_value();
}

void DeliveryAudit::on_notification(std::uint32_t client, std::string_view text, MonoTime now) {
  const auto number = book_.number_in(text);
  if (!number) return faults_.add(fmt::format("client {} got an event that is not of this run", client));
  if (!book_.is_for(*number, client % audience_.users))
    return faults_.add(fmt::format("client {} got event {}, which is another user's", client, *number));
  if (*number < next_[client])
    return faults_.add(fmt::format("client {} got event {} again or behind a later one", client, *number));
  if (!is_as_published(*number, text))
    return faults_.add(fmt::format("client {} got event {} with other bytes than it should have", client, *number));
  next_[client] = static_cast<std::uint32_t>(*number) + 1;
  ++got_[client];
  if (client >= audience_.untimed) time(*number, now - schedule_.due_of_event(*number));
  if (++delivered_ == due_) all_came_.set_value();
}

void DeliveryAudit::time(std::size_t number, std::chrono::nanoseconds latency) {
  latencies_.at(static_cast<std::size_t>(book_.kind(number))).record(latency);
  if (arrivals_.empty()) return;
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(latency).count();
  arrivals_[number].push_back(static_cast<std::uint32_t>(std::max<std::int64_t>(micros, 0)));
}

// The first one is held against the book, the others against the first one.
bool DeliveryAudit::is_as_published(std::size_t number, std::string_view text) {
  constexpr std::string_view kReplayed = R"(,"replayed":true)";
  const std::size_t mark = text.substr(0, text.find(R"(,"payload":)")).find(kReplayed);
  if (mark != std::string_view::npos) return is_as_published(number, std::string(text).erase(mark, kReplayed.size()));
  const std::size_t hash = std::hash<std::string_view>{}(text);
  std::size_t& first = text_hashes_[number];
  if (first == 0 && text.ends_with(R"("payload":)" + book_.payload(number) + "}")) first = hash;
  return first == hash;
}

bool DeliveryAudit::wait_for_all(milliseconds patience) {
  return all_have_come_.wait_for(patience) == std::future_status::ready;
}

Faults DeliveryAudit::conclude() const {
  Faults faults = faults_;
  for (std::uint32_t client = 0; client < got_.size(); ++client) {
    const std::size_t due = book_.count_for(client % audience_.users);
    if (got_[client] != due) faults.add(fmt::format("client {} got {} of {} events", client, got_[client], due));
  }
  return faults;
}

std::vector<std::chrono::microseconds> DeliveryAudit::arrivals(std::size_t number) const {
  std::vector<std::chrono::microseconds> result;
  for (const std::uint32_t micros : arrivals_.at(number)) result.emplace_back(micros);
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace carillon::bench
