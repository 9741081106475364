#include "eventlog/jetstream_text.hpp"

#include <gtest/gtest.h>

namespace carillon::eventlog {
namespace {

TEST(NatsUrl, NamesServersAndAUser) {
  const auto one = parse_nats_url("nats://127.0.0.1");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->urls, std::vector<std::string>{"nats://127.0.0.1:4222"});
  EXPECT_EQ(one->username, "");
  EXPECT_FALSE(one->with_tls);

  const auto several = parse_nats_url("tls://ann@a.example:4300,tls://ann@[::1]:4301");
  ASSERT_TRUE(several);
  EXPECT_EQ(several->urls, (std::vector<std::string>{"tls://a.example:4300", "tls://[::1]:4301"}));
  EXPECT_EQ(several->username, "ann");
  EXPECT_TRUE(several->with_tls);
  EXPECT_EQ(several->name(), "a.example:4300,[::1]:4301");
}

TEST(NatsUrl, RefusesWhatItCannotUseAndNeverRepeatsIt) {
  for (const char* text :
       {"", "host:4222", "http://host", "nats://", "nats://host:0", "nats://host:70000", "nats://host:x",
        "nats://host:", "nats://user:secret@host", "nats://user:sec,ret@host", "nats://host/path", "nats://a,tls://b",
        "nats://u@a,nats://b", "nats://a,,nats://b", ",nats://a", "nats://ho st"}) {
    const auto servers = parse_nats_url(text);
    ASSERT_FALSE(servers) << text;
    EXPECT_EQ(servers.error().kind, ErrorKind::invalid);
    EXPECT_EQ(servers.error().message.find("secret"), std::string::npos);
  }
}

TEST(NatsNames, AreCheckedBeforeAServerSeesThem) {
  EXPECT_TRUE(is_stream_name("CARILLON"));
  for (const char* name : {"", "a.b", "a b", "*", "a>", "a/b", "a\n"}) EXPECT_FALSE(is_stream_name(name)) << name;
  EXPECT_TRUE(is_plain_subject("carillon.events"));
  for (const char* name : {"", ".a", "a.", "a..b", "a.*", "a.>", "a b"}) EXPECT_FALSE(is_plain_subject(name)) << name;
}

TEST(NatsSubject, MatchesLikeTheServer) {
  EXPECT_TRUE(matches_subject("carillon.events", "carillon.events"));
  EXPECT_TRUE(matches_subject("carillon.*", "carillon.events"));
  EXPECT_TRUE(matches_subject("carillon.>", "carillon.events.notes"));
  EXPECT_TRUE(matches_subject(">", "carillon.events"));
  EXPECT_FALSE(matches_subject("carillon.*", "carillon.events.notes"));
  EXPECT_FALSE(matches_subject("carillon.events.>", "carillon.events"));
  EXPECT_FALSE(matches_subject("carillon.event", "carillon.events"));
  EXPECT_FALSE(matches_subject("carillon", "carillon.events"));
}

TEST(DeliveryStamp, ReadsBothForms) {
  const auto plain = parse_delivery_stamp("$JS.ACK.CARILLON.abc.1.42.7.1795348800123456789.9");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->stream_sequence, 42U);
  EXPECT_EQ(plain->consumer_sequence, 7U);
  EXPECT_EQ(plain->pending, 9U);
  EXPECT_EQ(plain->stored_at, WallTime(milliseconds(1795348800123)));

  const auto with_domain = parse_delivery_stamp("$JS.ACK.hub.account.CARILLON.abc.1.42.7.1795348800123456789.9.random");
  ASSERT_TRUE(with_domain);
  EXPECT_EQ(with_domain->stream_sequence, 42U);
  EXPECT_EQ(with_domain->pending, 9U);
}

TEST(DeliveryStamp, IsNothingElse) {
  for (const char* text : {"", "_INBOX.x", "$JS.FC.CARILLON.abc.xyz", "$JS.ACK.", "$JS.ACK.S.c.1.42.7.123",
                           "$JS.ACK.S.c.1.42.7.x.9", "$JS.ACK.S.c.1.-42.7.123.9", "$JS.ACK.S.c.1.42.7.123.9.8"}) {
    EXPECT_FALSE(parse_delivery_stamp(text)) << text;
  }
}

}  // namespace
}  // namespace carillon::eventlog
