#include "runtime/loop.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/ensure.hpp"

namespace carillon::runtime {

namespace {
constexpr milliseconds kStallMax{250};
// Milliseconds. Short, so that a pause of the process inside the wait is seen as one.
constexpr int kWaitMax = 250;
}  // namespace

Loop::Loop(const Clock& clock) : clock_(clock), last_clock_(clock.mono_now()), now_(last_clock_), timers_(now_) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  ensure(epoll_ >= 0 && wake_fd_ >= 0, "the kernel gave no epoll or eventfd descriptor");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  ensure(::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_fd_, &event) == 0, "the wake descriptor can be watched");
}

Loop::~Loop() {
  ::close(wake_fd_);
  ::close(epoll_);
}

void Loop::wake() {
  const std::uint64_t one = 1;
  // An eventfd write only fails when its counter is full, and then the loop is awake already.
  [[maybe_unused]] const auto written = ::write(wake_fd_, &one, sizeof one);
}

void Loop::post(Task task) {
  bool must_wake = false;
  {
    const std::scoped_lock lock(mutex_);
    ensure(tasks_.size() < kTasksMax, "posted tasks stay within the sum of their senders' limits");
    tasks_.push_back(std::move(task));
    must_wake = !std::exchange(awake_, true);
  }
  if (must_wake) wake();
}

void Loop::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    awake_ = true;
  }
  wake();
}

void Loop::run() {
  for (;;) {
    turn(kWaitMax);
    const std::scoped_lock lock(mutex_);
    if (stopping_ && tasks_.empty()) return;
  }
}

Result<> Loop::watch(int fd, std::uint32_t events, ReadyHandler& handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &handler;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return fail(ErrorKind::unavailable, std::string("cannot watch a descriptor: ") + std::strerror(errno));
}

void Loop::rewatch(int fd, std::uint32_t events, ReadyHandler& handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &handler;
  ensure(::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0, "a watched descriptor can be rewatched");
}

void Loop::unwatch(int fd, ReadyHandler& handler) {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  for (int i = event_next_; i < event_count_; ++i) {
    epoll_event& event = events_.at(static_cast<std::size_t>(i));
    if (event.data.ptr == &handler) event.events = 0;
  }
}

// What we asked to sleep is no stall; only what goes beyond it is.
void Loop::update_time(milliseconds slept_max) {
  const MonoTime clock = clock_.mono_now();
  now_ += std::min<MonoTime::duration>(clock - last_clock_, slept_max + kStallMax);
  last_clock_ = clock;
}

void Loop::turn(int timeout_ms_max) {
  int timeout = std::exchange(hurried_, false) ? 0 : timeout_ms_max;
  if (const auto wait = timers_.time_to_next(now_))
    timeout = static_cast<int>(std::min<std::int64_t>(wait->count(), timeout));
  event_count_ = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout);
  if (event_count_ < 0) ensure(errno == EINTR, "epoll_wait only fails when interrupted");
  update_time(milliseconds{timeout});

  // Input before timers: what a peer sent while we were not running still counts as sent in time.
  for (event_next_ = 0; event_next_ < event_count_;) {
    const epoll_event event = events_.at(static_cast<std::size_t>(event_next_++));
    if (event.data.ptr == nullptr || event.events == 0) continue;
    static_cast<ReadyHandler*>(event.data.ptr)->on_ready(event.events);
  }
  event_next_ = event_count_ = 0;
  run_tasks();
  timers_.advance(now_);
  for (const auto& hook : turn_end_hooks_) hook();
  // Destructors may retire more.
  while (!retired_.empty()) {
    const auto dying = std::exchange(retired_, {});
  }
}

void Loop::run_tasks() {
  {
    const std::scoped_lock lock(mutex_);
    if (tasks_.empty() && !awake_) return;
    if (!stopping_ && std::exchange(awake_, false)) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto got = ::read(wake_fd_, &count, sizeof count);
    }
    running_.swap(tasks_);
  }
  for (Task& task : running_) task();
  running_.clear();
}

void LoopThread::start() {
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), name_.substr(0, 15).c_str());
    loop_.run();
  });
}

void LoopThread::stop() {
  if (!thread_.joinable()) return;
  loop_.stop();
  thread_.join();
}

}  // namespace carillon::runtime
