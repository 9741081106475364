#include "app/command_line.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace carillon::app {
namespace {

template <class T>
T parsed(std::initializer_list<std::string> words) {
  const auto command = parse_command_line(words);
  EXPECT_TRUE(command.has_value()) << command.error().text;
  const T* found = command ? std::get_if<T>(&*command) : nullptr;
  EXPECT_NE(found, nullptr);
  return found != nullptr ? *found : T();
}

// What is written when the words make no command.
std::string refused(std::initializer_list<std::string> words) {
  const auto command = parse_command_line(words);
  EXPECT_FALSE(command.has_value());
  if (command) return {};
  EXPECT_EQ(command.error().exit_code, kExitUsage);
  EXPECT_TRUE(command.error().text.starts_with("carillon: ")) << command.error().text;
  return command.error().text;
}

std::string help(std::initializer_list<std::string> words) {
  const auto command = parse_command_line(words);
  EXPECT_FALSE(command.has_value());
  if (command) return {};
  EXPECT_EQ(command.error().exit_code, kExitOk);
  return command.error().text;
}

TEST(CommandLine, Serve) {
  EXPECT_EQ(parsed<ServeCommand>({"serve", "--config", "a.toml"}).config, "a.toml");
  const auto dev = parsed<ServeCommand>({"serve", "--dev"});
  EXPECT_EQ(dev.config, "");
  EXPECT_EQ(dev.dev_folder, ".carillon");
  EXPECT_EQ(parsed<ServeCommand>({"serve", "--dev", "--dir", "/tmp/x"}).dev_folder, "/tmp/x");
}

TEST(CommandLine, ServeTakesEitherAFileOrADevelopmentSetup) {
  EXPECT_NE(refused({"serve"}), "");
  EXPECT_NE(refused({"serve", "--config", "a.toml", "--dev"}), "");
  EXPECT_NE(refused({"serve", "--config", "a.toml", "--dir", "x"}).find("--dev"), std::string::npos);
}

TEST(CommandLine, CheckConfig) {
  EXPECT_EQ(parsed<CheckConfigCommand>({"check-config", "a.toml"}).config, "a.toml");
  EXPECT_NE(refused({"check-config"}).find("FILE"), std::string::npos);
}

TEST(CommandLine, Token) {
  const auto token = parsed<TokenCommand>({"token", "--config", "a.toml", "--user", "alice"});
  EXPECT_EQ(token.config, "a.toml");
  EXPECT_EQ(token.user, "alice");
  EXPECT_EQ(token.ttl, std::chrono::hours{1});
  EXPECT_EQ(token.scope, std::nullopt);
  EXPECT_EQ(token.algorithm, std::nullopt);

  const auto full =
      parsed<TokenCommand>({"token", "--private-key", "k.pem", "--algorithm", "ES256", "--user", "bob", "--scope",
                            "signals orders", "--ttl", "90s", "--issuer", "i", "--audience", "", "--kid", "k1"});
  EXPECT_EQ(full.private_key, "k.pem");
  EXPECT_EQ(full.algorithm, auth::Algorithm::es256);
  EXPECT_EQ(full.scope, "signals orders");
  EXPECT_EQ(full.ttl, std::chrono::seconds{90});
  EXPECT_EQ(full.issuer, "i");
  EXPECT_EQ(full.audience, "");
  EXPECT_EQ(full.kid, "k1");
}

TEST(CommandLine, TokenNeedsAUserAndAKey) {
  EXPECT_NE(refused({"token", "--secret-file", "s"}).find("--user"), std::string::npos);
  EXPECT_NE(refused({"token", "--user", "alice"}), "");
  EXPECT_NE(refused({"token", "--user", "alice", "--secret-file", "s", "--private-key", "k"}), "");
  EXPECT_NE(refused({"token", "--user", "alice", "--secret-file", "s", "--ttl", "10"}).find("10m"), std::string::npos);
  EXPECT_NE(refused({"token", "--user", "alice", "--secret-file", "s", "--ttl", "0s"}), "");
  EXPECT_NE(refused({"token", "--user", "alice", "--secret-file", "s", "--algorithm", "none"}).find("none"),
            std::string::npos);
}

TEST(CommandLine, Publish) {
  const auto standard_input = parsed<PublishCommand>({"publish"});
  EXPECT_EQ(standard_input.input, "-");
  EXPECT_EQ(standard_input.server.url, "https://127.0.0.1:8443");
  EXPECT_EQ(standard_input.server.token, "");
  EXPECT_EQ(parsed<PublishCommand>({"publish", "-"}).input, "-");

  const auto full = parsed<PublishCommand>(
      {"publish", "--url", "https://host:1", "--ca", "ca.pem", "--token-file", "t.token", "events.jsonl"});
  EXPECT_EQ(full.input, "events.jsonl");
  EXPECT_EQ(full.server.url, "https://host:1");
  EXPECT_EQ(full.server.ca_file, "ca.pem");
  EXPECT_EQ(full.server.token_file, "t.token");
  EXPECT_NE(refused({"publish", "--token", "a.b.c", "--token-file", "t"}), "");
}

TEST(CommandLine, Tail) {
  EXPECT_EQ(parsed<TailCommand>({"tail"}).carrier, websocket::Carrier::header);
  EXPECT_FALSE(parsed<TailCommand>({"tail"}).as_json);
  const auto full = parsed<TailCommand>({"tail", "--json", "--token", "a.b.c", "--carrier", "subprotocol"});
  EXPECT_TRUE(full.as_json);
  EXPECT_EQ(full.server.token, "a.b.c");
  EXPECT_EQ(full.carrier, websocket::Carrier::subprotocol);
  EXPECT_EQ(parsed<TailCommand>({"tail", "--carrier", "message"}).carrier, websocket::Carrier::first_message);
  EXPECT_NE(refused({"tail", "--carrier", "pigeon"}), "");
  EXPECT_NE(refused({"tail", "--carrier", "1"}), "");
}

TEST(CommandLine, TailBeginsWhereItIsTold) {
  EXPECT_EQ(parsed<TailCommand>({"tail"}).from, "");
  EXPECT_TRUE(parsed<TailCommand>({"tail"}).wants_snapshot);
  EXPECT_EQ(parsed<TailCommand>({"tail", "--from", "j1.42"}).from, "j1.42");
  EXPECT_FALSE(parsed<TailCommand>({"tail", "--no-snapshot"}).wants_snapshot);
  EXPECT_NE(refused({"tail", "--from", ""}), "");
  EXPECT_NE(refused({"tail", "--from", "j1.42 HTTP/1.1"}).find("j1.42"), std::string::npos);
}

TEST(CommandLine, Stats) {
  const auto found = parsed<StatsCommand>({"stats"});
  EXPECT_EQ(found.admin + found.config.string(), "");
  EXPECT_FALSE(found.as_json);
  EXPECT_EQ(parsed<StatsCommand>({"stats", "--admin", "[::1]:8444", "--json"}).admin, "[::1]:8444");
  EXPECT_TRUE(parsed<StatsCommand>({"stats", "--json"}).as_json);
  EXPECT_EQ(parsed<StatsCommand>({"stats", "--config", "c.toml"}).config, "c.toml");
  EXPECT_NE(refused({"stats", "--admin", "here"}), "");
  EXPECT_NE(refused({"stats", "--admin", "127.0.0.1:8444", "--config", "c.toml"}), "");
}

TEST(CommandLine, DeadLetters) {
  EXPECT_EQ(parsed<ListDeadLettersCommand>({"dead-letters", "list"}).limit, 100U);
  EXPECT_EQ(parsed<ListDeadLettersCommand>({"dead-letters", "list", "--limit", "7", "--json"}).limit, 7U);
  EXPECT_NE(refused({"dead-letters", "list", "--limit", "0"}), "");
  EXPECT_NE(refused({"dead-letters"}), "");

  EXPECT_EQ(parsed<ReplayDeadLettersCommand>({"dead-letters", "replay", "j1.4", "j1.5"}).positions,
            (std::vector<std::string>{"j1.4", "j1.5"}));
  EXPECT_TRUE(parsed<ReplayDeadLettersCommand>({"dead-letters", "replay", "--all"}).positions.empty());
  EXPECT_NE(refused({"dead-letters", "replay"}), "");
  EXPECT_NE(refused({"dead-letters", "replay", "--all", "j1.4"}), "");
}

TEST(CommandLine, Version) {
  parsed<VersionCommand>({"version"});
  EXPECT_TRUE(help({"--version"}).starts_with("carillon ")) << help({"--version"});
}

TEST(CommandLine, NoCommandIsAUsageFault) {
  EXPECT_NE(refused({}), "");
  EXPECT_NE(refused({"sing"}).find("sing"), std::string::npos);
  EXPECT_NE(refused({"serve", "--loud"}).find("--loud"), std::string::npos);
  EXPECT_NE(refused({"serve", "tail"}), "");
}

TEST(CommandLine, HelpIsNoFault) {
  const std::string all = help({"--help"});
  for (const char* command : {"serve", "check-config", "token", "publish", "tail", "stats", "dead-letters", "version"})
    EXPECT_NE(all.find(command), std::string::npos) << command;
  EXPECT_NE(help({"tail", "--help"}).find("--carrier"), std::string::npos);
  EXPECT_NE(help({"dead-letters", "replay", "-h"}).find("--all"), std::string::npos);
}

}  // namespace
}  // namespace carillon::app
