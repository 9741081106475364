#include "websocket/session.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "auth/key.hpp"
#include "auth/key_set.hpp"
#include "auth/signing_key.hpp"
#include "auth/verifier.hpp"
#include "base/json.hpp"
#include "websocket/websocket_server.hpp"

namespace carillon::websocket {
namespace {

using std::chrono::seconds;

constexpr std::string_view kSecret = "a secret of at least thirty-two bytes";
const auth::AlgorithmSet kAlgorithms{auth::Algorithm::hs256};

// The client's end of one connection: says what a test wants and remembers what came.
class Client {
 public:
  explicit Client(int fd) : fd_(fd) {}
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send_bytes(std::string_view bytes) const {
    ASSERT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  void send_frame(protocol::Opcode opcode, std::string_view payload) const {
    std::string frame;
    append_masked_frame(frame, opcode, payload, {1, 2, 3, 4});
    send_bytes(frame);
  }
  void say(std::string_view text) const { send_frame(protocol::Opcode::text, text); }
  void say_token(std::string_view token) const {
    say(R"({"type":"auth","event":"token","payload":{"token":")" + std::string(token) + "\"}}");
  }

  // Takes in everything that has arrived. The first thing is the answer to the upgrade.
  void read() {
    char room[65536];
    for (ssize_t got = 0; (got = ::recv(fd_, room, sizeof room, MSG_DONTWAIT)) != -1;) {
      if (got == 0) {
        ended = true;
        break;
      }
      ++writes;
      bytes_.append(room, static_cast<std::size_t>(got));
    }
    if (!upgraded_) {
      const std::size_t end = bytes_.find("\r\n\r\n");
      if (end == std::string::npos) return;
      upgraded_ = true;
      bytes_.erase(0, end + 4);
    }
    for (std::string_view left = bytes_;;) {
      const auto item = reader_.next(left);
      if (item.kind == FrameReader::Kind::need_more) break;
      ASSERT_NE(item.kind, FrameReader::Kind::fault);
      if (item.kind == FrameReader::Kind::message) messages.emplace_back(item.data);
      if (item.kind == FrameReader::Kind::pong) pongs.emplace_back(item.data);
      if (item.kind == FrameReader::Kind::close) close_code = item.code;
    }
    bytes_.clear();
  }

  // The `event` of each message, and of an error its code.
  [[nodiscard]] std::vector<std::string> events() const {
    std::vector<std::string> names;
    for (const auto& text : messages) {
      const auto document = json::Document::parse(text);
      std::string name(document->root().find_string("event").value_or("?"));
      if (const auto payload = document->root().find("payload"))
        if (const auto code = payload->find_string("code")) name += ":" + std::string(*code);
      names.push_back(name);
    }
    return names;
  }

  std::vector<std::string> messages, pongs;
  int close_code = 0;
  int writes = 0;
  bool ended = false;

 private:
  int fd_;
  bool upgraded_ = false;
  std::string bytes_;
  FrameReader reader_{FrameReader::Peer::server, {.message_bytes_max = 1 << 20, .fragments_max = 1}};
};

// One shard without network: sockets are pairs, time is moved by hand, every turn is asked for.
struct World {
  enum class Log { read, unread };
  explicit World(Options o = {}, std::uint32_t per_user = 20, Log log = Log::read)
      : users(per_user), server(loop, hub, make_verifier(), users, positions(), std::move(o), metrics) {
    loop.at_turn_end([this] {
      if (hub.deliver(loop.clock_now())) loop.hurry();
    });
    loop.at_turn_end([this] { server.flush(); });
    if (log == Log::unread) return;
    hub.set_origin({"p.0"});
    server.open();
  }
  ~World() { clients.clear(); }

