#include "ingest/grpc_event.hpp"

#include <carillon/v1/events.pb.h>

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "event/decimal.hpp"
#include "protocol/timestamp.hpp"

namespace carillon::ingest {
namespace {

// Writes one JSON object. What is empty is left out, since a message cannot tell it from what is absent.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  void close() { out_ += '}'; }

  std::string& member(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    json::append_string(out_, name);
    return out_ += ':';
  }
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) json::append_string(member(name), value);
  }
  void decimal(std::string_view name, std::string_view value) {
    if (!value.empty()) append_decimal(member(name), value);
  }
  // The name of a value that this version does not know is empty, and allowed nowhere.
  void word(std::string_view name, int value, std::string_view value_name) {
    if (value != 0) json::append_string(member(name), value_name);
  }
  void decimals(std::string_view name, const auto& values) {
    member(name) += '[';
    for (const std::string& value : values) {
      if (out_.back() != '[') out_ += ',';
      append_decimal(out_, value);
    }
    out_ += ']';
  }
  void texts(std::string_view name, const auto& values) {
    member(name) += '[';
    for (const std::string& value : values) {
      if (out_.back() != '[') out_ += ',';
      json::append_string(out_, value);
    }
    out_ += ']';
  }

 private:
  // What is no number stays a string, which is then refused where it stands and cannot become anything else.
  static void append_decimal(std::string& out, std::string_view value) {
    Decimal::parse(value) ? void(out += value) : json::append_string(out, value);
  }

  std::string& out_;
};

void append_payload(std::string& out, const v1::TradeSignal& signal) {
  ObjectWriter payload(out);
  payload.text("signal_id", signal.signal_id());
  payload.text("instrument_id", signal.instrument_id());
  payload.word("direction", signal.direction(), v1::TradeSignal::Direction_Name(signal.direction()));
  payload.decimal("entry_price", signal.entry_price());
  payload.decimal("stop_loss", signal.stop_loss());
  payload.decimals("take_profit", signal.take_profit());
  payload.text("source_agent_id", signal.source_agent_id());
  payload.decimal("confidence", signal.confidence());
  payload.close();
}

void append_payload(std::string& out, const v1::OrderUpdate& order) {
  ObjectWriter payload(out);
  payload.text("order_id", order.order_id());
  payload.text("client_order_id", order.client_order_id());
  payload.text("instrument_id", order.instrument_id());
  payload.word("status", order.status(), v1::OrderUpdate::Status_Name(order.status()));
  payload.word("side", order.side(), v1::OrderUpdate::Side_Name(order.side()));
  payload.word("type", order.type(), v1::OrderUpdate::Type_Name(order.type()));
  payload.decimal("quantity_total", order.quantity_total());
  payload.decimal("quantity_filled", order.quantity_filled());
  payload.decimal("price_avg_filled", order.price_avg_filled());
  payload.text("reason_failed", order.reason_failed());
  payload.close();
}

void append_payload(std::string& out, const v1::SystemAlert& alert) {
  ObjectWriter payload(out);
  payload.text("alert_id", alert.alert_id());
  payload.word("level", alert.level(), v1::SystemAlert::Level_Name(alert.level()));
  payload.text("message", alert.message());
  payload.text("component", alert.component());
  payload.close();
}

// Empty when it is no time that the protocol can write.
std::string timestamp_text(const google::protobuf::Timestamp& timestamp) {
  constexpr std::int64_t kFirstSecond = -62'135'596'800;  // 0001-01-01, as the message's own definition has it
  constexpr std::int64_t kLastSecond = 253'402'300'799;   // 9999-12-31
  const bool is_time = timestamp.seconds() >= kFirstSecond && timestamp.seconds() <= kLastSecond &&
                       timestamp.nanos() >= 0 && timestamp.nanos() < 1'000'000'000;
  if (!is_time) return {};
  return protocol::format_timestamp(
      WallTime(std::chrono::seconds(timestamp.seconds()) + milliseconds(timestamp.nanos() / 1'000'000)));
}

void append_event(std::string& out, const v1::Event& message) {
  ObjectWriter envelope(out);
  envelope.text("id", message.id());
  if (message.has_timestamp()) json::append_string(envelope.member("timestamp"), timestamp_text(message.timestamp()));
  envelope.text("user_id", message.user_id());
  if (message.has_audience()) {
    ObjectWriter audience(envelope.member("audience"));
    audience.texts("users", message.audience().users());
    audience.close();
  }
  const auto payload = [&](EventKind kind, const auto& content) {
    envelope.text("event", to_string(kind));
    append_payload(envelope.member("payload"), content);
  };
  if (message.has_new_trade_signal()) payload(EventKind::new_trade_signal, message.new_trade_signal());
  if (message.has_order_update()) payload(EventKind::order_update, message.order_update());
  if (message.has_system_alert()) payload(EventKind::system_alert, message.system_alert());
  envelope.close();
}

}  // namespace

std::expected<Event, protocol::EnvelopeFault> parse_grpc_event(const v1::Event& message, WallTime now) {
  if (!message.has_envelope()) {
    std::string envelope;
    append_event(envelope, message);
    return protocol::parse_envelope(envelope, now);
  }
  const bool is_alone =
      message.id().empty() && !message.has_timestamp() && message.user_id().empty() && !message.has_audience();
  if (is_alone) return protocol::parse_envelope(message.envelope(), now);
  return std::unexpected(
      protocol::EnvelopeFault{"", "not_allowed", "an envelope stands alone, with id and the rest inside it"});
}

}  // namespace carillon::ingest
