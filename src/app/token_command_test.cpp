#include "app/token_command.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "app/dev_setup.hpp"
#include "auth/key_set.hpp"
#include "auth/verifier.hpp"
#include "base/clock.hpp"
#include "config/config.hpp"
#include "eventlog/temp_folder.hpp"

namespace carillon::app {
namespace {

class TokenCommandTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(prepare_dev_setup(setup_, now_).has_value()); }

  // What the command prints, without its line end; empty when it fails.
  std::string minted() const {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int exit_code = run(command_);
    const std::string printed = testing::internal::GetCapturedStdout();
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(printed.empty(), exit_code != kExitOk);
    EXPECT_EQ(said.empty(), exit_code == kExitOk) << said;
    return printed.empty() ? printed : printed.substr(0, printed.size() - 1);
  }

  [[nodiscard]] auto verify(const std::string& token, WallTime at) const {
    const auto options = config::load(setup_ / "carillon.toml", {})->auth.tokens;
    return auth::Verifier(options, *auth::KeySet::load(options)).verify(token, at);
  }

  WallTime now_ = SystemClock().wall_now();
  eventlog::TempFolder folder_;
  std::filesystem::path setup_ = folder_.file("setup");
  TokenCommand command_{.config = setup_ / "carillon.toml",
                        .secret_file = {},
                        .private_key = {},
                        .algorithm = {},
                        .kid = {},
                        .user = "carol",
                        .scope = "orders publish",
                        .ttl = std::chrono::minutes{10},
                        .issuer = {},
                        .audience = {}};
};

TEST_F(TokenCommandTest, MintsWhatTheConfigurationTakes) {
  const auto principal = verify(minted(), now_ + std::chrono::minutes{9});
  ASSERT_TRUE(principal.has_value()) << principal.error().message;
  EXPECT_EQ(principal->user_id, "carol");
  EXPECT_TRUE(principal->grants.has(Grant::publish));
  EXPECT_FALSE(principal->grants.has(Grant::signals));
  EXPECT_EQ(verify(minted(), now_ + std::chrono::minutes{11}).error().code, "expired");
}

TEST_F(TokenCommandTest, WhatIsNamedBesideTheConfigurationWins) {
  command_.issuer = "somebody";
  EXPECT_EQ(verify(minted(), now_).error().code, "wrong_issuer");
  command_.issuer = "";
  EXPECT_FALSE(verify(minted(), now_).has_value());
}

TEST_F(TokenCommandTest, MintsFromASecretAlone) {
  command_.config.clear();
  command_.secret_file = setup_ / "hmac.secret";
  command_.issuer = "carillon-development";
  EXPECT_TRUE(verify(minted(), now_).has_value());
}

TEST_F(TokenCommandTest, FindsTheAlgorithmOfAPrivateKey) {
  command_.config.clear();
  command_.private_key = setup_ / "server.key";                           // ECDSA P-256
  EXPECT_TRUE(minted().starts_with("eyJhbGciOiJFUzI1NiIs")) << minted();  // {"alg":"ES256",
  command_.algorithm = auth::Algorithm::rs256;
  EXPECT_EQ(minted(), "");
}

TEST_F(TokenCommandTest, FailsWithoutAUsableKey) {
  command_.config = setup_ / "absent.toml";
  EXPECT_EQ(minted(), "");
  command_.config.clear();
  command_.secret_file = setup_ / "absent.secret";
  EXPECT_EQ(minted(), "");
}

}  // namespace
}  // namespace carillon::app