  // Positions are "p." and a place, from a log that has got to 1000 in both its lanes.
  WebSocketServer::Positions positions() {
    return {.locate = [](std::string_view position) -> std::expected<Place, GapReason> {
              if (position.starts_with("q.")) return std::unexpected(GapReason::epoch);
              auto place = position.starts_with("p.") ? parse_place(position.substr(2)) : std::nullopt;
              if (!place) return std::unexpected(GapReason::unknown);
              return std::move(*place);
            },
            .has_reached =
                [this](const Place& place, auto done) {
                  if (answers_later) return questions.push_back(std::move(done));
                  done(parse_place("1000.1000")->covers(place));
                }};
  }

  static std::shared_ptr<const auth::Verifier> make_verifier() {
    std::vector<auth::Key> keys;
    keys.push_back(auth::Key::from_secret(kSecret, kAlgorithms).value());
    return std::make_shared<auth::Verifier>(auth::Options{},
                                            std::make_shared<auth::KeySet>(kAlgorithms, std::move(keys)));
  }

  std::string token(std::string_view user, seconds lifetime = seconds{3600}, std::string_view scope = {}) {
    const auto key = auth::SigningKey::read(auth::Algorithm::hs256, auth::Secret(std::string(kSecret)));
    const auto exp = std::chrono::duration_cast<seconds>(clock.wall_now().time_since_epoch() + lifetime).count();
    std::string claims = "{\"sub\":\"" + std::string(user) + "\",\"exp\":" + std::to_string(exp);
    if (!scope.empty()) claims += ",\"scope\":\"" + std::string(scope) + "\"";
    return auth::signed_compact(*key, R"({"alg":"HS256"})", claims + "}");
  }

  Client& connect(std::string_view header_lines, int send_buffer = 0, std::string_view query = "") {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    if (send_buffer > 0) ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
    net::HttpRequest request;
    request.head =
        *net::parse_http_head("GET /v1/stream" + std::string(query) +
                              " HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                              std::string(header_lines) + "\r\n");
    auto take_over = server.route().decide_upgrade(request);
    clients.push_back(std::make_unique<Client>(ends[1]));
    EXPECT_TRUE(take_over.has_value());
    net::Stream stream(net::Fd(ends[0]), nullptr, scratch);
    (*take_over)({std::move(request), std::move(stream), {}, {}});
    turn();
    return *clients.back();
  }
  Client& connect_as(std::string_view user, int send_buffer = 0, std::string_view query = "") {
    return connect("Authorization: Bearer " + token(user) + "\r\n", send_buffer, query);
  }

  void turn() {
    loop.turn_at_once();
    for (auto& client : clients)
      if (!client->ended && client->close_code == 0) client->read();
  }
  // In steps, because the loop takes a long pause for a stall of its own. Clients in `alive` say something meanwhile.
  void pass(milliseconds time, const std::vector<Client*>& alive = {}) {
    while (time > milliseconds{0}) {
      const auto step = std::min(time, milliseconds{200});
      clock.advance(step);
      time -= step;
      for (Client* const client : alive)
        if (client->close_code == 0) client->send_frame(protocol::Opcode::pong, "");
      turn();
      turn();
    }
  }
  void publish(EventKind kind, UserId owner = {}, std::size_t size = 20, std::uint32_t lane = 0) {
    auto publication = std::make_shared<Publication>();
    publication->sequence = sequence++;
    publication->ordinal = publication->sequence;
    publication->lane = lane;
    publication->offset = {reached.at(lane).high + 1};
    reached.pass(lane, publication->offset);
    publication->position = position_like({"p.0"}, reached);
    publication->kind = kind;
    publication->owner = std::move(owner);
    publication->order_id = publication->position.text;
    publication->accepted_at = publication->published_at = clock.mono_now();
    const std::string text =
        R"({"event":")" + publication->position.text + R"(","pad":")" + std::string(size, 'x') + "\"}";
    protocol::append_text_frame(publication->frame, text);
    publication->mark_at =
        static_cast<std::uint32_t>(protocol::header_size(publication->frame) + text.find(",\"pad\""));
    const PublicationPtr shared = publication;
    hub.publish({{shared}});
  }

