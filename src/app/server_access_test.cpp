#include "app/server_access.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "app/small_file.hpp"
#include "eventlog/temp_folder.hpp"

namespace carillon::app {
namespace {

namespace fs = std::filesystem;

// Each test stands in a folder of its own.
class ServerAccessTest : public testing::Test {
 protected:
  void SetUp() override {
    before_ = fs::current_path();
    fs::current_path(folder_.file(""));
  }
  void TearDown() override { fs::current_path(before_); }

  static void write(const fs::path& file, std::string_view text) {
    if (file.has_parent_path()) fs::create_directories(file.parent_path());
    ASSERT_TRUE(write_private_file(file, text).has_value());
  }

  eventlog::TempFolder folder_;
  fs::path before_;
  ServerAccess access_{.url = "https://127.0.0.1:8443", .ca_file = {}, .token = {}, .token_file = {}};
};

TEST_F(ServerAccessTest, TakesTheDevelopmentSetupWhereItIsThere) {
  write(".carillon/ca.pem", "x");
  write(".carillon/alice.token", " a.b.c\n");
  const auto resolved = resolve_access(access_, "alice");
  ASSERT_TRUE(resolved.has_value()) << resolved.error().message;
  EXPECT_EQ(resolved->ca_file, ".carillon/ca.pem");
  EXPECT_EQ(resolved->token, "a.b.c");
  EXPECT_EQ(resolved->server.port, "8443");
}

TEST_F(ServerAccessTest, TakesWhatIsNamedBeforeIt) {
  write(".carillon/ca.pem", "x");
  write(".carillon/alice.token", "a.b.c");
  write("my.token", "d.e.f");
  access_.ca_file = "my.pem";
  access_.token_file = "my.token";
  EXPECT_EQ(resolve_access(access_, "alice")->ca_file, "my.pem");
  EXPECT_EQ(resolve_access(access_, "alice")->token, "d.e.f");
  access_.token_file = "";
  access_.token = "g.h.i";
  EXPECT_EQ(resolve_access(access_, "alice")->token, "g.h.i");
}

TEST_F(ServerAccessTest, ReadsARenewedToken) {
  write("my.token", "old");
  access_.token_file = "my.token";
  const auto resolved = resolve_access(access_, "alice");
  write("my.token", "new");
  EXPECT_EQ(resolved->current_token(), "new");
  fs::remove("my.token");
  EXPECT_EQ(resolved->current_token().error().kind, ErrorKind::not_found);
}

TEST_F(ServerAccessTest, NeedsAToken) {
  EXPECT_NE(resolve_access(access_, "alice").error().message.find("--token-file"), std::string::npos);
  access_.token_file = "absent.token";
  EXPECT_NE(resolve_access(access_, "alice").error().message.find("absent.token"), std::string::npos);
}

TEST_F(ServerAccessTest, RefusesATokenThatWouldBreakTheRequest) {
  for (const char* text : {"", " \n", "a b", "a\r\nX: y", "a\x01"}) {
    write("my.token", text);
    access_.token_file = "my.token";
    const auto resolved = resolve_access(access_, "alice");
    ASSERT_FALSE(resolved.has_value());
    EXPECT_EQ(resolved.error().message, "my.token holds no token");
  }
}

TEST_F(ServerAccessTest, RefusesClearText) {
  access_.url = "http://127.0.0.1:8443";
  access_.token = "a.b.c";
  EXPECT_FALSE(resolve_access(access_, "alice").has_value());
}

}  // namespace
}  // namespace carillon::app
