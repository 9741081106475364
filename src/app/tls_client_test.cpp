#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app/client_connection.hpp"
#include "app/dev_certificate.hpp"
#include "app/http_client.hpp"
#include "app/small_file.hpp"
#include "app/websocket_client.hpp"
#include "eventlog/temp_folder.hpp"
#include "net/tls_context.hpp"
#include "protocol/text_frame.hpp"

// The client commands' way to a server, against a server whose every byte is in the test.
namespace carillon::app {
namespace {

// The server's end of one connection, in the server's thread.
class Peer {
 public:
  explicit Peer(SSL* ssl) : ssl_(ssl) {}

  // Reads until `end` has come; gives all of it.
  std::string read_until(std::string_view end) {
    std::string text;
    char c = 0;
    while (!text.ends_with(end) && SSL_read(ssl_, &c, 1) == 1) text += c;
    return text;
  }
  std::string read(std::size_t size) {
    std::string text;
    char c = 0;
    while (text.size() < size && SSL_read(ssl_, &c, 1) == 1) text += c;
    return text;
  }
  void write(std::string_view text) {
    // A record at a time, as the context's mode has it.
    for (std::size_t n = 0; !text.empty() && SSL_write_ex(ssl_, text.data(), text.size(), &n) == 1;)
      text.remove_prefix(n);
  }

