#include "notification/order_rules.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace carillon::notification {
namespace {

constexpr WallTime kStart{std::chrono::hours{490'000}};

Event update(std::string order, std::string_view status, const std::string& filled, std::string user = "alice",
             const std::string& note = "") {
  Event event;
  event.kind = EventKind::order_update;
  event.user_id = std::move(user);
  event.payload = order + " " + std::string(status) + " " + filled + " " + note;
  event.order = OrderFacts{
      .order_id = std::move(order), .status = *order_status(status), .quantity_filled = *Decimal::parse(filled)};
  return event;
}

// One order after another, asked about in the order of a log.
struct Book {
  Ruling tell(const Event& event) {
    const auto decision = rules.decide(event, ++ordinal, now);
    previous = decision.previous;
    return decision.ruling;
  }
  Ruling tell(std::string order, std::string_view status, const std::string& filled = "0") {
    return tell(update(std::move(order), status, filled));
  }

  OrderRules rules{{}};
  WallTime now = kStart;
  Ordinal ordinal = 0;
  Ordinal previous = 0;
};

struct Step {
  std::string_view status;
  std::string filled;
  Ruling ruling = Ruling::publish;
  std::string note = "";
};

struct Life {
  std::string_view name;
  std::vector<Step> steps;
};

const std::vector<Life> kLives = {
    {"filled at once", {{"SUBMITTED", "0"}, {"FILLED", "10"}}},
    {"filled in parts", {{"SUBMITTED", "0"}, {"PARTIALLY_FILLED", "4"}, {"PARTIALLY_FILLED", "7"}, {"FILLED", "10"}}},
    {"first seen midway", {{"PARTIALLY_FILLED", "4"}, {"FILLED", "10"}}},
    {"first seen at its end", {{"CANCELED", "0"}, {"SUBMITTED", "0", Ruling::after_terminal}}},
    {"canceled after a part", {{"SUBMITTED", "0"}, {"PARTIALLY_FILLED", "4"}, {"CANCELED", "4"}}},
    {"rejected", {{"SUBMITTED", "0"}, {"REJECTED", "0"}}},
    {"expired", {{"SUBMITTED", "0"}, {"PARTIALLY_FILLED", "4"}, {"EXPIRED", "4"}}},
    {"amended before a fill", {{"SUBMITTED", "0"}, {"SUBMITTED", "0", Ruling::publish, "new price"}}},
    {"another price, no more filled",
     {{"PARTIALLY_FILLED", "4"}, {"PARTIALLY_FILLED", "4", Ruling::publish, "new average"}}},
    {"submitted said twice", {{"SUBMITTED", "0"}, {"SUBMITTED", "0", Ruling::repeat}, {"FILLED", "10"}}},
    {"a part said twice",
     {{"PARTIALLY_FILLED", "4"}, {"PARTIALLY_FILLED", "4", Ruling::repeat}, {"PARTIALLY_FILLED", "5"}}},
    {"what stood before the last is no repeat",
     {{"SUBMITTED", "0"}, {"SUBMITTED", "0", Ruling::publish, "amended"}, {"SUBMITTED", "0"}}},
    {"submitted again after a part",
     {{"SUBMITTED", "0"},
      {"PARTIALLY_FILLED", "4"},
      {"SUBMITTED", "0", Ruling::submitted_again},
      {"SUBMITTED", "9", Ruling::submitted_again},
      {"FILLED", "10"}}},
    {"less filled",
     {{"PARTIALLY_FILLED", "4"},
      {"PARTIALLY_FILLED", "3", Ruling::filled_fell},
      {"PARTIALLY_FILLED", "4", Ruling::repeat},
      {"PARTIALLY_FILLED", "5"}}},
    {"an end with less filled is no end",
     {{"PARTIALLY_FILLED", "4"},
      {"CANCELED", "3", Ruling::filled_fell},
      {"FILLED", "3.9", Ruling::filled_fell},
      {"CANCELED", "4"}}},
    {"a submitted with less filled", {{"SUBMITTED", "4"}, {"SUBMITTED", "3", Ruling::filled_fell}, {"FILLED", "10"}}},
    {"nothing after filled",
     {{"FILLED", "10"},
      {"FILLED", "10", Ruling::after_terminal},
      {"FILLED", "11", Ruling::after_terminal},
      {"PARTIALLY_FILLED", "12", Ruling::after_terminal},
      {"CANCELED", "10", Ruling::after_terminal}}},
    {"nothing after canceled", {{"CANCELED", "0"}, {"FILLED", "10", Ruling::after_terminal}}},
    {"nothing after rejected", {{"REJECTED", "0"}, {"SUBMITTED", "0", Ruling::after_terminal}}},
    {"nothing after expired", {{"EXPIRED", "4"}, {"PARTIALLY_FILLED", "5", Ruling::after_terminal}}},
};

TEST(OrderRules, LetALifeGoForwardOnly) {
  for (const Life& life : kLives) {
    Book book;
    for (std::size_t i = 0; i < life.steps.size(); ++i) {
      const Step& step = life.steps[i];
      EXPECT_EQ(book.tell(update("o", step.status, step.filled, "alice", step.note)), step.ruling)
          << life.name << ", step " << i;
    }
  }
}

// Each pair: what is filled, then what comes. Doubles would call the last three equal.
TEST(OrderRules, CompareFilledAsDecimals) {
  struct Case {
    std::string before, after;
    Ruling ruling;
  };
  const std::vector<Case> cases = {
      {"0.10", "0.1", Ruling::publish},
      {"0.1", "1e-1", Ruling::publish},
      {"1e-1", "0.10", Ruling::publish},
      {"9", "10", Ruling::publish},
      {"10", "9", Ruling::filled_fell},
      {"0.3", "0.30000000000000000000000001", Ruling::publish},
      {"0.30000000000000000000000001", "0.3", Ruling::filled_fell},
      {"9007199254740993", "9007199254740992", Ruling::filled_fell},
      {"0.1000000000000000055511151231257827", "0.1", Ruling::filled_fell},
  };
  for (const Case& each : cases) {
    Book book;
    ASSERT_EQ(book.tell("o", "PARTIALLY_FILLED", each.before), Ruling::publish);
    EXPECT_EQ(book.tell("o", "PARTIALLY_FILLED", each.after), each.ruling) << each.before << " then " << each.after;
  }
}

TEST(OrderRules, KeepAnOrderToTheUserOfItsFirstUpdate) {
  Book book;
  EXPECT_EQ(book.tell(update("o", "SUBMITTED", "0", "alice")), Ruling::publish);
  for (const char* other : {"bob", "Alice", "alice ", "alic"})
    EXPECT_EQ(book.tell(update("o", "PARTIALLY_FILLED", "1", other)), Ruling::owner_mismatch) << other;
  EXPECT_EQ(book.tell(update("o", "PARTIALLY_FILLED", "1", "alice")), Ruling::publish);
  EXPECT_EQ(book.tell(update("o", "SUBMITTED", "0", "bob")), Ruling::owner_mismatch);
  EXPECT_EQ(book.tell(update("o", "FILLED", "2", "alice")), Ruling::publish);
  EXPECT_EQ(book.tell(update("o", "FILLED", "2", "bob")), Ruling::owner_mismatch);
  EXPECT_EQ(book.tell(update("other", "SUBMITTED", "0", "bob")), Ruling::publish);
}

TEST(OrderRules, SayWhereTheOrderStoodBefore) {
  Book book;
  book.tell("a", "SUBMITTED");
  EXPECT_EQ(book.previous, 0U);
  book.tell("b", "SUBMITTED");
  EXPECT_EQ(book.previous, 0U);
  book.tell("a", "PARTIALLY_FILLED", "2");
  EXPECT_EQ(book.previous, 1U);
  book.tell("a", "PARTIALLY_FILLED", "1");
  EXPECT_EQ(book.previous, 0U) << "withheld";
  book.tell("a", "FILLED", "3");
  EXPECT_EQ(book.previous, 3U);
  book.tell("b", "CANCELED");
  EXPECT_EQ(book.previous, 2U);
}

TEST(OrderRules, HaveNothingToSayAboutOtherEvents) {
  Book book;
  Event alert;
  alert.payload = "{}";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(book.tell(alert), Ruling::publish);
  EXPECT_EQ(book.rules.remembered(), 0U);
}

TEST(OrderRules, ForgetAnOrderThatEndedADayAgoAndNoOpenOne) {
  Book book;
  book.tell("open", "SUBMITTED");
  book.tell("ended", "FILLED", "1");
  book.now += std::chrono::hours{24};
  EXPECT_EQ(book.tell("ended", "SUBMITTED"), Ruling::after_terminal);
  book.now += milliseconds{1};
  EXPECT_EQ(book.tell("ended", "SUBMITTED"), Ruling::publish) << "a new order of that name";
  EXPECT_EQ(book.previous, 0U);
  book.now += std::chrono::years{1};
  EXPECT_EQ(book.tell("open", "SUBMITTED"), Ruling::repeat);
  EXPECT_EQ(book.rules.remembered(), 2U);
  EXPECT_EQ(book.rules.forgotten(), 0U);
}

// A producer's or a broker's clock that goes back does not bring time back.
TEST(OrderRules, KnowTheTimeOfTheLogOnly) {
  Book book;
  book.now = kStart + std::chrono::hours{10};
  book.tell("open", "SUBMITTED");
  book.now = kStart;
  book.tell("ended", "FILLED", "1");
  book.now = kStart + std::chrono::hours{34};
  EXPECT_EQ(book.tell("ended", "FILLED", "1"), Ruling::after_terminal) << "it ended at the time that open had made it";
  book.now += milliseconds{1};
  book.tell("open", "CANCELED");
  EXPECT_EQ(book.rules.remembered(), 1U);
  book.now = kStart;
  EXPECT_EQ(book.tell("ended", "SUBMITTED"), Ruling::publish) << "what is forgotten stays forgotten";
}

TEST(OrderRules, ForgetTheFirstEndedAtTheBoundAndThenTheLongestStanding) {
  OrderRules rules{{.orders_max = 3}};
  Ordinal ordinal = 0;
  const auto tell = [&](std::string order, std::string_view status, const std::string& filled = "0") {
    return rules.decide(update(std::move(order), status, filled), ++ordinal, kStart);
  };
  tell("a", "SUBMITTED");
  tell("b", "SUBMITTED");
  tell("c", "SUBMITTED");
  tell("c", "FILLED", "1");
  tell("b", "FILLED", "1");
  tell("d", "SUBMITTED");  // c ended first
  EXPECT_EQ(rules.forgotten(), 1U);
  EXPECT_EQ(tell("b", "FILLED", "1").ruling, Ruling::after_terminal);
  tell("e", "SUBMITTED");  // then b
  EXPECT_EQ(rules.forgotten(), 2U);
  tell("a", "PARTIALLY_FILLED", "1");
  tell("f", "SUBMITTED");  // all are open; d stands longest since a moved
  EXPECT_EQ(rules.forgotten(), 3U);
  EXPECT_EQ(rules.remembered(), 3U);
  EXPECT_EQ(tell("a", "SUBMITTED").ruling, Ruling::submitted_again);
  EXPECT_EQ(tell("e", "SUBMITTED").ruling, Ruling::repeat);
  EXPECT_EQ(tell("f", "SUBMITTED").ruling, Ruling::repeat);
  EXPECT_EQ(tell("d", "SUBMITTED").previous, 0U);
  EXPECT_EQ(rules.forgotten(), 4U);
}

TEST(OrderRules, HoldTheirBoundWhateverComes) {
  OrderRules rules{{.terminal_memory = std::chrono::hours{1}, .orders_max = 50}};
  std::mt19937_64 random(7);
  for (Ordinal ordinal = 1; ordinal <= 20'000; ++ordinal) {
    const char* const status = random() % 2 == 0 ? "SUBMITTED" : "CANCELED";
    (void)rules.decide(update("o" + std::to_string(random() % 500), status, "0"), ordinal,
                       kStart + milliseconds{random() % 7'200'000});
    ASSERT_LE(rules.remembered(), 50U);
  }
  EXPECT_GT(rules.forgotten(), 0U);
}

// A log of updates of a few orders: often legal, often not, on clocks that disagree.
struct Line {
  Event event;
  WallTime logged_at;
};

std::vector<Line> random_log(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  constexpr std::array kStatuses = {"SUBMITTED", "PARTIALLY_FILLED", "PARTIALLY_FILLED", "PARTIALLY_FILLED",
                                    "FILLED",    "CANCELED",         "EXPIRED"};
  constexpr std::array kAmounts = {"0", "0.0", "0.1", "0.10", "1e-1", "0.2", "0.25", "1", "1.000", "2e0", "10"};
  std::vector<Line> log;
  WallTime time = kStart;
  for (std::uint64_t i = 0, size = 20 + below(100); i < size; ++i) {
    time += milliseconds{static_cast<std::int64_t>(below(3'600'000)) - 600'000};
    Event event = update("o" + std::to_string(below(4)), kStatuses.at(below(kStatuses.size())),
                         kAmounts.at(below(kAmounts.size())), below(8) == 0 ? "bob" : "alice");
    log.push_back({.event = std::move(event), .logged_at = time});
  }
  return log;
}

// The promise, said another way than the rules: what a reader may find in the published updates of one order.
struct Reader {
  void reads(const Event& event) {
    const OrderFacts& facts = *event.order;
    if (last) {
      EXPECT_FALSE(is_terminal(last->order->status));
      EXPECT_FALSE(facts.status == OrderStatus::submitted && last->order->status != OrderStatus::submitted);
      EXPECT_FALSE(facts.quantity_filled < last->order->quantity_filled);
      EXPECT_EQ(event.user_id, last->user_id);
      EXPECT_NE(event.payload, last->payload);
    }
    last = event;
  }
  std::optional<Event> last;
};

constexpr std::uint64_t kSeeds = 2'000;

TEST(OrderRules, KeepThePromiseForAnyLog) {
  std::size_t published = 0, withheld = 0;
  for (std::uint64_t seed = 0; seed < kSeeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    OrderRules rules{{.terminal_memory = std::chrono::years{100}}};
    std::map<std::string, Reader> readers;
    Ordinal ordinal = 0;
    for (const Line& line : random_log(seed)) {
      const bool is_published = rules.decide(line.event, ++ordinal, line.logged_at).ruling == Ruling::publish;
      if (is_published) readers[line.event.order->order_id].reads(line.event);
      ++(is_published ? published : withheld);
    }
  }
  EXPECT_GT(published, kSeeds);
  EXPECT_GT(withheld, kSeeds);
}

std::vector<OrderRules::Decision> decisions(const std::vector<Line>& log, std::size_t size) {
  OrderRules rules{{.terminal_memory = std::chrono::hours{5}, .orders_max = 3}};
  std::vector<OrderRules::Decision> made;
  for (std::size_t i = 0; i < size; ++i) made.push_back(rules.decide(log[i].event, i + 1, log[i].logged_at));
  return made;
}

TEST(OrderRules, DecideAlikeOnEveryNode) {
  for (std::uint64_t seed = 0; seed < kSeeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    const auto log = random_log(seed);
    auto all = decisions(log, log.size());
    const std::size_t some = seed % log.size();
    all.resize(some);
    EXPECT_EQ(decisions(log, some), all);
  }
}

// What a log keeps of its trimmed part is the last published update of each order (Settled): a node that begins there
// decides like one that saw everything.
TEST(OrderRules, GoOnFromTheLastPublishedUpdateOfEachOrder) {
  for (std::uint64_t seed = 0; seed < kSeeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    const auto log = random_log(seed);
    const std::size_t trimmed = seed % log.size();
    OrderRules old{{.terminal_memory = std::chrono::years{100}}};
    OrderRules fresh{{.terminal_memory = std::chrono::years{100}}};
    std::map<std::string, Ordinal> stands;
    for (Ordinal at = 1; at <= trimmed; ++at)
      if (old.decide(log[at - 1].event, at, log[at - 1].logged_at).ruling == Ruling::publish)
        stands[log[at - 1].event.order->order_id] = at;
    std::map<Ordinal, std::string> kept;
    for (const auto& [order, at] : stands) kept[at] = order;
    for (const auto& [at, order] : kept)
      EXPECT_EQ(fresh.decide(log[at - 1].event, at, log[at - 1].logged_at), OrderRules::Decision{});
    for (Ordinal at = trimmed + 1; at <= log.size(); ++at)
      EXPECT_EQ(fresh.decide(log[at - 1].event, at, log[at - 1].logged_at),
                old.decide(log[at - 1].event, at, log[at - 1].logged_at));
  }
}

TEST(Ruling, HasAWord) {
  EXPECT_EQ(to_string(Ruling::publish), "publish");
  EXPECT_EQ(to_string(Ruling::repeat), "repeat");
  EXPECT_EQ(to_string(Ruling::after_terminal), "after_terminal");
  EXPECT_EQ(to_string(Ruling::submitted_again), "submitted_again");
  EXPECT_EQ(to_string(Ruling::filled_fell), "filled_fell");
  EXPECT_EQ(to_string(Ruling::owner_mismatch), "owner_mismatch");
}

}  // namespace
}  // namespace carillon::notification
