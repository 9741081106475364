#include "fanout/tls_records.hpp"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <utility>

#include "fanout/receiver.hpp"
#include "net/test_certificate.hpp"
#include "net/tls_context.hpp"

namespace carillon::bench {
namespace {

struct Free {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Session = std::unique_ptr<SSL, Free>;

// A server of OpenSSL, after the handshake: what it sends is opened with the secret that the client was told.
class TlsRecordsTest : public testing::Test {
 protected:
  void SetUp() override {
    Receiver::prepare(*client_context_);
    SSL_CTX_set_keylog_callback(client_context_->get(), [](const SSL* ssl, const char* line) {
      if (const auto secret = traffic_secret_in(line))
        static_cast<TlsRecordsTest*>(SSL_get_app_data(ssl))->begin(*secret);
    });
    SSL_set_app_data(client_.get(), this);
    BIO* up = BIO_new(BIO_s_mem());
    BIO* down = BIO_new(BIO_s_mem());
    BIO_up_ref(up);
    BIO_up_ref(down);
    SSL_set_bio(client_.get(), down, up);
    SSL_set_bio(server_.get(), up, down);
    SSL_set_connect_state(client_.get());
    SSL_set_accept_state(server_.get());
    SSL_do_handshake(client_.get());
    SSL_do_handshake(server_.get());
    ASSERT_EQ(SSL_do_handshake(client_.get()), 1);
    ASSERT_EQ(SSL_do_handshake(server_.get()), 1);
    ASSERT_TRUE(records_.has_value());
  }

  void begin(const TrafficSecret& secret) { records_.emplace(secret); }

  void server_says(std::string_view text) {
    while (!text.empty()) {
      const int written = SSL_write(server_.get(), text.data(), static_cast<int>(text.size()));
      ASSERT_GT(written, 0);
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  // Everything the server has sent and nobody took yet.
  std::string wire() {
    char* bytes = nullptr;
    BIO* const down = SSL_get_wbio(server_.get());
    const auto size = static_cast<std::size_t>(BIO_get_mem_data(down, &bytes));
    std::string all(bytes, size);
    BIO_reset(down);
    return all;
  }
  bool feed(std::string_view bytes, std::size_t piece_bytes) {
    bool goes_on = true;
    for (; !bytes.empty() && goes_on; bytes.remove_prefix(std::min(piece_bytes, bytes.size())))
      goes_on = records_->feed(opener_, bytes.substr(0, piece_bytes), [&](std::string_view text) { heard_ += text; });
    return goes_on;
  }

  net::TestFolder folder_;
  const net::TlsOptions files_ = net::make_test_certificate(folder_, "server");
  const Result<net::TlsContext> server_context_ = net::TlsContext::server(files_, net::make_ticket_keys());
  const Result<net::TlsContext> client_context_ = net::TlsContext::client(files_.certificate);
  const Session client_{client_context_->new_connection()}, server_{server_context_->new_connection()};
  RecordOpener opener_;
  std::optional<TlsRecords> records_;
  std::string heard_;
};

TEST_F(TlsRecordsTest, OpensWhatOpenSslSealedInPiecesOfAnySize) {
  std::string said;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{4}, std::size_t{333}, std::size_t{100'000}}) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{350}, std::size_t{40'000}}) {
      server_says(std::string(size, static_cast<char>('a' + size % 26)));
      said += std::string(size, static_cast<char>('a' + size % 26));
    }
    EXPECT_TRUE(feed(wire(), piece)) << "with the ticket that came first";
    EXPECT_EQ(heard_, said);
  }
}

TEST_F(TlsRecordsTest, EndWithTheServersLastWord) {
  server_says("the last");
  SSL_shutdown(server_.get());
  EXPECT_FALSE(feed(wire(), 100'000));
  EXPECT_EQ(heard_, "the last");
}

TEST_F(TlsRecordsTest, RefuseWhatWasTamperedWith) {
  server_says("hello");
  std::string bytes = wire();
  bytes[bytes.size() - 20] ^= 1;
  EXPECT_FALSE(feed(bytes, 100'000));
  EXPECT_EQ(heard_, "");
}

TEST_F(TlsRecordsTest, RefuseALostAndARepeatedRecord) {
  ASSERT_TRUE(feed(wire(), 100'000));
  server_says("one");
  const std::string one = wire();
  server_says("two");
  const std::string two = wire();
  const TlsRecords before = *records_;
  EXPECT_FALSE(feed(two, 100'000));
  records_ = before;
  EXPECT_TRUE(feed(one, 100'000));
  EXPECT_FALSE(feed(one, 100'000));
  EXPECT_EQ(heard_, "one");
}

TEST_F(TlsRecordsTest, RefuseAChangeOfKeys) {
  ASSERT_EQ(SSL_key_update(server_.get(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
  server_says("hello");
  EXPECT_FALSE(feed(wire(), 100'000));
}

TEST_F(TlsRecordsTest, RefuseWhatIsNoRecord) {
  EXPECT_FALSE(feed(std::string("\x17\x03\x03\x00\x03"
                                "abc",
                                8),
                    100));
  EXPECT_FALSE(feed(std::string("\x17\x03\x03\xFF\xFF", 5) + std::string(0xFFFF, 'x'), 100'000));
}

TEST(TrafficSecret, IsReadFromTheKeyLog) {
  const std::string hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  const auto secret = traffic_secret_in("SERVER_TRAFFIC_SECRET_0 aabb " + hex);
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->at(0), 0);
  EXPECT_EQ(secret->at(31), 31);
  EXPECT_FALSE(traffic_secret_in("CLIENT_TRAFFIC_SECRET_0 aabb " + hex));
  EXPECT_FALSE(traffic_secret_in("SERVER_TRAFFIC_SECRET_0 aabb " + hex.substr(2)));
}

}  // namespace
}  // namespace carillon::bench
