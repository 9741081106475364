#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "eventlog/broker.hpp"

namespace carillon::eventlog {

// For tests: a message broker's server in memory, and all that can go wrong with one. What it keeps outlives whoever is
// connected. Thread-safe.
class MemoryServer {
 public:
  struct Options {
    std::uint32_t lanes = 1;
    // What brokers keep silent about, each on its own.
    bool says_offset = true;             // BrokerWriter::Stood::offset
    bool says_incarnation = true;        // Extent::incarnation, and read() ends when the log is another one
    bool counts_added = true;            // Extent::added
    bool keeps_one_of_repeats = false;   // records with an id that is there
    milliseconds client_patience{1000};  // how long a client waits for an answer that is held
  };
  // `clock` outlives the server; the broker's time.
  MemoryServer(const Options& options, const Clock& clock);

  // Down: every connection is lost, calls that wait end, and there are no new ones.
  void go_down();
  void come_back();
  // While there is an error, appends, or new connections, end with it.
  void refuse_appends(std::optional<Error> error);
  void refuse_connections(std::optional<Error> error);
  // From now on nobody gets an answer, until give_answers(). What is appended meanwhile is there.
  void hold_answers();
  void give_answers();
  // Returns when a call waits for its answer; false after all patience.
  [[nodiscard]] bool wait_until_holding();
  // The next append is done, and its connection lost before the answer.
  void lose_next_answer();

  // In each lane only so many of the newest records stay.
  void trim(std::size_t keep);
  // The log is deleted and made anew, empty; the notes stay.
  void recreate();
  void grow(std::uint32_t lanes);
  // A foreign record, without an id.
  void put(std::string bytes, std::uint32_t lane = 0);
  // The record at the end once more, as a producer or broker that repeats itself does: with its id.
  void repeat_last(std::uint32_t lane = 0);

 private:
  friend class MemoryReader;
  friend class MemoryWriter;
  using Lock = std::unique_lock<std::mutex>;

  struct Lane {
    Offset before_first;
    std::deque<BrokerRecord> records;

    [[nodiscard]] Offset last() const { return {before_first.high + records.size(), 0}; }
  };

  // A connection is known by the run of the server that it was made in; 0: none.
  [[nodiscard]] Result<std::uint64_t> connect();
  // Holds the answer where told to; the error of a connection that is lost by then.
  [[nodiscard]] Result<> answer(Lock& lock, std::uint64_t connection);
  [[nodiscard]] Result<> check(std::uint64_t connection) const;
  [[nodiscard]] Extent extent() const;
  BrokerWriter::Stood store(const Record& record);
  const BrokerRecord& add(std::uint32_t lane, std::string id, std::string bytes);

  const Options options_;
  const Clock& clock_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_up_ = true;
  std::uint64_t run_ = 1;
  std::optional<Error> append_refusal_;
  std::optional<Error> connection_refusal_;
  bool holds_answers_ = false;
  std::size_t held_ = 0;
  bool loses_next_ = false;
  std::vector<Lane> lanes_;
  std::uint64_t incarnation_ = 1;
  std::uint64_t added_ = 0;
  std::unordered_map<std::string, std::pair<std::uint32_t, Offset>> ids_;
  std::vector<std::string> notes_;
};

class MemoryBroker final : public Broker {
 public:
  explicit MemoryBroker(std::shared_ptr<MemoryServer> server) : server_(std::move(server)) {}
  [[nodiscard]] std::unique_ptr<BrokerReader> make_reader() const override;
  [[nodiscard]] std::unique_ptr<BrokerWriter> make_writer() const override;
  [[nodiscard]] char letter() const override { return 't'; }
  [[nodiscard]] std::string name() const override { return "memory broker"; }

 private:
  std::shared_ptr<MemoryServer> server_;
};

}  // namespace carillon::eventlog
