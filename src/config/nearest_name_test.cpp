#include "config/nearest_name.hpp"

#include <gtest/gtest.h>

namespace carillon::config {
namespace {

const std::vector<std::string> kKnown = {"server.listen", "limits.queue_bytes_max", "auth.issuer"};

TEST(NearestName, FindsWhatWasMeant) {
  EXPECT_EQ(nearest_name("server.listne", kKnown), "server.listen");
  EXPECT_EQ(nearest_name("server.queue_bytes_max", kKnown), "limits.queue_bytes_max");
  EXPECT_EQ(nearest_name("auth.isuer", kKnown), "auth.issuer");
}

TEST(NearestName, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(nearest_name("colour", kKnown), "");
  EXPECT_EQ(nearest_name(std::string(100'000, 'a'), kKnown), "");
  EXPECT_EQ(nearest_name("x", {}), "");
}

}  // namespace
}  // namespace carillon::config
