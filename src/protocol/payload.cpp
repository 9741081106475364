#include "protocol/payload.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

namespace carillon::protocol {

namespace {

enum class Presence { required, optional };
enum class Rule {
  text,
  long_text,
  word,          // one of Field::words
  number,        // any decimal (5.2)
  numbers,       // an array of them, one or more
  share,         // 0 to 1
  positive,      //
  not_negative,  //
};
using Words = std::span<const std::string_view>;

struct Field {
  std::string_view name;
  Presence presence;
  Rule rule;
  Words words = {};
};

constexpr auto kRequired = Presence::required;
constexpr auto kOptional = Presence::optional;

constexpr std::string_view kSides[] = {"BUY", "SELL"};
constexpr std::string_view kOrderTypes[] = {"LIMIT", "MARKET"};
constexpr std::string_view kStatuses[] = {"SUBMITTED", "PARTIALLY_FILLED", "FILLED", "CANCELED", "REJECTED", "EXPIRED"};
constexpr std::string_view kLevels[] = {"INFO", "WARNING", "ERROR", "CRITICAL"};

// The three tables of protocol 5.
constexpr Field kNewTradeSignal[] = {
    {"signal_id", kRequired, Rule::text},         {"instrument_id", kRequired, Rule::text},
    {"direction", kRequired, Rule::word, kSides}, {"entry_price", kRequired, Rule::number},
    {"stop_loss", kRequired, Rule::number},       {"take_profit", kRequired, Rule::numbers},
    {"source_agent_id", kRequired, Rule::text},   {"confidence", kOptional, Rule::share},
};
constexpr Field kOrderUpdate[] = {
    {"order_id", kRequired, Rule::text},
    {"client_order_id", kOptional, Rule::text},
    {"instrument_id", kRequired, Rule::text},
    {"status", kRequired, Rule::word, kStatuses},
    {"side", kRequired, Rule::word, kSides},
    {"type", kRequired, Rule::word, kOrderTypes},
    {"quantity_total", kRequired, Rule::positive},
    {"quantity_filled", kRequired, Rule::not_negative},
    {"price_avg_filled", kOptional, Rule::number},
    // Told of any status: a reason that nobody asked for harms nobody.
    {"reason_failed", kOptional, Rule::long_text},
};
constexpr Field kSystemAlert[] = {
    {"alert_id", kRequired, Rule::text},
    {"level", kRequired, Rule::word, kLevels},
    {"message", kRequired, Rule::long_text},
    {"component", kOptional, Rule::text},
};

std::span<const Field> fields_of(EventKind kind) {
  switch (kind) {
    case EventKind::new_trade_signal:
      return kNewTradeSignal;
    case EventKind::order_update:
      return kOrderUpdate;
    case EventKind::system_alert:
      return kSystemAlert;
  }
  return {};
}

MaybeFault check_word(const json::Value& value, Words words) {
  if (!value.is(json::Kind::string)) return wrong_type("a string");
  if (std::find(words.begin(), words.end(), value.text()) != words.end()) return std::nullopt;
  std::string message = "must be one of";
  for (const std::string_view word : words) message.append(word == words.front() ? " " : ", ").append(word);
  return fault("not_allowed", std::move(message));
}

MaybeFault check_number(const json::Value& value, Rule rule) {
  static const Decimal one = *Decimal::parse("1");
  const auto number = read_number(value);
  if (!number) return number.error();
  if (rule == Rule::share && (number->is_negative() || *number > one)) return fault("out_of_range", "must be 0 to 1");
  if (rule == Rule::positive && (number->is_negative() || number->is_zero()))
    return fault("out_of_range", "must be more than 0");
  if (rule == Rule::not_negative && number->is_negative()) return fault("out_of_range", "must be 0 or more");
  return std::nullopt;
}

MaybeFault check_numbers(const json::Value& value) {
  if (!value.is(json::Kind::array)) return wrong_type("an array of numbers");
  if (value.size() == 0) return fault("out_of_range", "must hold one number or more");
  std::size_t index = 0;
  for (const json::Value element : value) {
    if (auto wrong = check_number(element, Rule::number)) return inside(std::to_string(index), std::move(*wrong));
    ++index;
  }
  return std::nullopt;
}

MaybeFault check_field(const Field& field, const json::Value& value) {
  switch (field.rule) {
    case Rule::text:
      return check_text(value);
    case Rule::long_text:
      return check_text(value, kLongTextBytesMax);
    case Rule::word:
      return check_word(value, field.words);
    case Rule::numbers:
      return check_numbers(value);
    case Rule::number:
    case Rule::share:
    case Rule::positive:
    case Rule::not_negative:
      return check_number(value, field.rule);
  }
  return std::nullopt;
}

// After both passed their own rule.
MaybeFault check_fill(const json::Value& payload) {
  const auto total = Decimal::parse(payload.find("quantity_total")->text());
  const auto filled = Decimal::parse(payload.find("quantity_filled")->text());
  if (*filled <= *total) return std::nullopt;
  return inside("quantity_filled", fault("out_of_range", "must be at most quantity_total"));
}

}  // namespace

MaybeFault check_payload(EventKind kind, const json::Value& payload) {
  for (const Field& field : fields_of(kind)) {
    const auto value = payload.find(field.name);
    if (!value && field.presence == Presence::required) return missing(field.name);
    if (!value) continue;
    if (auto wrong = check_field(field, *value)) return inside(field.name, std::move(*wrong));
  }
  return kind == EventKind::order_update ? check_fill(payload) : std::nullopt;
}

}  // namespace carillon::protocol
