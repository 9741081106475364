#include "net/stream.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "net/test_certificate.hpp"
#include "net/tls_context.hpp"

namespace carillon::net {
namespace {

using Status = Stream::Status;

std::pair<Fd, Fd> socket_pair() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

// One end of a connection and what came out of it so far.
struct End {
  End(Fd fd, SSL* session, StreamScratch& scratch)
      : stream(std::make_unique<Stream>(std::move(fd), session, scratch)), ssl(session) {}

  Status read() { return status = stream->read(text); }

  std::unique_ptr<Stream> stream;
  SSL* ssl;
  std::string text;
  Status status = Status::ok;
};

// Connections without a network: everything happens when the test says so.
class StreamTest : public ::testing::Test {
 protected:
  [[nodiscard]] TlsContext server_context(bool allow_tls12 = false, const TicketKeys* keys = nullptr) const {
    TlsOptions options = files_;
    options.allow_tls12 = allow_tls12;
    auto context = TlsContext::server(options, keys != nullptr ? *keys : keys_);
    EXPECT_TRUE(context) << context.error().message;
    return std::move(*context);
  }
  [[nodiscard]] TlsContext client_context() const {
    auto context = TlsContext::client(files_.certificate);
    EXPECT_TRUE(context) << context.error().message;
    return std::move(*context);
  }

  void connect(SSL* client, SSL* server) {
    auto [near, far] = socket_pair();
    client_ = std::make_unique<End>(std::move(near), client, scratch_);
    server_ = std::make_unique<End>(std::move(far), server, scratch_);
  }
  void connect_tls() {
    connect(client_context_.new_connection(), server_context_.new_connection());
    pump();
    ASSERT_TRUE(client_->stream->is_open() && server_->stream->is_open());
  }
  // A server stream whose peer is the test's own hand.
  Fd connect_by_hand() {
    auto [near, far] = socket_pair();
    server_ = std::make_unique<End>(std::move(far), server_context_.new_connection(), scratch_);
    return std::move(near);
  }

  // Reads both ends in turn, long enough for any handshake with its tickets.
  void pump() {
    for (int i = 0; i < 6; ++i)
      for (End* end : {client_.get(), server_.get()})
        if (end->status == Status::ok) end->read();
  }

  TestFolder folder_;
  TlsOptions files_ = make_test_certificate(folder_, "server");
  TicketKeys keys_ = make_ticket_keys();
  TlsContext server_context_ = server_context();
  TlsContext client_context_ = client_context();
  StreamScratch scratch_;  // shared by both ends, as by all connections of a shard
  std::unique_ptr<End> client_, server_;
};

std::string many_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7919 >> 8);
  return bytes;
}

void send_all(const Fd& fd, std::string_view bytes) {
  ASSERT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

std::string receive_all(const Fd& fd) {
  std::string bytes;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = ::recv(fd.get(), buffer.data(), buffer.size(), 0)) > 0;)
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
  return bytes;
}

TEST_F(StreamTest, ShakesHandsAndCarriesBytesBothWays) {
  connect(client_context_.new_connection(), server_context_.new_connection());
  EXPECT_FALSE(client_->stream->is_open());
  pump();
  EXPECT_TRUE(client_->stream->is_open());
  EXPECT_TRUE(server_->stream->is_open());
  EXPECT_STREQ(SSL_get_version(server_->ssl), "TLSv1.3");
  EXPECT_EQ(client_->stream->write("hello"), Status::ok);
  EXPECT_EQ(server_->stream->write("good day"), Status::ok);
  pump();
  EXPECT_EQ(server_->text, "hello");
  EXPECT_EQ(client_->text, "good day");
}

TEST_F(StreamTest, CarriesClearTextForTheAdministrator) {
  connect(nullptr, nullptr);
  EXPECT_TRUE(server_->stream->is_open());
  EXPECT_EQ(client_->stream->write("GET /healthz"), Status::ok);
  EXPECT_EQ(server_->read(), Status::ok);
  EXPECT_EQ(server_->text, "GET /healthz");
  server_->stream->finish_writing();
  EXPECT_EQ(client_->read(), Status::closed);
}

