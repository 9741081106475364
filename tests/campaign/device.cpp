#include "campaign/device.hpp"

#include <fmt/format.h>

#include <utility>

namespace carillon::campaign {

Device::Device(std::uint32_t number, std::string user, Nature nature, std::uint64_t seed, runtime::Loop& loop,
               bench::ConnectionRoom& room, const bench::Target& target, CampaignAudit& audit, bench::Faults& faults)
    : number_(number),
      user_(std::move(user)),
      nature_(nature),
      random_(seed),
      loop_(loop),
      target_(target),
      audit_(audit),
      faults_(faults),
      stream_(number, loop, room, *this) {}

milliseconds Device::some_time(std::uint32_t least_ms, std::uint32_t most_ms) {
  return milliseconds(least_ms + random_() % (most_ms - least_ms));
}

void Device::connect() {
  accepted_ = live_ = paused_ = false;
  if (begins_anew_) {
    stream_.begin_anew();
    audit_.begin_snapshot(number_);
  }
  const auto link = nature_ == Nature::slow ? bench::Link::narrow : bench::Link::local;
  if (!stream_.open(target_, target_.token(user_), link)) come_back(some_time(10, 100));
}

void Device::come_back(milliseconds wait) {
  if (accepted_ && !live_) ++figures_.replays_broken;
  accepted_ = live_ = paused_ = false;
  loop_.arm(timer_, wait);
}

void Device::wait_for_next_mood() {
  if (nature_ != Nature::steady) loop_.arm(timer_, some_time(100, nature_ == Nature::slow ? 3000 : 12'000));
}

void Device::on_timer() {
  if (stream_.is_closed()) return connect();
  if (std::exchange(paused_, false)) {
    stream_.go_on();
    return wait_for_next_mood();
  }
  if (nature_ == Nature::slow) {
    ++figures_.pauses;
    paused_ = true;
    stream_.pause();
    return loop_.arm(timer_, some_time(100, 6000));
  }
  ++figures_.cuts;
  stream_.close();
  come_back(some_time(0, 1500));
}

void Device::calm_down() {
  nature_ = Nature::steady;
  if (stream_.is_closed()) return;
  timer_.disarm();
  paused_ = false;
  stream_.go_on();
}

void Device::begin_anew() {
  timer_.disarm();
  stream_.close();
  begins_anew_ = true;
  connect();
}

void Device::on_accepted(std::uint32_t, std::optional<std::string_view> gap) {
  accepted_ = true;
  ++figures_.connections;
  if (gap) audit_.on_gap(number_, *gap);
  wait_for_next_mood();
}

void Device::on_notification(std::uint32_t, std::string_view text) {
  begins_anew_ ? audit_.on_snapshot(number_, text) : audit_.on_notification(number_, text);
}

void Device::on_live(std::uint32_t, std::uint64_t replayed) {
  live_ = true;
  if (std::exchange(begins_anew_, false)) audit_.end_snapshot(number_);
  figures_.replayed += replayed;
  if (replayed > 0) ++figures_.replays;
}

void Device::on_heartbeat(std::uint32_t, const bench::StreamClient::Heartbeat& heartbeat) {
  audit_.on_heartbeat(number_, heartbeat.delivered, heartbeat.counted);
}

void Device::on_fault(std::uint32_t, std::string_view what) {
  faults_.add(fmt::format("client {}: {}", number_, what));
}

void Device::on_end(std::uint32_t, const bench::StreamClient::Ending& ending) {
  const bool is_too_slow = ending.code == 4420 || ending.code == 4411;
  const bool is_put_off = ending.code == 1013;
  if (is_too_slow) ++figures_.too_slow;
  if (is_put_off) ++figures_.put_off;
  const bool is_refused = ending.why.starts_with("not upgraded") && ending.why.find(" 503 ") == std::string_view::npos;
  if (is_refused || (ending.code != 0 && !is_too_slow && !is_put_off)) on_fault(number_, ending.why);
  come_back(is_too_slow ? milliseconds(0) : some_time(10, 100));
}

}  // namespace carillon::campaign
