#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "base/json.hpp"
#include "protocol/client_message.hpp"
#include "protocol/close_code.hpp"
#include "protocol/envelope.hpp"
#include "protocol/server_message.hpp"
#include "protocol/text_frame.hpp"
#include "protocol/timestamp.hpp"

// The vectors of contract/, which the clients are held to as well, against the server's own code.
namespace carillon::protocol {
namespace {

using json::Value;

json::Document vectors(const std::string& name) {
  std::ifstream stream(std::filesystem::path(CARILLON_CONTRACT) / "vectors" / name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  auto document = json::Document::parse(text);
  EXPECT_TRUE(document) << name << ": " << (document ? "" : document.error().message);
  return document ? *std::move(document) : *json::Document::parse("{}");
}

// The rows of a vector file under one of its members; a file without rows tests nothing.
Value rows(const json::Document& document, std::string_view member) {
  const auto found = document.root().find(member);
  EXPECT_TRUE(found && found->size() > 0) << member;
  return found.value_or(document.root());
}

std::string text_of(const Value& row, std::string_view member) {
  const auto text = row.find_string(member);
  EXPECT_TRUE(text) << member;
  return std::string(text.value_or(""));
}

WallTime time_of(const Value& row, std::string_view member) {
  const auto time = parse_timestamp(text_of(row, member));
  EXPECT_TRUE(time) << member;
  return time.value_or(WallTime{});
}

bool is_true(const Value& row, std::string_view member) {
  const auto value = row.find(member);
  EXPECT_TRUE(value && value->is(json::Kind::boolean)) << member;
  return value && value->text() == "true";
}

TEST(Contract, EnvelopesAreTaken) {
  const auto document = vectors("envelopes.json");
  const WallTime now = time_of(document.root(), "now");
  for (const Value row : rows(document, "taken")) {
    const auto event = parse_envelope(text_of(row, "text"), now);
    EXPECT_TRUE(event) << text_of(row, "name") << ": " << event.error().pointer << ' ' << event.error().message;
  }
}

TEST(Contract, EnvelopesAreRefusedWithCodeAndPointer) {
  const auto document = vectors("envelopes.json");
  const WallTime now = time_of(document.root(), "now");
  for (const Value row : rows(document, "refused")) {
    const auto event = parse_envelope(text_of(row, "text"), now);
    ASSERT_FALSE(event) << text_of(row, "name");
    EXPECT_EQ(event.error().code, text_of(row, "code")) << text_of(row, "name");
    EXPECT_EQ(event.error().pointer, text_of(row, "pointer")) << text_of(row, "name");
  }
}

TEST(Contract, ClientMessagesAreTakenOrRefusedWithCode) {
  const auto document = vectors("client_messages.json");
  for (const Value row : rows(document, "taken"))
    EXPECT_TRUE(parse_client_message(text_of(row, "text"))) << text_of(row, "name");
  for (const Value row : rows(document, "refused")) {
    const auto message = parse_client_message(text_of(row, "text"));
    ASSERT_FALSE(message) << text_of(row, "name");
    EXPECT_EQ(message.error().code, text_of(row, "code")) << text_of(row, "name");
  }
}

std::string mark_of(const Value& row) {
  if (is_true(row, "replayed")) return R"(,"replayed":true)";
  return is_true(row, "snapshot") ? R"(,"snapshot":true)" : "";
}

TEST(Contract, NotificationsAreTheseBytes) {
  const auto document = vectors("notifications.json");
  const WallTime logged_at = time_of(document.root(), "logged_at");
  for (const Value row : rows(document, "notifications")) {
    const auto event = parse_envelope(text_of(row, "envelope"), logged_at);
    ASSERT_TRUE(event) << text_of(row, "name") << ": " << event.error().pointer << ' ' << event.error().message;
    const auto encoded =
        encode_notification(*event, logged_at, Position{text_of(row, "position")}, is_true(row, "late"));
    std::string frame;
    append_with_member(frame, encoded.frame, encoded.mark_at, mark_of(row));
    EXPECT_EQ(frame.substr(header_size(frame)), text_of(row, "text")) << text_of(row, "name");
  }
}

// Nothing where no code has that number. A switch, so that a code that is new here is missed by the compiler.
std::string_view name_of(CloseCode code) {
  switch (code) {
    case CloseCode::normal:
      return "normal";
    case CloseCode::going_away:
      return "going_away";
    case CloseCode::protocol_error:
      return "protocol_error";
    case CloseCode::unsupported_data:
      return "unsupported_data";
    case CloseCode::invalid_utf8:
      return "invalid_utf8";
    case CloseCode::policy_violation:
      return "policy_violation";
    case CloseCode::too_large:
      return "too_large";
    case CloseCode::internal_error:
      return "internal_error";
    case CloseCode::restart:
      return "restart";
    case CloseCode::overloaded:
      return "overloaded";
    case CloseCode::malformed_messages:
      return "malformed_messages";
    case CloseCode::bad_token:
      return "bad_token";
    case CloseCode::not_allowed:
      return "not_allowed";
    case CloseCode::no_token_in_time:
      return "no_token_in_time";
    case CloseCode::heartbeat_timeout:
      return "heartbeat_timeout";
    case CloseCode::token_expired:
      return "token_expired";
    case CloseCode::too_slow:
      return "too_slow";
    case CloseCode::revoked:
      return "revoked";
    case CloseCode::too_many:
      return "too_many";
  }
  return "";
}

TEST(Contract, CloseCodesAreThese) {
  std::map<unsigned, std::string> ours;
  for (unsigned number = 0; number <= 0xFFFF; ++number)
    if (const auto name = name_of(static_cast<CloseCode>(number)); !name.empty()) ours[number] = name;
  const auto document = vectors("close_codes.json");
  std::map<unsigned, std::string> told;
  for (const Value row : rows(document, "codes"))
    told[static_cast<unsigned>(std::stoul(std::string(row.find("code")->text())))] = text_of(row, "name");
  EXPECT_EQ(told, ours);
}

}  // namespace
}  // namespace carillon::protocol
