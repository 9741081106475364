#include "app/dev_setup.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "app/small_file.hpp"
#include "auth/key_set.hpp"
#include "auth/verifier.hpp"
#include "config/config.hpp"
#include "eventlog/temp_folder.hpp"
#include "net/tls_context.hpp"

namespace carillon::app {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

constexpr std::chrono::days kDay{1};

class DevSetupTest : public testing::Test {
 protected:
  Names prepare() const {
    const auto setup = prepare_dev_setup(folder_, now_);
    EXPECT_TRUE(setup.has_value()) << setup.error().message;
    return setup ? setup->made : Names();
  }
  std::string text(const std::string& name) const { return *read_small_file(folder_ / name); }

  eventlog::TempFolder temporary_;
  fs::path folder_ = temporary_.file("deep/.carillon");
  WallTime now_ = SystemClock().wall_now();
};

const Names kAll = {"ca.key",      "ca.pem",        "server.key",  "server.pem",
                    "hmac.secret", "carillon.toml", "alice.token", "alice-admin.token",
                    "bob.token",   "agent.token",   "admin.token"};

TEST_F(DevSetupTest, MakesEverythingOnceAndKeepsIt) {
  EXPECT_EQ(prepare(), kAll);
  const std::string secret = text("hmac.secret");
  const std::string certificate = text("server.pem");
  EXPECT_EQ(prepare(), Names());
  EXPECT_EQ(text("hmac.secret"), secret);
  EXPECT_EQ(text("server.pem"), certificate);
}

TEST_F(DevSetupTest, IsForItsOwnerOnly) {
  prepare();
  EXPECT_EQ(fs::status(folder_).permissions(), fs::perms(0700));
  for (const std::string& name : kAll) EXPECT_EQ(fs::status(folder_ / name).permissions(), fs::perms(0600)) << name;
  fs::permissions(folder_, fs::perms(0755));
  prepare();
  EXPECT_EQ(fs::status(folder_).permissions(), fs::perms(0700));
}

TEST_F(DevSetupTest, IsAConfigurationThatAServerTakes) {
  prepare();
  const auto config = config::load(folder_ / "carillon.toml", {});
  ASSERT_TRUE(config.has_value()) << config.error().front().to_string();
  EXPECT_TRUE(config->warnings.empty());
  EXPECT_TRUE(net::TlsContext::server({config->server.certificate, config->server.private_key}, {}).has_value());
  const auto keys = auth::KeySet::load(config->auth.tokens);
  ASSERT_TRUE(keys.has_value()) << keys.error().message;

  const auth::Verifier verifier(config->auth.tokens, *keys);
  const auto grants_of = [&](const std::string& name, const std::string& user) {
    std::string token = text(name + ".token");
    token.pop_back();
    const auto principal = verifier.verify(token, now_ + 29 * kDay);
    EXPECT_TRUE(principal && principal->user_id == user) << name;
    return principal ? principal->grants : Grants();
  };
  EXPECT_TRUE(grants_of("alice", "alice").has(Grant::orders));
  EXPECT_FALSE(grants_of("alice", "alice").has(Grant::publish));
  EXPECT_FALSE(grants_of("alice", "alice").has(Grant::admin));
  EXPECT_TRUE(grants_of("alice-admin", "alice").has(Grant::admin));
  EXPECT_TRUE(grants_of("alice-admin", "alice").has(Grant::orders));
  EXPECT_FALSE(grants_of("alice-admin", "alice").has(Grant::publish));
  EXPECT_TRUE(grants_of("bob", "bob").has(Grant::signals));
  EXPECT_TRUE(grants_of("agent", "agent").has(Grant::publish));
  EXPECT_FALSE(grants_of("agent", "agent").has(Grant::orders));
  EXPECT_TRUE(grants_of("admin", "admin").has(Grant::admin));
}

TEST_F(DevSetupTest, RenewsWhatExpires) {
  prepare();
  now_ += 29 * kDay + std::chrono::hours{1};
  EXPECT_EQ(prepare(), (Names{"alice.token", "alice-admin.token", "bob.token", "agent.token", "admin.token"}));
  now_ += 60 * kDay;
  EXPECT_EQ(prepare(), (Names{"server.key", "server.pem", "alice.token", "alice-admin.token", "bob.token",
                              "agent.token", "admin.token"}));
  now_ += 3600 * kDay;
  const Names made = prepare();
  EXPECT_EQ(Names(made.begin(), made.begin() + 4), (Names{"ca.key", "ca.pem", "server.key", "server.pem"}));
}

TEST_F(DevSetupTest, RenewsWhatNoLongerFits) {
  prepare();
  fs::remove(folder_ / "ca.key");
  EXPECT_EQ(prepare(), (Names{"ca.key", "ca.pem", "server.key", "server.pem"}));
  fs::remove(folder_ / "hmac.secret");
  EXPECT_EQ(prepare(),
            (Names{"hmac.secret", "alice.token", "alice-admin.token", "bob.token", "agent.token", "admin.token"}));
  ASSERT_TRUE(write_private_file(folder_ / "server.pem", "garbage").has_value());
  ASSERT_TRUE(write_private_file(folder_ / "bob.token", text("alice.token") + "x").has_value());
  EXPECT_EQ(prepare(), (Names{"server.key", "server.pem", "bob.token"}));
}

TEST_F(DevSetupTest, KeepsAnEditedConfiguration) {
  prepare();
  ASSERT_TRUE(write_private_file(folder_ / "carillon.toml", "# mine\n").has_value());
  EXPECT_EQ(prepare(), Names());
  EXPECT_EQ(text("carillon.toml"), "# mine\n");
}

TEST_F(DevSetupTest, SaysWhereItMayNotWrite) {
  const std::string taken = temporary_.file("file");
  ASSERT_TRUE(write_private_file(taken, "x").has_value());
  const auto setup = prepare_dev_setup(taken, now_);
  ASSERT_FALSE(setup.has_value());
  EXPECT_NE(setup.error().message.find(taken), std::string::npos);
}

}  // namespace
}  // namespace carillon::app
