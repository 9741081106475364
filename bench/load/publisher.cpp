#include "load/publisher.hpp"

#include <fmt/format.h>

#include <charconv>
#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "load/alarm.hpp"
#include "load/rest_client.hpp"
#include "load/thread_call.hpp"

namespace carillon::bench {

namespace {

constexpr std::chrono::seconds kPatience{30};

MonoTime now() {
  return std::chrono::steady_clock::now();
}

// The count in an answer to a call (protocol 8.5).
std::uint64_t accepted_in(std::string_view body) {
  constexpr std::string_view kName = R"("accepted":)";
  const std::size_t at = body.find(kName);
  std::uint64_t count = 0;
  if (at != std::string_view::npos) std::from_chars(body.data() + at + kName.size(), body.data() + body.size(), count);
  return count;
}

// One plan being carried out, on the loop's thread.
class Publishing final : RestClient::Owner {
 public:
  Publishing(runtime::Loop& loop, const PublishPlan& plan)
      : loop_(loop), plan_(plan), alarm_(loop, [this] { begin_calls(); }), calls_(plan.connections) {}

  std::future<void> start(const Target& target) {
    const std::string token = target.token("bench-publisher", "publish");
    if (auto started = alarm_.start(); !started) published_.faults.add(started.error().message);
    alarm_.set(plan_.schedule.start);
    for (std::uint32_t i = 0; i < plan_.connections; ++i) {
      clients_.push_back(std::make_unique<RestClient>(i, loop_, room_, static_cast<Owner&>(*this)));
      if (auto opened = clients_.back()->open(target, token); !opened) {
        published_.faults.add(opened.error().message);
        ++lost_;
      }
    }
    finish_if_done();
    return done_.get_future();
  }
  Published result() { return std::move(published_); }

 private:
  struct Call {
    std::uint64_t number = 0;
    MonoTime counted_from;
  };

  void on_idle(RestClient& client) override {
    idle_.push_back(&client);
    begin_calls();
  }

  void begin_calls() {
    while (!idle_.empty() && is_due(next_)) {
      RestClient& client = *idle_.back();
      idle_.pop_back();
      calls_[client.number()] = {next_, is_open_loop() ? plan_.schedule.due(next_) : now()};
      ++under_way_;
      client.post(plan_.body(next_++));
    }
    if (!idle_.empty() && !has_ended() && is_open_loop()) alarm_.set(plan_.schedule.due(next_));
    finish_if_done();
  }

  void on_answer(RestClient& client, int status, std::string_view body) override {
    --under_way_;
    const Call& call = calls_[client.number()];
    last_answer_ = now();
    if (status != 202 || accepted_in(body) != plan_.schedule.events_per_call)
      return published_.faults.add(
          fmt::format("call {} answered with {}: {}", call.number, status, body.substr(0, 300)));
    ++published_.accepted;
    published_.latency.record(last_answer_ - call.counted_from);
    if (plan_.accepted) plan_.accepted(call.number);
  }

  void on_lost(RestClient& client, std::string_view why) override {
    ++lost_;
    const bool was_idle = std::erase(idle_, &client) > 0;
    if (!was_idle && under_way_ > 0) --under_way_;
    if (!plan_.may_lose_server) published_.faults.add(fmt::format("connection {}: {}", client.number(), why));
    finish_if_done();
  }

  [[nodiscard]] bool is_open_loop() const { return plan_.schedule.interval.count() > 0; }
  [[nodiscard]] bool has_ended() const {
    const MonoTime end = plan_.schedule.start + plan_.duration;
    return next_ >= plan_.calls_max || (is_open_loop() ? plan_.schedule.due(next_) : now()) >= end;
  }
  [[nodiscard]] bool is_due(std::uint64_t call) const { return !has_ended() && now() >= plan_.schedule.due(call); }

  void finish_if_done() {
    const bool done = lost_ == plan_.connections || (has_ended() && under_way_ == 0);
    if (!done || std::exchange(is_done_, true)) return;
    published_.begun = next_;
    published_.took = last_answer_ - plan_.schedule.start;
    done_.set_value();
  }

  runtime::Loop& loop_;
  const PublishPlan& plan_;
  ConnectionRoom room_;
  Alarm alarm_;
  std::vector<std::unique_ptr<RestClient>> clients_;
  std::vector<Call> calls_;  // by client
  std::vector<RestClient*> idle_;
  std::uint64_t next_ = 0;
  std::uint32_t under_way_ = 0;
  std::uint32_t lost_ = 0;
  MonoTime last_answer_ = plan_.schedule.start;
  Published published_;
  std::promise<void> done_;
  bool is_done_ = false;
};

}  // namespace

Published publish(const Target& target, const PublishPlan& plan) {
  const SystemClock clock;
  runtime::LoopThread thread(clock, "publisher");
  Publishing publishing(thread.loop(), plan);
  thread.start();
  auto done = call_on(thread.loop(), [&] { return publishing.start(target); });
  const auto calls = static_cast<std::int64_t>(plan.calls_max);
  const auto planned = plan.schedule.interval.count() > 0 ? plan.schedule.interval * calls : plan.duration;
  const bool in_time =
      done.wait_until(plan.schedule.start + std::min(planned, plan.duration) + kPatience) == std::future_status::ready;
  thread.stop();
  Published published = publishing.result();
  if (!in_time) published.faults.add("not every call was answered in time");
  return published;
}

}  // namespace carillon::bench
