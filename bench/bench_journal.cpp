// What the journal takes: durable appends a second, one record a call from many callers and in batches, followed by a
// sink. On the disk of the temporary folder (TMPDIR).

#include <benchmark/benchmark.h>
#include <unistd.h>

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

class CountingSink final : public RecordSink {
 public:
  [[nodiscard]] bool accept(std::vector<StoredRecord>& batch) override {
    records += batch.size();
    return true;
  }
  std::uint64_t records = 0;
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
    ensure(journal_->start(sink_).has_value(), "the journal starts");
  }
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
  bench.start();
  InFlight in_flight(4);
  for (int i = 0; i < state.range(0) / 500; ++i) bench.append(500, in_flight);
  in_flight.wait_for_all();
  bench.stop();
  for ([[maybe_unused]] auto _ : state)
    ensure(Journal::open(bench.path(), {}).has_value(), "the journal is whole");
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(open)->Arg(1'000'000)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