  ManualClock clock;
  telemetry::Registry metrics;
  runtime::Loop loop{clock};
  hub::Hub hub{hub::WindowLimits{}};
  runtime::KeyedLimit users;
  net::StreamScratch scratch;
  WebSocketServer server;
  std::vector<std::unique_ptr<Client>> clients;
  std::uint64_t sequence = 1;
  Place reached;
  bool answers_later = false;  // the log; until `questions` are
  std::vector<std::move_only_function<void(Result<bool>)>> questions;
};

using Names = std::vector<std::string>;

TEST(Session, EachCarrierIsAnsweredByAuthOkFirst) {
  World w;
  Client& a = w.connect_as("alice");
  EXPECT_EQ(a.events(), (Names{"auth_ok", "live"}));
  Client& b = w.connect("Sec-WebSocket-Protocol: carillon.v1, carillon.bearer." + w.token("alice") + "\r\n");
  EXPECT_EQ(b.events(), (Names{"auth_ok", "live"}));
  Client& c = w.connect("");
  EXPECT_TRUE(c.messages.empty());
  w.publish(EventKind::system_alert);
  c.say_token(w.token("alice"));
  w.turn();
  EXPECT_EQ(c.events(), (Names{"auth_ok", "live"}));
  w.publish(EventKind::system_alert);
  w.turn();
  EXPECT_EQ(c.events(), (Names{"auth_ok", "live", "p.2"}));
  EXPECT_EQ(a.events(), (Names{"auth_ok", "live", "p.1", "p.2"}));
}

TEST(Session, ABadTokenIsToldByMessageAndCloseCode) {
  World w;
  Client& b = w.connect("Sec-WebSocket-Protocol: carillon.v1, carillon.bearer.x.y.z\r\n");
  EXPECT_EQ(b.events(), Names{"auth_failed:malformed_token"});
  EXPECT_EQ(b.close_code, 4401);
  Client& c = w.connect("");
  c.say(R"({"type":"heartbeat","event":"ping"})");
  w.turn();
  EXPECT_EQ(c.events(), Names{"auth_failed:missing_token"});
  EXPECT_EQ(c.close_code, 4401);
  Client& silent = w.connect("");
  silent.send_frame(protocol::Opcode::ping, "anyone?");
  w.pass(milliseconds{4900});
  EXPECT_EQ(silent.close_code, 0);
  EXPECT_TRUE(silent.pongs.empty());
  w.pass(milliseconds{200});
  EXPECT_EQ(silent.events(), Names{"auth_failed:timeout"});
  EXPECT_EQ(silent.close_code, 4408);
}

TEST(Session, AllThatComesInATurnLeavesInOneWrite) {
  World w;
  Client& alice = w.connect_as("alice");
  alice.writes = 0;
  alice.say(R"({"type":"heartbeat","event":"ping"})");
  for (int i = 0; i < 10; ++i) w.publish(EventKind::system_alert);
  w.publish(EventKind::order_update, "alice");
  w.publish(EventKind::order_update, "bob");
  w.turn();
  EXPECT_EQ(alice.messages.size(), 2U + 1 + 11);
  EXPECT_EQ(alice.writes, 1);
}

// protocol 4.2
TEST(Session, TheHeartbeatTellsPositionAndCount) {
  World w;
  Client& alice = w.connect_as("alice");
  w.publish(EventKind::system_alert);
  w.publish(EventKind::order_update, "bob");
  w.pass(seconds{20}, {&alice});
  ASSERT_EQ(alice.events(), (Names{"auth_ok", "live", "p.1", "ping"}));
  EXPECT_NE(alice.messages[3].find(R"("payload":{"position":"p.2","delivered":1})"), std::string::npos);
  w.pass(seconds{20}, {&alice});
  EXPECT_EQ(alice.events().size(), 5U);
}

// protocol 7.1
TEST(Session, SilenceIsClosedAndAnySignOfLifeIsEnough) {
  World w;
  Client& silent = w.connect_as("alice");
  Client& alive = w.connect_as("bob");
  w.pass(milliseconds{29500}, {&alive});
  EXPECT_EQ(silent.close_code, 0);
  w.pass(milliseconds{1000}, {&alive});
  EXPECT_EQ(silent.close_code, 4411);
  EXPECT_EQ(alive.close_code, 0);
}

// protocol 2.7
TEST(Session, ExpiryIsAnnouncedAndObeyed) {
  World w;
  Client& alice = w.connect("Authorization: Bearer " + w.token("alice", seconds{100}) + "\r\n");
  w.pass(milliseconds{39500}, {&alice});
  EXPECT_EQ(std::ranges::count(alice.events(), "auth_expiring"), 0);
  w.pass(milliseconds{1000}, {&alice});
  EXPECT_EQ(std::ranges::count(alice.events(), "auth_expiring"), 1);
  w.pass(milliseconds{64000}, {&alice});
  EXPECT_EQ(alice.close_code, 0);
  w.pass(milliseconds{1500}, {&alice});
  EXPECT_EQ(alice.close_code, 4419);
  EXPECT_EQ(std::ranges::count(alice.events(), "auth_expiring"), 1);
}

// protocol 2.6
TEST(Session, ATokenOfTheSameUserExtendsAndAnothersEnds) {
  World w;
  Client& alice = w.connect("Authorization: Bearer " + w.token("alice", seconds{30}, "signals") + "\r\n");
  w.publish(EventKind::order_update, "alice");
  w.turn();
  alice.say_token(w.token("alice", seconds{3600}));
  w.turn();
  w.publish(EventKind::order_update, "alice");
  w.pass(seconds{60}, {&alice});
  EXPECT_EQ(alice.close_code, 0);
  EXPECT_EQ(std::ranges::count(alice.events(), "auth_ok"), 2);
  EXPECT_EQ(std::ranges::count(alice.events(), "p.1"), 0);
  EXPECT_EQ(std::ranges::count(alice.events(), "p.2"), 1);
  alice.say_token(w.token("bob"));
  w.turn();
  EXPECT_EQ(alice.close_code, 4403);
}

// protocol 3.4
TEST(Session, TheEleventhMalformedMessageInAMinuteCloses) {
  World w;
  Client& alice = w.connect_as("alice");
  for (int i = 0; i < 10; ++i) {
    alice.say("nonsense");
    w.pass(seconds{5});
  }
  EXPECT_EQ(std::ranges::count(alice.events(), "invalid_message:not_json"), 10);
  w.pass(seconds{11}, {&alice});  // the first has left the minute
  alice.say("nonsense");
  w.turn();
  EXPECT_EQ(alice.close_code, 0);
  for (int i = 0; i < 4 && alice.close_code == 0; ++i) {
    alice.say("nonsense");
    w.turn();
  }
  EXPECT_EQ(alice.close_code, 4400);
}

// cases.md F13, D18
TEST(Session, TooManyMessagesAreWarnedAboutAndThenClosed) {
  World w;
  Client& alice = w.connect_as("alice");
  for (int i = 0; i < 51; ++i) alice.say(R"({"type":"heartbeat","event":"ping"})");
  w.turn();
  EXPECT_EQ(std::ranges::count(alice.events(), "pong"), 50);
  EXPECT_EQ(std::ranges::count(alice.events(), "invalid_message:too_many"), 1);
  EXPECT_EQ(alice.close_code, 0);
  for (int i = 0; i < 20; ++i) alice.say(R"({"type":"heartbeat","event":"ping"})");
  w.turn();
  EXPECT_EQ(alice.close_code, 4429);

  Client& pinger = w.connect_as("bob");
  for (int i = 0; i < 10; ++i) pinger.send_frame(protocol::Opcode::ping, std::to_string(i));
  w.turn();
  EXPECT_EQ(pinger.pongs, Names{"9"});
  for (int i = 0; i < 2; ++i) pinger.send_frame(protocol::Opcode::ping, "");
  w.turn();
  EXPECT_EQ(pinger.close_code, 4429);
}

TEST(Session, WhoFloodsIsNotHeardAnyMoreAndThenCutOff) {
  World w;
  Client& alice = w.connect_as("alice");
  for (int i = 0; i < 12; ++i) alice.send_frame(protocol::Opcode::ping, "");
  w.turn();
  EXPECT_EQ(alice.close_code, 4429);
  EXPECT_TRUE(alice.ended);
  for (int i = 0; i < 100 && w.server.connections() > 0; ++i) {
    for (int k = 0; k < 100; ++k) alice.send_frame(protocol::Opcode::ping, std::string(100, 'x'));
    w.turn();
  }
  EXPECT_EQ(w.server.connections(), 0);
}

// cases.md D9, D16: a control frame does not give a begun message more time.
TEST(Session, AMessageBegunMustEndInTime) {
  World w;
  Client& alice = w.connect_as("alice");
  alice.send_bytes(std::string("\x01\x85\x00\x00\x00\x00he", 8));
  w.pass(milliseconds{9000});
  EXPECT_EQ(alice.close_code, 0);
  alice.send_bytes("llo");
  alice.send_frame(protocol::Opcode::ping, "");
  w.pass(milliseconds{2000});
  EXPECT_EQ(alice.close_code, 1008);
}

// protocol 7.2: by age and by bytes; the others notice nothing.
TEST(Session, ASlowClientIsClosedAndTheOthersNoticeNothing) {
  for (const bool by_bytes : {true, false}) {
    Options options;
    options.queue_bytes_max = by_bytes ? 64 * 1024 : 1024 * 1024;
    World w(options);
    Client& good = w.connect_as("bob");
    w.connect_as("alice", 4096);
    auto slow = std::move(w.clients.back());  // nobody reads for it from now on
    w.clients.pop_back();
    int published = 0;
    for (; published < 200 && w.hub.subscribers() == 2; ++published) {
      w.publish(EventKind::system_alert, {}, by_bytes ? 2000 : 500);
      w.pass(milliseconds{by_bytes ? 1 : 500});
      if (published % 20 == 0) good.send_frame(protocol::Opcode::pong, "");
    }
    slow->read();
    for (int i = 0; i < 50 && slow->close_code == 0; ++i) {
      w.turn();
      slow->read();
    }
    EXPECT_EQ(slow->close_code, 4420) << published;
    const auto notifications =
        std::ranges::count_if(good.events(), [](const std::string& name) { return name.starts_with("p."); });
    EXPECT_EQ(notifications, published);
  }
}

TEST(Session, AStalledClientGetsEverythingInOrderWhenItReadsAgain) {
  World w;
  w.connect_as("alice", 4096);
  auto slow = std::move(w.clients.back());
  w.clients.pop_back();
  for (int i = 0; i < 100; ++i) {
    w.publish(EventKind::system_alert, {}, 1000);
    w.turn();
  }
  for (int i = 0; i < 500; ++i) {
    slow->read();
    w.turn();
  }
  ASSERT_EQ(slow->messages.size(), 102U);
  for (int i = 1; i <= 100; ++i) EXPECT_EQ(slow->events()[static_cast<std::size_t>(i) + 1], "p." + std::to_string(i));
}

TEST(Session, AUserHasSoManyConnectionsAndNoMore) {
  World w({}, 2);
  w.connect_as("alice");
  Client& second = w.connect("");
  Client& third = w.connect("");
  second.say_token(w.token("alice"));
  w.turn();
  third.say_token(w.token("alice"));
  w.turn();
  EXPECT_EQ(second.events(), (Names{"auth_ok", "live"}));
  EXPECT_EQ(third.close_code, 4429);
  EXPECT_TRUE(third.messages.empty());
}

// protocol 7.3
TEST(Session, DrainingTellsFirstThenClosesWithinTheWindow) {
  World w;
  for (int i = 0; i < 20; ++i) w.connect_as("user" + std::to_string(i));
  w.server.drain(seconds{10});
  w.pass(seconds{5});
  const auto closed = std::ranges::count_if(w.clients, [](const auto& client) { return client->close_code != 0; });
  EXPECT_GT(closed, 0);
  EXPECT_LT(closed, 20);
  w.pass(milliseconds{5100});
  for (const auto& client : w.clients) {
    EXPECT_EQ(client->close_code, 1012);
    EXPECT_EQ(client->events(), (Names{"auth_ok", "live", "shutting_down"}));
  }
}

// cases.md D21, D23
TEST(Session, TheServerEndsTheConnectionWhateverThePeerDoes) {
  World w;
  Client& polite = w.connect_as("alice");
  polite.send_frame(protocol::Opcode::close, "\x03\xe8");
  w.turn();
  EXPECT_EQ(polite.close_code, 1000);
  w.pass(milliseconds{1100});
  EXPECT_EQ(w.server.connections(), 0);

  Client& rude = w.connect_as("bob");
  rude.send_frame(protocol::Opcode::binary, "x");
  w.turn();
  EXPECT_EQ(rude.close_code, 1003);
  w.pass(milliseconds{2100});
  EXPECT_EQ(w.server.connections(), 0);
}

// protocol 6.2
TEST(Session, AResumeIsAnsweredReplayedAndThenLive) {
  World w;
  for (int i = 0; i < 3; ++i) w.publish(EventKind::system_alert);
  w.publish(EventKind::order_update, "bob");
  w.turn();
  Client& alice = w.connect_as("alice", 0, "?resume=p.1");
  w.publish(EventKind::system_alert);
  w.turn();
  ASSERT_EQ(alice.events(), (Names{"auth_ok", "p.2", "p.3", "live", "p.5"}));
  EXPECT_NE(alice.messages[0].find(R"("resume":{"requested":"p.1","complete":true})"), std::string::npos);
  EXPECT_NE(alice.messages[1].find(R"({"event":"p.2","replayed":true,"pad")"), std::string::npos);
  EXPECT_NE(alice.messages[3].find(R"("payload":{"position":"p.4","replayed":2})"), std::string::npos);
  EXPECT_EQ(alice.messages[4].find("replayed"), std::string::npos);
}

// protocol 6.1, 6.3, in every carrier
TEST(Session, AGapIsToldBeforeAnyEventAndThenComesTheSnapshot) {
  World w;
  w.publish(EventKind::order_update, "alice");
  w.publish(EventKind::order_update, "bob");
  w.turn();
  const auto expect_gap = [&](const Client& client, std::string_view reason, const Names& after) {
    Names expected{"auth_ok"};
    expected.insert(expected.end(), after.begin(), after.end());
    ASSERT_EQ(client.events(), expected);
    EXPECT_NE(client.messages[0].find("\"complete\":false,\"reason\":\"" + std::string(reason)), std::string::npos);
    if (after.size() == 2) EXPECT_NE(client.messages[1].find("\"snapshot\":true"), std::string::npos);
  };
  expect_gap(w.connect_as("alice", 0, "?resume=q.1"), "epoch", {"p.1", "live"});
  expect_gap(w.connect_as("alice", 0, "?resume=p.1001"), "unknown", {"p.1", "live"});
  expect_gap(w.connect_as("alice", 0, "?resume=nonsense&snapshot=false"), "unknown", {"live"});
  Client& late = w.connect("");
  late.say(R"({"type":"auth","event":"token","payload":{"token":")" + w.token("alice") +
           R"(","resume":"q.7","snapshot":false}})");
  w.turn();
  expect_gap(late, "epoch", {"live"});
}

