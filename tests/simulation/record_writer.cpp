#include "simulation/record_writer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/timestamp.hpp"

namespace carillon::simulation {

namespace {

constexpr std::array<std::string_view, 4> kLevels = {"INFO", "WARNING", "ERROR", "CRITICAL"};
constexpr std::array<std::string_view, 6> kStatuses = {"SUBMITTED", "PARTIALLY_FILLED", "FILLED",
                                                       "CANCELED",  "REJECTED",         "EXPIRED"};
constexpr std::int64_t kTotal = 10'000;  // thousandths

}  // namespace

void RecordWriter::write(WallTime now) {
  if (scenario_.is_broker && random_.percent(12) && append_again(now)) return;
  if (random_.percent(4))
    return log_.append(random_, now, nonsense(), {.is_valid = false, .lane = random_.below(scenario_.lanes)});
  const std::size_t kind = random_.below(10);
  Meaning meaning = kind < 2 ? signal() : kind < 4 ? alert() : update();
  if (random_.percent(60)) meaning.timestamp = now - milliseconds{random_.percent(90) ? random_.between(0, 50) : 3'000};
  if (!scenario_.is_broker || random_.percent(90)) meaning.id = "e" + std::to_string(++ids_);
  std::string bytes = envelope(meaning);
  log_.append(random_, now, std::move(bytes), std::move(meaning));
}

// A record from before: as it was, told otherwise, or under its id something else.
bool RecordWriter::append_again(WallTime now) {
  const auto& entries = log_.truth().entries();
  if (entries.empty()) return false;
  const std::size_t back = random_.below(std::min<std::size_t>(entries.size(), 20));
  const Entry& before = entries[entries.size() - 1 - back];
  // No node that begins later would know it any more.
  if (scenario_.lanes > 1 && entries.size() - 1 - back < log_.first()) return false;
  if (!before.meaning.is_valid || before.meaning.id.empty()) return false;
  Meaning meaning = before.meaning;
  if (random_.percent(30)) {
    meaning = random_.percent(50) ? alert() : update();
    if (meaning.kind == EventKind::order_update && meaning.lane != before.lane) meaning = alert();
    meaning.lane = before.lane;
    meaning.id = before.meaning.id;
  }
  std::string bytes = random_.percent(50) && meaning == before.meaning ? before.bytes : envelope(meaning);
  log_.append(random_, now, std::move(bytes), std::move(meaning));
  return true;
}

std::uint32_t RecordWriter::audience() {
  if (random_.percent(60)) return 0;
  return 1 + static_cast<std::uint32_t>(random_.below((std::size_t{1} << scenario_.users) - 1));
}

// Now and then long, so that frames have headers of all sizes and queues fill.
std::string RecordWriter::filler() {
  if (!random_.percent(10)) return {};
  return ",\"note\":\"" + std::string(random_.below(1'500), 'x') + "\"";
}

Meaning RecordWriter::signal() {
  Meaning meaning{.kind = EventKind::new_trade_signal, .lane = 1 % scenario_.lanes, .audience = audience()};
  meaning.payload = "{\"signal_id\":\"s" + std::to_string(++words_) +
                    "\",\"instrument_id\":\"BTC/USDT\",\"direction\":\"BUY\",\"entry_price\":64000.10,\"stop_loss\":"
                    "-1.0e2,\"take_profit\":[66000.00,67000.0],\"source_agent_id\":\"AnalystAgent-001\"" +
                    filler() + "}";
  return meaning;
}

Meaning RecordWriter::alert() {
  Meaning meaning{.kind = EventKind::system_alert, .lane = 2 % scenario_.lanes, .audience = audience()};
  meaning.level = static_cast<AlertLevel>(random_.below(kLevels.size()));
  meaning.payload = "{\"alert_id\":\"a" + std::to_string(++words_) + "\",\"level\":\"";
  meaning.payload.append(kLevels.at(static_cast<std::size_t>(meaning.level)));
  meaning.payload += "\",\"message\":\"feed delayed\"" + filler() + "}";
  return meaning;
}

Meaning RecordWriter::update() {
  constexpr std::size_t kOrdersOfInterest = 8;
  if (orders_ == 0 || random_.percent(20)) return first_update();
  const std::size_t among = std::min(orders_, kOrdersOfInterest);
  return next_update(orders_ - random_.below(among));
}

Meaning RecordWriter::first_update() {
  Meaning meaning{.kind = EventKind::order_update, .user = random_.below(scenario_.users), .order = ++orders_};
  meaning.lane = meaning.user % scenario_.lanes;
  meaning.status = random_.percent(85) ? OrderStatus::submitted : OrderStatus::partially_filled;
  put_order_payload(meaning);
  return meaning;
}

// Mostly what comes next, and else what must not.
Meaning RecordWriter::next_update(std::size_t order) {
  const auto& entries = log_.truth().entries();
  const auto last = std::ranges::find_if(entries.rbegin(), entries.rend(), [&](const Entry& entry) {
    return entry.meaning.kind == EventKind::order_update && entry.meaning.order == order && entry.is_published();
  });
  if (last == entries.rend()) return first_update();  // of another epoch
  Meaning meaning = last->meaning;
  meaning.id.clear();
  meaning.timestamp.reset();
  if (random_.percent(8)) return meaning;  // word for word
  if (random_.percent(6)) meaning.user = random_.below(scenario_.users);
  const std::size_t chance = random_.below(100);
  if (chance < 8) {
    meaning.status = OrderStatus::submitted;
  } else if (chance < 18) {
    meaning.status = OrderStatus::partially_filled;
    meaning.filled = random_.between(0, meaning.filled);
  } else if (chance < 70) {
    meaning.status = OrderStatus::partially_filled;
    meaning.filled = random_.between(meaning.filled, kTotal);
  } else {
    meaning.status = static_cast<OrderStatus>(random_.between(2, 5));
    if (meaning.status == OrderStatus::filled) meaning.filled = kTotal;
  }
  put_order_payload(meaning);
  return meaning;
}

void RecordWriter::put_order_payload(Meaning& meaning) {
  meaning.payload =
      "{\"order_id\":\"o" + std::to_string(meaning.order) + "\",\"instrument_id\":\"BTC/USDT\",\"status\":\"";
  meaning.payload.append(kStatuses.at(static_cast<std::size_t>(meaning.status)));
  meaning.payload +=
      "\",\"side\":\"BUY\",\"type\":\"LIMIT\",\"quantity_total\":10.0,\"quantity_filled\":" + quantity(meaning.filled) +
      filler() + "}";
}

// One value has many texts.
std::string RecordWriter::quantity(std::int64_t thousandths) {
  if (random_.percent(20)) return std::to_string(thousandths) + "e-3";
  std::string digits = std::to_string(thousandths % 1'000);
  digits.insert(0, 3 - digits.size(), '0');
  std::string text = std::to_string(thousandths / 1'000) + "." + digits;
  if (random_.percent(30)) text += "0";
  return text;
}

// White space and the order of members are the producer's own affair.
std::string RecordWriter::envelope(const Meaning& meaning) {
  const std::string_view space = random_.percent(20) ? " " : "";
  std::vector<std::string> members;
  const auto add = [&](std::string_view name, std::string value) {
    members.push_back("\"" + std::string(name) + "\":" + std::string(space) + std::move(value));
  };
  if (!meaning.id.empty()) add("id", "\"" + meaning.id + "\"");
  add("event", "\"" + std::string(to_string(meaning.kind)) + "\"");
  if (meaning.timestamp) add("timestamp", "\"" + protocol::format_timestamp(*meaning.timestamp) + "\"");
  if (meaning.kind == EventKind::order_update) add("user_id", "\"" + std::string(kUsers.at(meaning.user)) + "\"");
  if (meaning.audience != 0) {
    std::string users;
    for (std::size_t user = kUsers.size(); user-- > 0;)
      if ((meaning.audience >> user & 1U) != 0)
        users += (users.empty() ? "\"" : ",\"") + std::string(kUsers.at(user)) + "\"";
    add("audience", "{\"users\":[" + users + "]}");
  }
  add("payload", meaning.payload);
  if (random_.percent(20)) std::ranges::reverse(members);
  std::string text = "{";
  for (const std::string& member : members) text.append(text.size() > 1 ? "," : "").append(space).append(member);
  return text.append(space).append("}");
}

std::string RecordWriter::nonsense() {
  const std::string payload = R"("payload":{"alert_id":"a","level":"CRITICAL","message":"to whom?"}})";
  return random_.pick<std::string>(
      {"", "nonsense", "[]", "{\"event\":\"order_update\"}",
       "{\"event\":\"system_alert\",\"audience\":{\"users\":[]}," + payload,
       "{\"event\":\"system_alert\",\"user_id\":\"ann\"," + payload,
       "{\"event\":\"system_alert\",\"audience\":null," + payload,
       R"({"event":"order_update","payload":{"order_id":"o1","instrument_id":"X","status":"FILLED","side":"BUY","type":"LIMIT","quantity_total":1,"quantity_filled":1}})",
       R"({"event":"order_update","user_id":"ann","payload":{"order_id":"o1","instrument_id":"X","status":"FILLED","side":"BUY","type":"LIMIT","quantity_total":1,"quantity_filled":1.1}})"});
}

}  // namespace carillon::simulation
