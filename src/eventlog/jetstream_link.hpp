#pragma once

#include <nats/nats.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "eventlog/jetstream_broker.hpp"
#include "eventlog/jetstream_text.hpp"

// What JetStream's reader and writer know of libnats.
namespace carillon::eventlog::jetstream {

struct Destroy {
  void operator()(natsConnection* it) const { natsConnection_Destroy(it); }
  void operator()(natsSubscription* it) const { natsSubscription_Destroy(it); }
  void operator()(natsMsg* it) const { natsMsg_Destroy(it); }
};
using ConnectionPtr = std::unique_ptr<natsConnection, Destroy>;
using SubscriptionPtr = std::unique_ptr<natsSubscription, Destroy>;
using MessagePtr = std::unique_ptr<natsMsg, Destroy>;

[[nodiscard]] std::string new_inbox();
[[nodiscard]] std::string_view data_of(const natsMsg* message);
[[nodiscard]] std::string_view text_or_empty(const char* text);
// Empty where it has none of that name.
[[nodiscard]] std::string_view header_of(natsMsg* message, const char* name);
// The text as a JSON string.
[[nodiscard]] std::string in_json(std::string_view text);

// A record's id, by which the server itself keeps one of repeats within its window.
inline constexpr const char* kIdHeader = "Nats-Msg-Id";

// Records deleted from the middle of a stream, of which we ask for the list.
inline constexpr std::uint64_t kDeletedMax = 500'000;

// One broker as its readers and writers know it.
struct Target {
  JetstreamOptions options;
  NatsServers servers;
  std::string where;  // "NATS at HOST:PORT"

  [[nodiscard]] milliseconds timeout() const { return options.access.timeout; }
  [[nodiscard]] std::string notes_stream() const { return options.stream + "_NOTES"; }
  [[nodiscard]] std::string notes_subject() const { return options.subject + ".notes"; }
  [[nodiscard]] std::unexpected<Error> error(ErrorKind kind, std::string_view what) const;
  [[nodiscard]] std::unexpected<Error> not_connected() const {
    return error(ErrorKind::unavailable, "is not connected");
  }
};

// One connection and its subscriptions. When it is lost it stays lost: libnats must not connect again behind our back,
// for what it had promised before would not hold.
class Link {
 public:
  static Result<std::unique_ptr<Link>> open(const Target& target);

  [[nodiscard]] natsConnection* get() const { return connection_.get(); }
  [[nodiscard]] std::size_t payload_max() const;
  // A request to JetStream, "STREAM.INFO.NAME", and its answer, which is no error.
  [[nodiscard]] Result<json::Document> ask(const std::string& request, std::string_view body = {}) const;
  // Lives as long as the link does: libnats before 3.6 reads from the connection into a subscription that somebody
  // destroys meanwhile. Who is done with one is done with the link.
  [[nodiscard]] Result<natsSubscription*> subscribe(const std::string& subject);
  // The error that an answer of JetStream holds, or nothing.
  [[nodiscard]] std::optional<Error> refusal_in(const json::Value& answer) const;
  // A call of libnats that failed.
  [[nodiscard]] std::unexpected<Error> failed(natsStatus status, std::string_view doing) const;

 private:
  Link(const Target& target, ConnectionPtr connection) : target_(target), connection_(std::move(connection)) {}
  static std::unexpected<Error> cannot_connect(const Target& target, natsStatus status);

  const Target& target_;
  std::vector<SubscriptionPtr> subscriptions_;  // which leave after the connection
  ConnectionPtr connection_;
};

}  // namespace carillon::eventlog::jetstream