TEST(Session, WhoIsAheadOfANodeThatCannotAskTheLogIsToldOfNoGapButToComeBack) {
  World w;
  w.answers_later = true;
  const Client& client = w.connect_as("alice", 0, "?resume=p.7");
  w.questions.front()(fail(ErrorKind::unavailable, "the log cannot be reached"));
  w.turn();
  EXPECT_EQ(client.events(), Names{});
  EXPECT_EQ(client.close_code, 1013);
}

// A large replay takes many turns, and what is live for the others comes in each of them.
TEST(Session, AReplayIsPaced) {
  World w;
  for (int i = 0; i < 400; ++i) w.publish(EventKind::order_update, "alice", 2000);
  w.turn();
  Client& bob = w.connect_as("bob");
  Client& alice = w.connect_as("alice", 1 << 20, "?resume=p.0");
  int turns = 0;
  for (; std::ranges::count(alice.events(), "live") == 0; ++turns) {
    ASSERT_LT(turns, 100);
    w.publish(EventKind::system_alert);
    w.turn();
    EXPECT_EQ(bob.events().size(), 3U + static_cast<std::size_t>(turns));
  }
  EXPECT_GT(turns, 5);
  EXPECT_EQ(std::ranges::count_if(alice.messages,
                                  [](const auto& text) { return text.find("replayed\":true") != std::string::npos; }),
            static_cast<std::ptrdiff_t>(alice.messages.size()) - 2);
}

