#include "fanout/favoured_reception.hpp"

#include <fmt/format.h>

namespace carillon::bench {

void FavouredReception::on_message(std::uint32_t, std::string_view text, MonoTime now) {
  check_place(text);
  const std::lock_guard lock(mutex_);
  if (const auto update = orders_.number_in(text)) {
    on_update(*update, now);
  } else if (const auto to_all = mark_.number_in(text)) {
    on_event_to_all(*to_all);
  } else {
    faults_.add(fmt::format("the one client got no event of this run: {}", text.substr(0, 300)));
  }
  grew_.notify_all();
}

void FavouredReception::check_place(std::string_view text) {
  constexpr std::string_view kId = R"("id":")";
  const std::size_t id = text.find(kId);
  const std::string_view rest = id == std::string_view::npos ? "" : text.substr(id + kId.size());
  const Position position{std::string(rest.substr(0, rest.find('"')))};
  const auto place = parse_place(std::string_view(position.text).substr(mark_of(position).size()));
  if (!place || !place->covers(last_) || last_.covers(*place))
    return faults_.add(fmt::format("the one client got what is not later than before: {}", text.substr(0, 300)));
  last_ = *place;
}

void FavouredReception::on_update(std::uint64_t number, MonoTime now) {
  if (number != updates_) return faults_.add(fmt::format("got update {} where {} was due", number, updates_));
  const MonoTime start{MonoTime::duration(start_.load(std::memory_order_relaxed))};
  latency_.record(now - (start + interval_ * static_cast<std::int64_t>(number)));
  ++updates_;
}

void FavouredReception::on_event_to_all(std::uint64_t number) {
  if (number != to_all_)
    return faults_.add(fmt::format("the one client got event {} where {} was due", number, to_all_));
  ++to_all_;
}

bool FavouredReception::wait_for(std::uint64_t to_all, milliseconds patience) {
  std::unique_lock lock(mutex_);
  return grew_.wait_for(lock, patience, [&] { return updates_ >= orders_.size() && to_all_ >= to_all; });
}

Faults FavouredReception::conclude(std::uint64_t to_all) const {
  Faults faults = faults_;
  if (updates_ != orders_.size() || to_all_ != to_all)
    faults.add(fmt::format("the one client got {} of {} updates, and {} of {} events to all", updates_, orders_.size(),
                           to_all_, to_all));
  return faults;
}

}  // namespace carillon::bench
