#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "event/place.hpp"
#include "eventlog/event_log.hpp"

// What BrokerLog needs of a message broker, so that there is one log over all of them: a reader and a writer, each with
// a connection of its own and used by one thread at a time, blocking, with every wait bounded.
//
// Errors of all calls: `unavailable` the broker cannot be reached, was lost or did not answer in time: connect() again,
// later; `full` it refuses records for want of room; `invalid`, `denied`, `not_found`, `conflict` the configuration is
// wrong, and waiting does not help: a sentence that names the broker's address and what to change. After any error the
// connection counts as lost.
namespace carillon::eventlog {

// How to reach a broker; secrets come from files and are never logged.
struct BrokerAccess {
  std::string url;          // the operator's; for Kafka the list of host:port
  std::string username;     // empty: none
  std::string password;     // empty: none
  std::string ca_file;      // PEM; empty: the system's authorities
  std::string certificate;  // PEM of the client, with private_key; empty: none
  std::string private_key;  // PEM
  bool may_create = true;   // the stream, topic or queue when it is not there
  // How long a log that is made here keeps a record, as exactly as the broker cares; 0: for ever. A log that is there
  // keeps its own settings, but for a Redis stream, which has none: there every writer trims.
  milliseconds retention{0};
  milliseconds timeout{5000};  // of a call's answer
};

struct BrokerRecord {
  std::uint32_t lane = 0;
  Offset offset;       // not {0, 0}; grows within the lane
  WallTime logged_at;  // when the broker got it, as it says; else when it was read
  std::string id;      // what append() sent as Record::id beside the envelope; empty in a foreign record without one
  std::string bytes;   // what stands where an envelope should; empty where nothing does
};

// What a log holds now.
struct Extent {
  Place before_first;       // everything after it is there
  Place last;               // of the newest record that there ever was, also where it has been trimmed; names all lanes
  std::uint64_t added = 0;  // records ever added, where the broker counts them; else 0
  std::string incarnation;  // differs between two logs of this name, where the broker can tell; else empty
};

class BrokerReader {
 public:
  virtual ~BrokerReader() = default;

  // Connects, anew where it was connected, and sees to it that the log is there and fit: creates it where it may.
  [[nodiscard]] virtual Result<Extent> connect() = 0;
  // Cheap: asked about once a second.
  [[nodiscard]] virtual Result<Extent> look() = 0;
  // Where the log stood at this time: every record after the place came then or later; some before may have, too.
  [[nodiscard]] virtual Result<Place> place_at(WallTime time) = 0;
  // read() goes on after this place, which is not before Extent::before_first. After connect().
  [[nodiscard]] virtual Result<> seek(const Place& after) = 0;

  struct Batch {
    std::vector<BrokerRecord> records;  // in order; within each lane every record after the last one
    std::optional<GapReason> gap;       // `trimmed` or `epoch`: what follows `records` is gone; read() ends here
  };
  // Waits up to `wait` for the first record and not for more; at most 4096 records or about 4 MiB. Nothing is skipped
  // in silence: where the broker would, this says `gap`.
  [[nodiscard]] virtual Result<Batch> read(milliseconds wait) = 0;
};

class BrokerWriter {
 public:
  virtual ~BrokerWriter() = default;

  [[nodiscard]] virtual Result<> connect() = 0;
  // Sentences about settings of the broker that make its acknowledgement weaker than durable. After connect().
  [[nodiscard]] virtual std::vector<std::string> warnings() = 0;

  struct Stood {
    std::uint32_t lane = 0;
    std::optional<Offset> offset;  // nothing: this broker does not say, and the reader will
    bool is_repeat = false;        // the broker has it already, and kept one
  };
  // Appends these in order and returns when the broker has acknowledged all of them, as durably as it can. On an error
  // any part of them may be there.
  [[nodiscard]] virtual Result<std::vector<Stood>> append(std::span<const Record> records) = 0;

  // Notes stand in a stream, topic or queue beside the log, made with it: dead letters, and what nodes tell each other
  // about the log. A note is at most 2 MiB. It keeps at least the last 20,000 notes or 64 MiB of them, and is bounded.
  [[nodiscard]] virtual Result<> append_note(std::string_view note) = 0;
  // All that are there, oldest first.
  [[nodiscard]] virtual Result<std::vector<std::string>> read_notes() = 0;
  // As Extent::last.
  [[nodiscard]] virtual Result<Place> end() = 0;
};

// One kind of broker. Thread-safe; readers and writers outlive nothing of it.
class Broker {
 public:
  virtual ~Broker() = default;
  [[nodiscard]] virtual std::unique_ptr<BrokerReader> make_reader() const = 0;
  [[nodiscard]] virtual std::unique_ptr<BrokerWriter> make_writer() const = 0;
  // The letter of its positions: r, k, q, n.
  [[nodiscard]] virtual char letter() const = 0;
  // For people: "Redis at 127.0.0.1:6379, stream carillon:events". No secrets.
  [[nodiscard]] virtual std::string name() const = 0;
};

}  // namespace carillon::eventlog