// A client that takes what it missed slowly is no slow client, as long as it takes something.
TEST(Session, CatchingUpIsNotBeingSlow) {
  Options options;
  options.queue_bytes_max = 64 * 1024;
  World w(options);
  for (int i = 0; i < 200; ++i) w.publish(EventKind::order_update, "alice", 2000);
  w.turn();
  w.connect_as("alice", 4096, "?resume=p.0");
  auto slow = std::move(w.clients.back());
  w.clients.pop_back();
  for (int i = 0; i < 500 && slow->close_code == 0 && std::ranges::count(slow->events(), "live") == 0; ++i) {
    if (i % 10 == 0) w.publish(EventKind::system_alert, {}, 2000);
    w.pass(milliseconds{400});
    slow->read();
    slow->send_frame(protocol::Opcode::pong, "");
  }
  EXPECT_EQ(std::ranges::count(slow->events(), "live"), 1);
  // And now it takes nothing.
  w.publish(EventKind::system_alert, {}, 60'000);
  w.publish(EventKind::system_alert, {}, 60'000);
  for (int i = 0; i < 60 && w.hub.subscribers() > 0; ++i) w.pass(milliseconds{400});
  for (int i = 0; i < 100 && slow->close_code == 0; ++i) {
    slow->read();
    w.turn();
  }
  EXPECT_EQ(slow->close_code, 4420);
}

// protocol 6.5, cases.md J17
TEST(Session, AReceiptOfWhatWasNotSentClosesAndOthersAreTaken) {
  World w;
  const auto receipt = [](std::string_view id) {
    return R"({"type":"ack","event":"received","payload":{"id":")" + std::string(id) + "\"}}";
  };
  Client& alice = w.connect_as("alice");
  Client& liar = w.connect_as("bob");
  for (int i = 0; i < 2; ++i) {
    w.publish(EventKind::system_alert);
    w.turn();
    alice.say(receipt("p." + std::to_string(i + 1)));
    w.turn();
  }
  EXPECT_EQ(alice.events(), (Names{"auth_ok", "live", "p.1", "p.2"}));
  // The first receipt tells that this client sends some; from then on they are measured.
  EXPECT_NE(w.metrics.text().find("carillon_write_receipt_seconds_count{event=\"system_alert\"} 1\n"),
            std::string::npos);
  liar.say(receipt("p.3"));
  w.turn();
  EXPECT_EQ(liar.close_code, 4400);
  alice.say(receipt("q.1"));
  w.turn();
  EXPECT_EQ(alice.close_code, 4400);
}

// Where this node has not come as far as the client, its position is told by the union of both.
TEST(Session, AReceiptOfAClientThatIsAhead) {
  World w;
  const auto receipt = [](std::string_view id) {
    return R"({"type":"ack","event":"received","payload":{"id":")" + std::string(id) + "\"}}";
  };
  w.publish(EventKind::system_alert);
  w.turn();
  Client& alice = w.connect_as("alice", 0, "?resume=p.1.7");
  w.publish(EventKind::system_alert);
  w.turn();
  ASSERT_EQ(alice.events(), (Names{"auth_ok", "live", "p.2.7"}));
  EXPECT_NE(alice.messages[1].find(R"("payload":{"position":"p.1.7","replayed":0})"), std::string::npos);
  for (const char* id : {"p.1.7", "p.2.7", "p.2", "p.0.7"}) alice.say(receipt(id));
  w.publish(EventKind::system_alert, {}, 20, 1);
  w.turn();
  EXPECT_EQ(alice.events(), (Names{"auth_ok", "live", "p.2.7"}));  // it had this from elsewhere
  EXPECT_EQ(alice.close_code, 0);
  alice.say(receipt("p.2.8"));
  w.turn();
  EXPECT_EQ(alice.close_code, 4400);
}