 private:
  SSL* ssl_;
};

using Story = std::function<void(Peer&)>;

// Serves one connection per story, each to its end, with a development certificate.
class TlsClientTest : public testing::Test {
 protected:
  void SetUp() override {
    const WallTime now = SystemClock().wall_now();
    const CertifiedKey authority = *make_authority(now);
    const CertifiedKey server = *make_server_certificate(authority, now);
    ASSERT_TRUE(write_private_file(ca_, authority.certificate).has_value());
    ASSERT_TRUE(write_private_file(folder_.file("server.pem"), server.certificate).has_value());
    ASSERT_TRUE(write_private_file(folder_.file("server.key"), server.private_key).has_value());
    listener_ = net::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener_.get(), 16), 0);
    ASSERT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = std::to_string(ntohs(address.sin_port));
  }
  void TearDown() override {
    // A client that never came must not keep the test waiting.
    if (listener_.is_open()) ::shutdown(listener_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }

  void serve(std::vector<Story> stories) {
    thread_ = std::thread([this, stories = std::move(stories)] {
      const auto context = net::TlsContext::server(
          {.certificate = folder_.file("server.pem"), .private_key = folder_.file("server.key")}, {});
      for (const Story& story : stories) {
        const net::Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(context->new_connection(), &SSL_free);
        SSL_set_fd(ssl.get(), socket.get());
        Peer peer(ssl.get());
        if (SSL_accept(ssl.get()) == 1) story(peer);
        SSL_shutdown(ssl.get());
      }
    });
  }

  [[nodiscard]] ServerUrl url(const std::string& host = "127.0.0.1") const { return {host, port_}; }
  Result<ClientConnection> connect(const std::string& host = "127.0.0.1") {
    return ClientConnection::open(url(host), ca_, interrupt_);
  }

  eventlog::TempFolder folder_;
  std::string ca_ = folder_.file("ca.pem");
  net::Fd listener_;
  std::string port_;
  Interrupt interrupt_;
  std::thread thread_;
};

using Arrival = ClientConnection::Arrival;

void read_to_end(Peer& peer) {
  (void)peer.read(1);
}

TEST_F(TlsClientTest, ReachesAServerByNameAndByAddress) {
  const Story echo = [](Peer& peer) { peer.write(peer.read_until("\n")); };
  serve({echo, echo});
  for (const char* host : {"127.0.0.1", "localhost"}) {
    auto connection = connect(host);
    ASSERT_TRUE(connection.has_value()) << connection.error().message;
    ASSERT_TRUE(connection->send("hello\n").has_value());
    std::string received;
    while (received.size() < 6) ASSERT_EQ(connection->receive(received, milliseconds{60'000}), Arrival::bytes);
    EXPECT_EQ(received, "hello\n");
    EXPECT_EQ(connection->receive(received, milliseconds{60'000}), Arrival::end);
  }
}

TEST_F(TlsClientTest, TrustsNoOtherAuthority) {
  serve({read_to_end});
  ASSERT_TRUE(write_private_file(ca_, make_authority(SystemClock().wall_now())->certificate).has_value());
  const auto connection = connect();
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().kind, ErrorKind::denied);
  EXPECT_NE(connection.error().message.find("not trusted"), std::string::npos) << connection.error().message;
}

TEST_F(TlsClientTest, TrustsNoCertificateOfAnotherHost) {
  serve({read_to_end});
  const auto connection = connect("127.0.0.2");
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().kind, ErrorKind::denied);
  EXPECT_NE(connection.error().message.find("IP address mismatch"), std::string::npos) << connection.error().message;
}

TEST_F(TlsClientTest, TrustsTheSystemsAuthoritiesOnly) {
  serve({read_to_end});
  const auto connection = ClientConnection::open(url(), "", interrupt_);
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().kind, ErrorKind::denied);
  EXPECT_NE(connection.error().message.find("--ca"), std::string::npos) << connection.error().message;
}

TEST_F(TlsClientTest, SaysWhenNobodyIsThere) {
  listener_.reset();
  const auto connection = connect();
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().kind, ErrorKind::unavailable);
  EXPECT_NE(connection.error().message.find("Connection refused"), std::string::npos) << connection.error().message;
}

TEST_F(TlsClientTest, SaysWhenTheAuthorityIsNotThere) {
  serve({read_to_end});
  const auto connection = ClientConnection::open(url(), folder_.file("absent.pem"), interrupt_);
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().kind, ErrorKind::invalid);
  EXPECT_NE(connection.error().message.find("absent.pem"), std::string::npos);
}

TEST_F(TlsClientTest, WaitsOnlySoLongAndNotAtAllOnceInterrupted) {
  serve({read_to_end});
  auto connection = connect();
  ASSERT_TRUE(connection.has_value());
  std::string received;
  EXPECT_EQ(connection->receive(received, milliseconds{1}), Arrival::nothing);
  ASSERT_EQ(::kill(::getpid(), SIGINT), 0);
  EXPECT_EQ(connection->receive(received, milliseconds{600'000}), Arrival::nothing);
}

// --- HTTP ---

constexpr std::string_view kReply = "HTTP/1.1 202 Accepted\r\nContent-Length: 4\r\n\r\nbody";

TEST_F(TlsClientTest, CallsAgainAndAgainOverOneConnection) {
  std::string first;
  std::string second;
  serve({[&](Peer& peer) {
    first = peer.read_until("\r\n\r\nlines");
    peer.write(kReply.substr(0, 30));
    peer.write(kReply.substr(30));
    second = peer.read_until("\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  }});
  HttpClient client(url(), ca_, interrupt_);
  const auto posted = client.call({"POST", "/v1/events", "t.o.k", "application/x-ndjson", "lines"});
  ASSERT_TRUE(posted.has_value()) << posted.error().message;
  EXPECT_EQ(posted->status, 202);
  EXPECT_EQ(posted->body, "body");
  const auto got = client.call({"GET", "/v1/x?a=b", "t.o.k", "", ""});
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body, "");
  TearDown();
  EXPECT_EQ(first, "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1:" + port_ +
                       "\r\nAuthorization: Bearer t.o.k\r\nContent-Type: application/x-ndjson\r\nContent-Length: "
                       "5\r\n\r\nlines");
  EXPECT_EQ(second, "GET /v1/x?a=b HTTP/1.1\r\nHost: 127.0.0.1:" + port_ + "\r\nAuthorization: Bearer t.o.k\r\n\r\n");
}

TEST_F(TlsClientTest, OpensAKeptConnectionAgainWhenTheServerClosedIt) {
  const Story one_call = [](Peer& peer) {
    (void)peer.read_until("\r\n\r\n");
    peer.write(kReply);
  };
  serve({one_call, one_call});
  HttpClient client(url(), ca_, interrupt_);
  EXPECT_TRUE(client.call({"GET", "/", "t", "", ""}).has_value());
  EXPECT_TRUE(client.call({"GET", "/", "t", "", ""}).has_value());
}

TEST_F(TlsClientTest, ARefusalThatClosesIsAnAnswer) {
  const Story refuse = [](Peer& peer) {
    (void)peer.read_until("\r\n\r\n");
    peer.write("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n");
  };
  serve({refuse, refuse});
  HttpClient client(url(), ca_, interrupt_);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client.call({"GET", "/", "t", "", ""})->retry_after(), std::chrono::seconds{2});
}

TEST_F(TlsClientTest, AnAnswerThatBreaksOffIsNone) {
  std::vector<Story> stories;
  const std::vector<std::string> answers = {"",
                                            "HTTP/1.1 20",
                                            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf",
                                            "nonsense\r\n\r\n",
                                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                                            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"};
  for (const std::string& answer : answers)
    stories.emplace_back([answer](Peer& peer) {
      (void)peer.read_until("\r\n\r\n");
      if (!answer.empty()) peer.write(answer);
    });
  serve(stories);
  for (const std::string& answer : answers) {
    HttpClient client(url(), ca_, interrupt_);
    const auto reply = client.call({"GET", "/", "t", "", ""});
    ASSERT_FALSE(reply.has_value()) << answer;
    EXPECT_EQ(reply.error().kind, ErrorKind::unavailable) << answer;
  }
}

// --- WebSocket ---

std::string switching(const std::string& request) {
  const std::string name = "Sec-WebSocket-Key: ";
  const std::string key = request.substr(request.find(name) + name.size(), 24);
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
         websocket::accept_key_of(key) + "\r\n\r\n";
}

std::string frame(protocol::Opcode opcode, std::string_view payload) {
  std::string bytes;
  protocol::append_frame(bytes, opcode, payload);
  return bytes;
}

// One short frame of a client, with its mask taken off.
std::string read_frame(Peer& peer) {
  const std::string head = peer.read(2);
  const std::string mask = peer.read(4);
  std::string payload = peer.read(static_cast<std::size_t>(head[1] & 0x7f));
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
  return head.substr(0, 1) + payload;
}

using Carrier = websocket::Carrier;
using Kind = WebSocketClient::Kind;
constexpr milliseconds kLong{60'000};

TEST_F(TlsClientTest, CarriesTheTokenTheThreeWays) {
  std::vector<std::string> requests(3);
  std::string first;
  serve({[&](Peer& peer) { peer.write(switching(requests[0] = peer.read_until("\r\n\r\n"))); },
         [&](Peer& peer) { peer.write(switching(requests[1] = peer.read_until("\r\n\r\n"))); },
         [&](Peer& peer) {
           peer.write(switching(requests[2] = peer.read_until("\r\n\r\n")));
           first = read_frame(peer);
         }});
  for (const Carrier carrier : {Carrier::header, Carrier::subprotocol, Carrier::first_message}) {
    const auto client =
        WebSocketClient::open(url(), ca_, {.token = "t.o.k", .carrier = carrier, .resume = "j1.42"}, interrupt_);
    ASSERT_TRUE(client.has_value()) << client.error().why;
  }
  TearDown();
  EXPECT_TRUE(requests[0].starts_with("GET /v1/stream?resume=j1.42 HTTP/1.1\r\n")) << requests[0];
  EXPECT_NE(requests[0].find("\r\nAuthorization: Bearer t.o.k\r\n"), std::string::npos) << requests[0];
  EXPECT_NE(requests[1].find("\r\nSec-WebSocket-Protocol: carillon.v1, carillon.bearer.t.o.k\r\n"), std::string::npos);
  EXPECT_TRUE(requests[2].starts_with("GET /v1/stream HTTP/1.1\r\n")) << requests[2];
  EXPECT_EQ(requests[2].find("t.o.k"), std::string::npos);
  EXPECT_EQ(first,
            "\x81"
            R"({"type":"auth","event":"token","payload":{"token":"t.o.k","resume":"j1.42"}})");
}

TEST_F(TlsClientTest, MayBeginWithoutASnapshot) {
  std::vector<std::string> requests(3);
  std::string first;
  serve({[&](Peer& peer) { peer.write(switching(requests[0] = peer.read_until("\r\n\r\n"))); },
         [&](Peer& peer) { peer.write(switching(requests[1] = peer.read_until("\r\n\r\n"))); },
         [&](Peer& peer) {
           peer.write(switching(requests[2] = peer.read_until("\r\n\r\n")));
           first = read_frame(peer);
         }});
  StreamRequest request{.token = "t", .carrier = Carrier::header, .resume = "", .wants_snapshot = false};
  ASSERT_TRUE(WebSocketClient::open(url(), ca_, request, interrupt_).has_value());
  request.resume = "j1.42";
  ASSERT_TRUE(WebSocketClient::open(url(), ca_, request, interrupt_).has_value());
  request.carrier = Carrier::first_message;
  ASSERT_TRUE(WebSocketClient::open(url(), ca_, request, interrupt_).has_value());
  TearDown();
  EXPECT_TRUE(requests[0].starts_with("GET /v1/stream?snapshot=false HTTP/1.1\r\n")) << requests[0];
  EXPECT_TRUE(requests[1].starts_with("GET /v1/stream?resume=j1.42&snapshot=false HTTP/1.1\r\n")) << requests[1];
  EXPECT_TRUE(requests[2].starts_with("GET /v1/stream HTTP/1.1\r\n")) << requests[2];
  EXPECT_EQ(first,
            "\x81"
            R"({"type":"auth","event":"token","payload":{"token":"t","resume":"j1.42","snapshot":false}})");
}

TEST_F(TlsClientTest, ReadsMessagesAndAnswersPingsAndTheClose) {
  std::vector<std::string> frames;
  serve({[&](Peer& peer) {
    std::string bytes = switching(peer.read_until("\r\n\r\n"));
    bytes += frame(protocol::Opcode::text, "one") + frame(protocol::Opcode::ping, "p");
    peer.write(bytes + frame(protocol::Opcode::text, std::string(70'000, 'x')).substr(0, 20'000));
    peer.write(std::string(70'000 + 10 - 20'000, 'x'));
    frames = {read_frame(peer), read_frame(peer)};
    peer.write(frame(protocol::Opcode::close,
                     "\x0f\xa0"
                     "bye"));
    frames.push_back(read_frame(peer));
  }});
  auto client = WebSocketClient::open(url(), ca_, {.token = "t", .carrier = Carrier::header, .resume = ""}, interrupt_);
  ASSERT_TRUE(client.has_value()) << client.error().why;
  EXPECT_EQ(client->next(kLong).text, "one");
  EXPECT_EQ(client->next(kLong).text, std::string(70'000, 'x'));
  client->send_text("hello");
  const auto closed = client->next(kLong);
  EXPECT_EQ(closed.kind, Kind::closed);
  EXPECT_EQ(closed.code, 4000);
  EXPECT_EQ(closed.text, "bye");
  TearDown();
  EXPECT_EQ(frames, (std::vector<std::string>{"\x8ap", "\x81hello", "\x88"}));
}

TEST_F(TlsClientTest, SaysWhenTheStreamBreaksOffOrIsNoWebSocket) {
  serve({[](Peer& peer) { peer.write(switching(peer.read_until("\r\n\r\n"))); },
         [](Peer& peer) { peer.write(switching(peer.read_until("\r\n\r\n")) + "\xff\xff"); }});
  for (int i = 0; i < 2; ++i) {
    auto client =
        WebSocketClient::open(url(), ca_, {.token = "t", .carrier = Carrier::header, .resume = ""}, interrupt_);
    ASSERT_TRUE(client.has_value()) << client.error().why;
    const auto closed = client->next(kLong);
    EXPECT_EQ(closed.kind, Kind::closed);
    EXPECT_EQ(closed.code, 1006);
    EXPECT_NE(closed.text, "");
  }
}

TEST_F(TlsClientTest, TellsWhetherARefusalIsFinal) {
  struct Case {
    std::string answer;
    StreamRefusal refusal;
  };
  const std::vector<Case> cases = {
      {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 57\r\n\r\n"
       R"({"payload":{"code":"expired","message":"it was at noon"}})",
       {.why = "the server refused: 401 expired: it was at noon", .is_final = true}},
      {"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\n\r\n",
       {.why = "the server refused: 429", .is_final = false, .retry_after = std::chrono::seconds{5}}},
      {"HTTP/1.1 503 Service Unavailable\r\n\r\n", {.why = "the server refused: 503", .is_final = false}},
      {"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n",
       {.why = "the answer is not a WebSocket server's", .is_final = true}},
      {"", {.why = "no answer to the upgrade", .is_final = false}},
  };
  std::vector<Story> stories;
  for (const Case& each : cases)
    stories.emplace_back([answer = each.answer](Peer& peer) {
      (void)peer.read_until("\r\n\r\n");
      if (!answer.empty()) peer.write(answer);
    });
  serve(stories);
  for (const Case& each : cases) {
    const auto client =
        WebSocketClient::open(url(), ca_, {.token = "t", .carrier = Carrier::header, .resume = ""}, interrupt_);
    ASSERT_FALSE(client.has_value());
    EXPECT_EQ(client.error().why, each.refusal.why);
    EXPECT_EQ(client.error().is_final, each.refusal.is_final) << each.refusal.why;
    EXPECT_EQ(client.error().retry_after, each.refusal.retry_after) << each.refusal.why;
  }
}

}  // namespace
}  // namespace carillon::app
