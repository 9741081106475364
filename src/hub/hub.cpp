#include "hub/hub.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/ensure.hpp"

namespace carillon::hub {

namespace {

// Looked at in one slice, for each that may be told: a round may find many whom what is new does not concern.
constexpr std::size_t kLooks = 16;

constexpr std::size_t kCacheLine = 64, kPrefetchAhead = 2;
// A subscriber and what it has behind itself for its deliveries; a session's hot part.
constexpr std::size_t kPrefetchBytes = 5 * kCacheLine;

}  // namespace

std::optional<GapReason> Hub::subscribe(Subscriber& subscriber, const Beginning& beginning, MonoTime now) {
  // The end, round which the sweep goes, moves away.
  for (std::size_t* const left : {&sweep_left_, &round_left_})
    if (sweep_at_ + *left > all_.size()) ++*left;
  subscriber.index_ = static_cast<std::uint32_t>(all_.size());
  subscriber.offered_ = window_.end();
  all_.push_back(&subscriber);
  by_user_[subscriber.user_].push_back(&subscriber);
  return subscriber.cursor_.begin(beginning, window_, state_, viewer(subscriber), now);
}

void Hub::unsubscribe(Subscriber& subscriber) {
  const std::size_t index = subscriber.index_;
  ensure(index < all_.size() && all_[index] == &subscriber, "only subscribers unsubscribe");
  const auto found = by_user_.find(subscriber.user_);
  std::erase(found->second, &subscriber);
  if (found->second.empty()) by_user_.erase(found);
  if (subscriber.is_touched_)
    std::replace(touched_.begin(), touched_.end(), &subscriber, static_cast<Subscriber*>(nullptr));
  if (!delivering_) return vacate(index);
  all_[index] = nullptr;  // somebody is walking the list
  vacated_.push_back(index);
}

// The last one takes the place, and must not be passed over by the sweep on its way there.
void Hub::vacate(std::size_t index) {
  const std::size_t last = all_.size() - 1;
  if (index != last) {
    if (is_ahead(last, sweep_left_)) touch(*all_[last]);
    all_[index] = all_[last];
    all_[index]->index_ = static_cast<std::uint32_t>(index);
  }
  all_.pop_back();
  sweep_left_ = std::min(sweep_left_, last);
  round_left_ = std::min(round_left_, last);
  if (sweep_at_ >= last) sweep_at_ = 0;
}

// It is one of the next `left` that the sweep comes to.
bool Hub::is_ahead(std::size_t index, std::size_t left) const {
  return (index >= sweep_at_ ? index - sweep_at_ : index + all_.size() - sweep_at_) < left;
}

void Hub::remember(std::span<const PublicationPtr> publications) {
  for (const PublicationPtr& publication : publications) state_.apply(publication);
}

void Hub::publish(std::span<const PublicationPtr> publications) {
  for (const PublicationPtr& publication : publications) {
    window_.append(publication);
    state_.apply(publication);
    if (!publication->is_targeted()) {
      want_round();
    } else if (publication->kind == EventKind::order_update) {
      touch(publication->owner);
    } else {
      for (const UserId& user : publication->audience) touch(user);
    }
  }
}

// A sweep that begins from rest begins somewhere else than the last.
void Hub::want_round() {
  if (sweep_left_ == 0 && !all_.empty()) {
    sweep_at_ = (sweep_at_ + all_.size() / 2 + 1) % all_.size();
    begin_round();
  }
  sweep_left_ = all_.size();
}

void Hub::begin_round() {
  round_began_ = window_.end();
  round_left_ = all_.size();
}

void Hub::touch(const UserId& user) {
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return;
  for (Subscriber* const subscriber : found->second) touch(*subscriber);
}

void Hub::touch(Subscriber& subscriber) {
  if (!std::exchange(subscriber.is_touched_, true)) touched_.push_back(&subscriber);
}

// False: nothing that is new to it concerns it.
bool Hub::offer(Subscriber& subscriber) {
  Cursor& cursor = subscriber.cursor_;
  const std::uint64_t begin = std::max({subscriber.offered_, settled_, cursor.next(settled_)});
  subscriber.offered_ = window_.end();
  std::uint64_t bytes = 0;
  for (std::uint64_t s = begin; s < window_.end(); ++s) {
    const Publication& publication = window_.at(s);
    if (may_see(subscriber.user_, subscriber.grants_, publication)) bytes += publication.frame.size();
  }
  if (bytes == 0) return false;
  cursor.pass(begin);
  cursor.fall_behind();
  subscriber.on_publications(bytes);
  return true;
}

bool Hub::deliver(MonoTime now) {
  delivering_ = true;
  // What is targeted first: an order update does not wait behind a broadcast to everybody.
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    if (touched_[i] == nullptr) continue;
    touched_[i]->is_touched_ = false;
    offer(*touched_[i]);
  }
  touched_.clear();
  sweep();
  delivering_ = false;
  // From the end, so that the last one is never one that has left.
  std::ranges::sort(vacated_, std::greater{});
  for (const std::size_t index : vacated_) vacate(index);
  vacated_.clear();
  settle();
  window_.trim(now, settled_);
  state_.trim(now);
  return sweep_left_ > 0 || !touched_.empty();
}

// Under back-to-back broadcasts a sweep goes on and on; then it is its rounds that tell what everybody was told of.
void Hub::settle() {
  if (!touched_.empty()) return;
  if (sweep_left_ == 0) {
    settled_ = window_.end();
  } else if (round_left_ == 0) {
    settled_ = std::max(settled_, round_began_);
    begin_round();
  }
}

// With thousands of subscribers each comes from memory: on its way already while those before it are in the kernel.
void Hub::prefetch_next() const {
  const std::size_t at = sweep_at_ + kPrefetchAhead;
  if (at >= all_.size() || all_[at] == nullptr) return;
  const auto* const begin = reinterpret_cast<const char*>(all_[at]);
  for (std::size_t line = 0; line < kPrefetchBytes; line += kCacheLine) __builtin_prefetch(begin + line);
}

void Hub::sweep() {
  std::size_t told = 0;
  for (std::size_t looks = 0; sweep_left_ > 0 && told < slice_ && looks < kLooks * slice_; ++looks) {
    prefetch_next();
    Subscriber* const subscriber = all_[sweep_at_];
    sweep_at_ = sweep_at_ + 1 < all_.size() ? sweep_at_ + 1 : 0;
    --sweep_left_;
    if (round_left_ > 0) --round_left_;
    if (subscriber != nullptr && offer(*subscriber)) ++told;
  }
}

Reading Hub::read(Subscriber& subscriber, std::size_t bytes_max, std::string& frames, DeliveryObserver* observer) {
  subscriber.cursor_.pass(settled_);
  return subscriber.cursor_.read(window_, viewer(subscriber), bytes_max, frames, observer);
}

std::optional<MonoTime> Hub::oldest_waiting(const Subscriber& subscriber) const {
  for (std::uint64_t s = std::max(subscriber.cursor_.next(settled_), window_.begin()); s < window_.end(); ++s)
    if (may_see(subscriber.user_, subscriber.grants_, window_.at(s))) return window_.at(s).published_at;
  return std::nullopt;
}

Position Hub::position_of(Subscriber& subscriber) {
  subscriber.cursor_.pass(settled_);
  return subscriber.cursor_.position(window_);
}

Place Hub::place_of(Subscriber& subscriber) {
  subscriber.cursor_.pass(settled_);
  return subscriber.cursor_.place(window_);
}

}  // namespace carillon::hub