// cases.md J4
TEST(Session, AsksTheLogOfAPlaceThatThisNodeHasNotRead) {
  World w;
  w.answers_later = true;
  w.publish(EventKind::system_alert);
  w.turn();
  Client& alice = w.connect_as("alice", 0, "?resume=p.3");
  Client& bob = w.connect_as("bob", 0, "?resume=p.4&snapshot=false");
  Client& carol = w.connect_as("carol", 0, "?resume=p.1");
  EXPECT_EQ(carol.events(), (Names{"auth_ok", "live"}));  // nothing to ask
  ASSERT_EQ(w.questions.size(), 2U);
  for (int i = 0; i < 3; ++i) w.publish(EventKind::system_alert);
  w.pass(seconds{3});
  EXPECT_TRUE(alice.messages.empty() && bob.messages.empty());

  w.questions[0](true);
  w.questions[1](false);
  w.turn();
  w.turn();
  EXPECT_EQ(alice.events(), (Names{"auth_ok", "p.4", "live"}));
  EXPECT_NE(alice.messages[0].find(R"("resume":{"requested":"p.3","complete":true})"), std::string::npos);
  EXPECT_EQ(bob.events(), (Names{"auth_ok", "live"}));
  EXPECT_NE(bob.messages[0].find(R"("complete":false,"reason":"unknown")"), std::string::npos);
}

