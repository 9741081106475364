#include "hub/hub.hpp"

#include <algorithm>
#include <utility>

#include "base/ensure.hpp"

namespace carillon::hub {

std::optional<GapReason> Hub::subscribe(Subscriber& subscriber, const Beginning& beginning, MonoTime now) {
  subscriber.index_ = all_.size();
  all_.push_back(&subscriber);
  by_user_[subscriber.user_].push_back(&subscriber);
  return subscriber.cursor_.begin(beginning, window_, state_, viewer(subscriber), now);
}

void Hub::unsubscribe(Subscriber& subscriber) {
  ensure(subscriber.index_ < all_.size() && all_[subscriber.index_] == &subscriber, "only subscribers unsubscribe");
  const auto found = by_user_.find(subscriber.user_);
  std::erase(found->second, &subscriber);
  if (found->second.empty()) by_user_.erase(found);
  if (subscriber.is_touched_)
    std::replace(touched_.begin(), touched_.end(), &subscriber, static_cast<Subscriber*>(nullptr));
  if (delivering_) {  // somebody is walking the list
    all_[subscriber.index_] = nullptr;
    some_left_ = true;
    return;
  }
  all_[subscriber.index_] = all_.back();
  all_.back()->index_ = subscriber.index_;
  all_.pop_back();
}

void Hub::remember(std::span<const PublicationPtr> publications) {
  for (const PublicationPtr& publication : publications) state_.apply(publication);
}

void Hub::publish(std::span<const PublicationPtr> publications) {
  for (const PublicationPtr& publication : publications) {
    window_.append(publication);
    state_.apply(publication);
    if (!publication->is_targeted()) {
      turn_has_broadcast_ = true;
    } else if (publication->kind == EventKind::order_update) {
      touch(publication->owner);
    } else {
      for (const UserId& user : publication->audience) touch(user);
    }
  }
}

void Hub::touch(const UserId& user) {
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return;
  for (Subscriber* const subscriber : found->second) {
    if (std::exchange(subscriber->is_touched_, true)) continue;
    touched_.push_back(subscriber);
  }
}

std::uint64_t Hub::bytes_waiting(const Subscriber& subscriber) const {
  std::uint64_t bytes = 0;
  for (std::uint64_t s = std::max(subscriber.cursor_.next(turn_begin_), turn_begin_); s < window_.end(); ++s) {
    const Publication& publication = window_.at(s);
    if (may_see(subscriber.user_, subscriber.grants_, publication)) bytes += publication.frame.size();
  }
  return bytes;
}

void Hub::offer(Subscriber& subscriber) {
  const std::uint64_t bytes = bytes_waiting(subscriber);
  if (bytes == 0) return;
  subscriber.cursor_.pass(turn_begin_);
  subscriber.cursor_.fall_behind();
  subscriber.on_publications(bytes);
}

void Hub::deliver(MonoTime now) {
  if (turn_begin_ != window_.end()) deliver_turn();
  window_.trim(now);
  state_.trim(now);
}

void Hub::deliver_turn() {
  delivering_ = true;
  // What is targeted first: an order update does not wait behind a broadcast to everybody.
  for (std::size_t i = 0; i < touched_.size(); ++i)
    if (touched_[i] != nullptr) offer(*touched_[i]);
  if (turn_has_broadcast_ && !all_.empty()) {
    const std::size_t count = all_.size();
    first_served_ = (first_served_ + count / 2 + 1) % count;
    for (std::size_t i = 0; i < count; ++i) {
      Subscriber* const subscriber = all_[(first_served_ + i) % count];
      if (subscriber != nullptr && !subscriber->is_touched_) offer(*subscriber);
    }
  }
  delivering_ = false;
  end_turn();
  turn_begin_ = window_.end();
  turn_has_broadcast_ = false;
}

void Hub::end_turn() {
  for (Subscriber* const subscriber : touched_)
    if (subscriber != nullptr) subscriber->is_touched_ = false;
  touched_.clear();
  if (!std::exchange(some_left_, false)) return;
  std::erase(all_, nullptr);
  for (std::size_t i = 0; i < all_.size(); ++i) all_[i]->index_ = i;
}

Reading Hub::read(Subscriber& subscriber, std::size_t bytes_max, std::string& frames, DeliveryObserver* observer) {
  subscriber.cursor_.pass(turn_begin_);
  return subscriber.cursor_.read(window_, viewer(subscriber), bytes_max, frames, observer);
}

std::optional<MonoTime> Hub::oldest_waiting(const Subscriber& subscriber) const {
  for (std::uint64_t s = std::max(subscriber.cursor_.next(turn_begin_), window_.begin()); s < window_.end(); ++s)
    if (may_see(subscriber.user_, subscriber.grants_, window_.at(s))) return window_.at(s).published_at;
  return std::nullopt;
}

Position Hub::position_of(Subscriber& subscriber) {
  subscriber.cursor_.pass(turn_begin_);
  return subscriber.cursor_.position(window_);
}

Place Hub::place_of(Subscriber& subscriber) {
  subscriber.cursor_.pass(turn_begin_);
  return subscriber.cursor_.place(window_);
}

}  // namespace carillon::hub
