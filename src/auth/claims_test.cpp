#include "auth/claims.hpp"

#include <gtest/gtest.h>

#include <string>

namespace carillon::auth {
namespace {

using std::chrono::seconds;

constexpr WallTime kNow{seconds{1'000'000}};

// The rest of the claims beside good ones; later members must not repeat them.
std::string claims(std::string_view more = "") {
  return R"({"sub":"alice","exp":1000600)" + std::string(more) + "}";
}

std::string code(std::string_view payload, const Options& options = {}, WallTime now = kNow) {
  const auto principal = read_claims(payload, options, now);
  return principal ? "accepted" : std::string(principal.error().code);
}

TEST(Claims, MakeThePrincipal) {
  const auto principal = read_claims(R"({"sub":"alice","exp":1000600,"scope":"orders publish"})", {}, kNow);
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->user_id, "alice");
  EXPECT_EQ(principal->grants, scope_grants("orders publish"));
  EXPECT_EQ(principal->expires_at, WallTime(seconds{1'000'600}));
}

TEST(Claims, AreOneStrictJsonObject) {
  for (const std::string& payload :
       {std::string(), std::string("7"), std::string("[]"), std::string("\"alice\""), claims() + "x",
        claims() + claims(), "\xEF\xBB\xBF" + claims(), claims(R"(,"sub":"bob")"), claims(R"(,"exp":1)"),
        claims(R"(,"x":1,"x":2)"), claims(R"(,"x":1e400)"), claims(R"(,"x":[{"y":-1e400}])"), claims(",\"x\":\"\xC3\""),
        claims(",\"x\":" + std::string(10000, '[') + std::string(10000, ']')), claims(",")})
    EXPECT_EQ(code(payload), "malformed_token") << payload.substr(0, 100);
}

TEST(Claims, UnknownOnesAreIgnored) {
  EXPECT_EQ(code(claims(R"(,"jti":7,"azp":["x"],"admin":true)")), "accepted");
}

TEST(Claims, ExpIsRequiredAndANumberOfSeconds) {
  const auto with_exp = [](std::string_view exp) { return code(R"({"sub":"alice","exp":)" + std::string(exp) + "}"); };
  EXPECT_EQ(code(R"({"sub":"alice"})"), "invalid_claim");
  for (const char* exp :
       {"null", R"("1000600")", "true", "[1000600]", "{}", "-1", "-0", "-0.5", "0.0", "1000600.0", "1000600.9",
        "1.0006e6", "1e3", "9007199254740992", "9007199254740993", "18446744073709551616", "1e30"})
    EXPECT_EQ(with_exp(exp), "invalid_claim") << exp;
  for (const char* exp : {"0", "1"}) EXPECT_EQ(with_exp(exp), "expired") << exp;
  for (const char* exp : {"1000600", "9007199254740991"}) EXPECT_EQ(with_exp(exp), "accepted") << exp;
}

TEST(Claims, ExpiryIsHonouredToTheMillisecondWithTheLeeway) {
  const WallTime end = WallTime(seconds{1'000'600}) + seconds{5};
  EXPECT_EQ(code(claims(), {}, end - milliseconds{1}), "accepted");
  EXPECT_EQ(code(claims(), {}, end), "expired");
  const Options strict{.leeway = milliseconds{0}};
  EXPECT_EQ(code(claims(), strict, WallTime(seconds{1'000'600}) - milliseconds{1}), "accepted");
  EXPECT_EQ(code(claims(), strict, WallTime(seconds{1'000'600})), "expired");
}

TEST(Claims, ATokenForEverEndsWithTheYear9999) {
  const auto principal = read_claims(R"({"sub":"alice","exp":9007199254740991})", {}, kNow);
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->expires_at, WallTime(seconds{253'402'300'799}));
}

TEST(Claims, NbfAndIatMayBeAheadByTheLeewayOnly) {
  for (const std::string name : {"nbf", "iat"}) {
    const auto at = [&](std::string_view time) { return code(claims(",\"" + name + "\":" + std::string(time))); };
    EXPECT_EQ(at("0"), "accepted");
    EXPECT_EQ(at("1000005"), "accepted");
    EXPECT_EQ(at("1000006"), "not_yet_valid");
    for (const char* odd : {R"("soon")", "null", "true", "[]", "-1", "9007199254740992"})
      EXPECT_EQ(at(odd), "invalid_claim") << name << odd;
  }
  EXPECT_EQ(code(claims(R"(,"nbf":1000005)"), {}, kNow - milliseconds{1}), "not_yet_valid");
}

TEST(Claims, TheIssuerIsComparedByteByByte) {
  const Options options{.issuer = "https://id.example/"};
  EXPECT_EQ(code(claims(R"(,"iss":"https://id.example/")"), options), "accepted");
  for (const char* iss : {R"("https://id.example")", R"("https://id.example//")", R"("HTTPS://id.example/")", R"("")",
                          R"(["https://id.example/"])", "7", "null", R"("https://id.example/\u0000")"})
    EXPECT_EQ(code(claims(std::string(R"(,"iss":)") + iss), options), "wrong_issuer") << iss;
  EXPECT_EQ(code(claims(), options), "wrong_issuer");
  EXPECT_EQ(code(claims(R"(,"iss":"anyone")")), "accepted");
}

TEST(Claims, TheAudienceHoldsUsExactly) {
  const Options options{.audience = "carillon"};
  for (const char* aud : {R"("carillon")", R"(["carillon"])", R"(["other","carillon"])"})
    EXPECT_EQ(code(claims(std::string(R"(,"aud":)") + aud), options), "accepted") << aud;
  for (const char* aud :
       {R"("other")", R"([])", R"(["other"])", R"({"carillon":true})", R"("xcarillon")", R"("carillon2")",
        R"(["carillon2"])", R"([["carillon"]])", R"(["carillon",7])", R"("Carillon")", R"("")", "null", "7"})
    EXPECT_EQ(code(claims(std::string(R"(,"aud":)") + aud), options), "wrong_audience") << aud;
  EXPECT_EQ(code(claims(), options), "wrong_audience");
  EXPECT_EQ(code(claims(R"(,"aud":"other")")), "accepted");
}

TEST(Claims, TheUserIsAShortStringOfText) {
  const auto with_sub = [](const std::string& sub) { return code(R"({"exp":1000600,"sub":)" + sub + "}"); };
  EXPECT_EQ(code(R"({"exp":1000600})"), "invalid_claim");
  for (const std::string sub : {R"("")", "7", "null", "true", R"(["alice"])", R"({"id":"alice"})", R"("al\nice")",
                                R"("\u0000")", R"("al\u0000ice")", R"("al\u007fice")", R"("al\u0085ice")"})
    EXPECT_EQ(with_sub(sub), "invalid_claim") << sub;
  EXPECT_EQ(with_sub('"' + std::string(256, 'x') + '"'), "accepted");
  EXPECT_EQ(with_sub('"' + std::string(257, 'x') + '"'), "invalid_claim");
  for (const std::string sub : {R"("*.>#/:{} %")", R"("\u00e9l\u00e8ve")", R"(" alice ")"})
    EXPECT_EQ(with_sub(sub), "accepted") << sub;
  EXPECT_EQ(read_claims(R"({"exp":1000600,"sub":" \u00c9 "})", {}, kNow)->user_id, " \xC3\x89 ");
}

TEST(Claims, WithoutAScopeTheDefaultGrantsHold) {
  EXPECT_EQ(read_claims(claims(), {}, kNow)->grants, scope_grants("signals orders alerts"));
  EXPECT_EQ(read_claims(claims(), {.default_grants = scope_grants("alerts")}, kNow)->grants, scope_grants("alerts"));
  EXPECT_TRUE(read_claims(claims(R"(,"scope":"")"), {}, kNow)->grants.empty());
  EXPECT_TRUE(read_claims(claims(R"(,"scope":"openid")"), {}, kNow)->grants.empty());
}

TEST(Claims, AnIllTypedScopeIsNeverTheDefault) {
  for (const char* scope : {"null", "7", "true", R"(["orders"])", "{}"})
    EXPECT_EQ(code(claims(std::string(R"(,"scope":)") + scope)), "invalid_claim") << scope;
}

TEST(Claims, NamesAreTheOperatorsChoice) {
  const Options options{.user_claim = "uid", .scope_claim = "permissions"};
  const auto principal =
      read_claims(R"({"sub":"x","exp":1000600,"scope":"admin","uid":"alice","permissions":"orders"})", options, kNow);
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->user_id, "alice");
  EXPECT_EQ(principal->grants, scope_grants("orders"));
  EXPECT_EQ(code(claims(), options), "invalid_claim");
}

}  // namespace
}  // namespace carillon::auth
