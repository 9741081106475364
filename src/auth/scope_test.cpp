#include "auth/scope.hpp"

#include <gtest/gtest.h>

namespace carillon::auth {
namespace {

Grants grants(std::initializer_list<Grant> list) {
  Grants all;
  for (const Grant grant : list) all.add(grant);
  return all;
}

TEST(Scope, KnowsTheFiveWords) {
  EXPECT_EQ(scope_grants("signals orders alerts publish admin"),
            grants({Grant::signals, Grant::orders, Grant::alerts, Grant::publish, Grant::admin}));
}

TEST(Scope, IgnoresOtherWordsAndNeverGuesses) {
  EXPECT_EQ(scope_grants("openid orders email"), grants({Grant::orders}));
  for (const char* scope : {"", " ", "   ", "Orders", "ORDERS", "order", "orders2", "orders,admin", "orders\tadmin",
                            "orders\n", "\xC2\xA0orders"})
    EXPECT_TRUE(scope_grants(scope).empty()) << scope;
}

TEST(Scope, SpacesMayStandAnywhere) {
  EXPECT_EQ(scope_grants("  signals   orders "), grants({Grant::signals, Grant::orders}));
  EXPECT_EQ(scope_grants("orders orders"), grants({Grant::orders}));
}

}  // namespace
}  // namespace carillon::auth