TEST(Session, MayBeGoneWhenTheLogAnswers) {
  World w({}, 1);
  w.answers_later = true;
  Client& lost = w.connect_as("alice", 0, "?resume=p.3");
  Client& leaving = w.connect_as("bob", 0, "?resume=p.3");
  ASSERT_EQ(w.questions.size(), 2U);
  EXPECT_EQ(w.connect("Authorization: Bearer " + w.token("carol") + "\r\n").events(), (Names{"auth_ok", "live"}));
  ASSERT_EQ(&lost, w.clients.front().get());
  w.clients.erase(w.clients.begin());
  leaving.send_frame(protocol::Opcode::close, "\x03\xE8");
  w.turn();
  EXPECT_EQ(leaving.close_code, 1000);
  for (auto& question : w.questions) question(true);
  w.turn();
  EXPECT_TRUE(leaving.messages.empty());
  EXPECT_EQ(w.hub.subscribers(), 1U);
  EXPECT_TRUE(w.users.has_room("alice") && w.users.has_room("bob"));
}

TEST(Session, NoSessionBeginsBeforeTheLogIsRead) {
  World w({}, 1, World::Log::unread);
  Client& alice = w.connect_as("alice", 0, "?resume=p.1");
  Client& second = w.connect("");
  second.say_token(w.token("alice"));
  alice.say(R"({"type":"heartbeat","event":"ping"})");
  w.pass(seconds{40});
  EXPECT_TRUE(alice.messages.empty());
  EXPECT_EQ(second.close_code, 4429);  // the user is counted while it waits
  w.hub.set_origin({"p.1"});
  w.sequence = 1;
  w.server.open();
  w.turn();
  EXPECT_EQ(alice.events(), (Names{"auth_ok", "live"}));
  w.pass(seconds{29});
  EXPECT_EQ(alice.close_code, 0);
}

}  // namespace
}  // namespace carillon::websocket
