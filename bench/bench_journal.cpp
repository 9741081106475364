// What the journal takes: durable appends a second, one record a call from many callers and in batches, followed by a
// sink; and how long a start takes. On the disk of the temporary folder (TMPDIR).

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/ensure.hpp"
#include "eventlog/journal.hpp"
#include "eventlog/sqlite_journal.hpp"
#include "telemetry/metrics.hpp"

namespace {

using namespace carillon;
using namespace carillon::eventlog;

// Settles what it counts.
class CountingSink final : public RecordSink {
 public:
  void follow(EventLog& log) {
    log_ = &log;
    records_ = 0;
  }
  [[nodiscard]] bool accept(std::vector<StoredRecord>& batch) override {
    log_->settle({batch.back().ordinal, {}});
    records_ += batch.size();
    records_.notify_one();
    return true;
  }
  void wait_for(std::uint64_t records) {
    for (std::uint64_t seen = records_; seen < records; seen = records_) records_.wait(seen);
  }

 private:
  EventLog* log_ = nullptr;
  std::atomic<std::uint64_t> records_{0};
};

// At most so many calls under way.
class InFlight {
 public:
  explicit InFlight(int calls_max) : left_(calls_max), calls_max_(calls_max) {}
  void begin() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return left_ > 0; });
    --left_;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    ++left_;
    changed_.notify_one();
  }
  void wait_for_all() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return left_ == calls_max_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int left_;
  const int calls_max_;
};

class Bench {
 public:
  Bench() {
    std::string name = (std::filesystem::temp_directory_path() / "carillon-XXXXXX").string();
    ensure(::mkdtemp(name.data()) != nullptr, "a temporary folder can be made");
    folder_ = name;
  }
  ~Bench() {
    journal_.reset();
    std::filesystem::remove_all(folder_);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  void start() {
    journal_ = std::make_unique<SqliteJournal>(SqliteJournal::Options{.path = path()}, clock_, registry_);
    sink_.follow(*journal_);
    ensure(journal_->start(sink_).has_value(), "the journal starts");
  }
  void fill(std::int64_t records) {
    start();
    InFlight in_flight(4);
    for (std::int64_t i = 0; i < records / 500; ++i) append(500, in_flight);
    in_flight.wait_for_all();
    stop();
  }
  void wait_for_sink(std::int64_t records) { sink_.wait_for(static_cast<std::uint64_t>(records)); }
  void stop() { journal_.reset(); }
  void append(std::size_t records, InFlight& in_flight) {
    std::vector<Record> call;
    call.reserve(records);
    for (std::size_t i = 0; i < records; ++i) call.push_back({"agent-7:" + std::to_string(next_++), envelope_});
    in_flight.begin();
    journal_->append(std::move(call), [&](Result<Appended> appended) {
      ensure(appended.has_value(), "the append succeeds");
      in_flight.end();
    });
  }
  [[nodiscard]] std::string path() const { return folder_ + "/journal.db"; }

 private:
  std::string folder_;
  SystemClock clock_;
  telemetry::Registry registry_;
  CountingSink sink_;
  std::unique_ptr<SqliteJournal> journal_;
  std::uint64_t next_ = 0;
  std::string envelope_ = std::string(350, 'e');
};

// {records in a call, calls in flight}
void append(benchmark::State& state) {
  const auto records = static_cast<std::size_t>(state.range(0));
  Bench bench;
  bench.start();
  InFlight in_flight(static_cast<int>(state.range(1)));
  for ([[maybe_unused]] auto _ : state) bench.append(records, in_flight);
  in_flight.wait_for_all();
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(append)->Args({1, 1})->Args({1, 64})->Args({500, 4})->UseRealTime()->MinTime(3);

// The check of a whole journal when it is opened; {records}
void open(benchmark::State& state) {
  Bench bench;
  bench.fill(state.range(0));
  for ([[maybe_unused]] auto _ : state) ensure(Journal::open(bench.path(), {}).has_value(), "the journal is whole");
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(open)->Arg(1'000'000)->UseRealTime()->Unit(benchmark::kMillisecond);

// From the start of a node until its sink has every record, with the check; {records}
void start(benchmark::State& state) {
  Bench bench;
  bench.fill(state.range(0));
  for ([[maybe_unused]] auto _ : state) {
    bench.start();
    bench.wait_for_sink(state.range(0));
    bench.stop();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(start)->Arg(1'000'000)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
