#include "app/check_config_command.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "app/dev_setup.hpp"
#include "app/small_file.hpp"
#include "base/clock.hpp"
#include "eventlog/temp_folder.hpp"

namespace carillon::app {
namespace {

class CheckConfigCommandTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(prepare_dev_setup(setup_, SystemClock().wall_now()).has_value()); }

  // What the command says on standard error; empty when the configuration is good.
  std::string complaints() const {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int exit_code = run(CheckConfigCommand{setup_ / "carillon.toml"});
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(testing::internal::GetCapturedStdout().empty(), exit_code != kExitOk);
    EXPECT_EQ(said.empty(), exit_code == kExitOk) << said;
    return said;
  }
  void write(const std::string& name, std::string_view text) const {
    ASSERT_TRUE(write_private_file(setup_ / name, text).has_value());
  }

  eventlog::TempFolder folder_;
  std::filesystem::path setup_ = folder_.file("setup");
};

TEST_F(CheckConfigCommandTest, AGoodOneIsGood) {
  EXPECT_EQ(complaints(), "");
}

TEST_F(CheckConfigCommandTest, NamesEveryFault) {
  write("carillon.toml", "[server]\nshards = -1\nlissen = \"\"\n[auth]\nhmac_secret_file = \"hmac.secret\"\n");
  const std::string said = complaints();
  EXPECT_NE(said.find("carillon.toml:2: server.shards: "), std::string::npos) << said;
  EXPECT_NE(said.find("carillon.toml:3: server.lissen: "), std::string::npos) << said;
}

TEST_F(CheckConfigCommandTest, LooksIntoCertificateAndKeys) {
  write("server.pem", "garbage");
  write("hmac.secret", "short");
  const std::string said = complaints();
  EXPECT_NE(said.find("server.pem"), std::string::npos) << said;
  EXPECT_NE(said.find("hmac.secret"), std::string::npos) << said;
}

}  // namespace
}  // namespace carillon::app