// Every flight and record arrives in pieces of one byte; the room all streams share must hold nothing over.
TEST_F(StreamTest, TakesBytesOneByOneWhileOthersUseTheSameRoom) {
  connect_tls();
  const auto other_client = std::exchange(client_, nullptr);
  const auto other_server = std::exchange(server_, nullptr);
  auto [client_fd, client_wire] = socket_pair();
  auto [server_fd, server_wire] = socket_pair();
  client_ = std::make_unique<End>(std::move(client_fd), client_context_.new_connection(), scratch_);
  server_ = std::make_unique<End>(std::move(server_fd), server_context_.new_connection(), scratch_);
  int between = 0;
  const auto trickle = [&](const Fd& from, const Fd& to, End& into) {
    for (const char byte : receive_all(from)) {
      send_all(to, {&byte, 1});
      ASSERT_EQ(into.read(), Status::ok);
      if (++between % 16 != 0) continue;
      EXPECT_EQ(other_client->stream->write("x"), Status::ok);
      EXPECT_EQ(other_server->read(), Status::ok);
    }
  };
  client_->read();
  for (int i = 0; i < 4; ++i) {
    trickle(client_wire, server_wire, *server_);
    trickle(server_wire, client_wire, *client_);
  }
  ASSERT_TRUE(client_->stream->is_open() && server_->stream->is_open());
  const std::string bytes = many_bytes(20'000);
  EXPECT_EQ(client_->stream->write(bytes), Status::ok);
  trickle(client_wire, server_wire, *server_);
  EXPECT_EQ(server_->text, bytes);
  EXPECT_EQ(other_server->text, std::string(static_cast<std::size_t>(between / 16), 'x'));
}

TEST_F(StreamTest, KeepsWhatTheKernelDoesNotTakeAndFlushesItInOrder) {
  for (const bool tls : {true, false}) {
    if (tls) connect_tls();
    if (!tls) connect(nullptr, nullptr);
    const std::string bytes = many_bytes(4 * 1024 * 1024UL);
    ASSERT_EQ(server_->stream->write(bytes), Status::blocked);
    EXPECT_GT(server_->stream->unsent_bytes(), 1024U * 1024);
    EXPECT_EQ(server_->stream->flush(), Status::blocked) << "the peer has read nothing yet";
    while (client_->text.size() < bytes.size()) {
      ASSERT_EQ(client_->read(), Status::ok);
      ASSERT_NE(server_->stream->flush(), Status::failed);
    }
    EXPECT_FALSE(server_->stream->has_unsent());
    EXPECT_EQ(client_->text, bytes);
    EXPECT_EQ(server_->stream->write("more"), Status::ok);
    EXPECT_EQ(client_->read(), Status::ok);
    EXPECT_EQ(client_->text, bytes + "more");
  }
}

TEST_F(StreamTest, SendsALastMessageBehindWhatIsUnsentAndThenEnds) {
  connect_tls();
  const std::string bytes = many_bytes(2 * 1024 * 1024UL);
  ASSERT_EQ(server_->stream->write(bytes), Status::blocked);
  ASSERT_EQ(server_->stream->write("the end"), Status::blocked);
  server_->stream->finish_writing();
  while (client_->read() == Status::ok) ASSERT_NE(server_->stream->flush(), Status::failed);
  EXPECT_EQ(client_->status, Status::closed);
  EXPECT_EQ(client_->text, bytes + "the end");
}

TEST_F(StreamTest, TellsThePeerOfTheEndAndGoesOnReading) {
  connect_tls();
  EXPECT_EQ(server_->stream->write("bye"), Status::ok);
  server_->stream->finish_writing();
  EXPECT_EQ(client_->read(), Status::closed);
  EXPECT_EQ(client_->text, "bye");
  EXPECT_EQ(SSL_get_shutdown(client_->ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
  EXPECT_EQ(client_->stream->write("you too"), Status::ok);
  EXPECT_EQ(server_->read(), Status::ok);
  EXPECT_EQ(server_->text, "you too");
}

TEST_F(StreamTest, TakesAnEndWithoutCloseNotifyAsAnEnd) {
  connect_tls();
  client_ = nullptr;
  EXPECT_EQ(server_->read(), Status::closed);
  EXPECT_EQ(server_->read(), Status::closed);
}

TEST_F(StreamTest, FailsWhenThePeerLeavesDuringTheHandshake) {
  const Fd hand = connect_by_hand();
  ASSERT_EQ(::shutdown(hand.get(), SHUT_WR), 0);
  EXPECT_EQ(server_->read(), Status::failed);
}

TEST_F(StreamTest, FailsToWriteToAPeerThatIsGone) {
  connect_tls();
  client_ = nullptr;
  EXPECT_EQ(server_->stream->write("hello"), Status::failed);
  EXPECT_EQ(server_->stream->write("hello"), Status::failed);
}

TEST_F(StreamTest, FailsOnARecordThatWasTamperedWith) {
  Fd hand = connect_by_hand();
  const Fd wire(::dup(hand.get()));
  client_ = std::make_unique<End>(std::move(hand), client_context_.new_connection(), scratch_);
  pump();
  ASSERT_TRUE(server_->stream->is_open());
  send_all(wire, std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
  EXPECT_EQ(server_->read(), Status::failed);
  EXPECT_EQ(client_->read(), Status::failed) << "the alert tells the client";
}

// protocol 1.1
TEST_F(StreamTest, RefusesWhatIsNoClientHello) {
  for (const std::string& first : {std::string("GET /v1/stream HTTP/1.1\r\nHost: a\r\n\r\n"), std::string(64, '\0'),
                                   std::string("\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", 10), many_bytes(600)}) {
    const Fd hand = connect_by_hand();
    send_all(hand, first);
    EXPECT_EQ(server_->read(), Status::failed);
    EXPECT_TRUE(server_->text.empty());
  }
}

constexpr char kAlertProtocolVersion = 70, kAlertDecodeError = 50;

// cases.md A5
TEST_F(StreamTest, RefusesOldVersionsUnlessTheyAreAllowed) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION}) {
    const Fd hand = connect_by_hand();
    SSL* const ssl = client_context_.new_connection();
    SSL_set_security_level(ssl, 0);
    SSL_set_min_proto_version(ssl, version);
    SSL_set_max_proto_version(ssl, version);
    End client(Fd(::dup(hand.get())), ssl, scratch_);
    client.read();
    EXPECT_EQ(server_->read(), Status::failed);
    const std::string alert = receive_all(hand);
    ASSERT_EQ(alert.size(), 7U);
    EXPECT_EQ(alert[6], kAlertProtocolVersion) << version;
  }
}

TEST_F(StreamTest, SpeaksTls12WithAeadSuitesOnlyWhereItIsAllowed) {
  const TlsContext lenient = server_context(true);
  for (const auto& [suite, accepted] :
       {std::pair{"ECDHE-ECDSA-AES128-GCM-SHA256", true}, std::pair{"ECDHE-ECDSA-CHACHA20-POLY1305", true},
        std::pair{"ECDHE-ECDSA-AES128-SHA256", false}}) {
    SSL* const ssl = client_context_.new_connection();
    SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
    ASSERT_EQ(SSL_set_cipher_list(ssl, suite), 1);
    connect(ssl, lenient.new_connection());
    pump();
    EXPECT_EQ(server_->stream->is_open(), accepted) << suite;
    EXPECT_EQ(client_->status, accepted ? Status::ok : Status::failed) << suite;
  }
}

// cases.md A8
TEST_F(StreamTest, RefusesAHugeClientHello) {
  const std::string protocols = std::string(1, '\x04') + "none";
  std::string many;
  while (many.size() < 60'000) many += protocols;
  SSL* const ssl = client_context_.new_connection();
  ASSERT_EQ(
      SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(many.data()), static_cast<unsigned>(many.size())),
      0);
  const Fd hand = connect_by_hand();
  End client(Fd(::dup(hand.get())), ssl, scratch_);
  client.read();
  EXPECT_EQ(server_->read(), Status::failed);
  const std::string alert = receive_all(hand);
  ASSERT_EQ(alert.size(), 7U);
  EXPECT_EQ(alert[6], kAlertDecodeError);
}

TEST_F(StreamTest, RefusesAServerThatTheAuthorityDidNotSign) {
  const TlsOptions other = make_test_certificate(folder_, "other");
  auto wary = TlsContext::client(other.certificate);
  ASSERT_TRUE(wary);
  connect(wary->new_connection(), server_context_.new_connection());
  pump();
  EXPECT_EQ(client_->status, Status::failed);
  EXPECT_FALSE(client_->stream->is_open());

  auto careless = TlsContext::client({});
  ASSERT_TRUE(careless);
  connect(careless->new_connection(), server_context_.new_connection());
  pump();
  EXPECT_TRUE(client_->stream->is_open());
}

class Tickets : public StreamTest {
 protected:
  // Whether a session made at `first` is taken up again at `second`.
  bool resumes(const TlsContext& first, const TlsContext& second) {
    connect(client_context_.new_connection(), first.new_connection());
    pump();
    const std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(SSL_get1_session(client_->ssl),
                                                                            &SSL_SESSION_free);
    EXPECT_TRUE(SSL_SESSION_is_resumable(session.get()));
    EXPECT_EQ(SSL_SESSION_get_max_early_data(session.get()), 0U);  // cases.md A9
    client_->stream->finish_writing();  // OpenSSL forgets a session whose connection just breaks off
    SSL* const again = client_context_.new_connection();
    SSL_set_session(again, session.get());
    connect(again, second.new_connection());
    pump();
    EXPECT_TRUE(server_->stream->is_open());
    EXPECT_EQ(SSL_session_reused(client_->ssl), SSL_session_reused(server_->ssl));
    return SSL_session_reused(server_->ssl) == 1;
  }
};

TEST_F(Tickets, AreGoodAtEveryShardThatSharesTheirKeys) {
  EXPECT_TRUE(resumes(server_context_, server_context_));
  EXPECT_TRUE(resumes(server_context_, server_context()));
}

TEST_F(Tickets, AreWorthNothingElsewhere) {
  const TicketKeys others = make_ticket_keys();
  EXPECT_FALSE(resumes(server_context_, server_context(false, &others)));
}

}  // namespace
}  // namespace carillon::net
