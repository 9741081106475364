#include "config/origin.hpp"

#include <gtest/gtest.h>

#include <string>

namespace carillon::config {
namespace {

TEST(Origin, IsWhatABrowserSends) {
  for (const char* origin : {"https://trade.example.com", "http://localhost:5173", "https://[::1]:8080", "app://local"})
    EXPECT_TRUE(is_origin(origin)) << origin;
}

TEST(Origin, WouldNeverMatchIsRefused) {
  for (const char* origin : {"", "*", "null", "trade.example.com", "https://", "://x", "https://Trade.example.com",
                             "https://trade.example.com/", "https://trade.example.com/app", "https://*.example.com",
                             "https://trade.example.com:443", "http://trade.example.com:80", "https://a b"})
    EXPECT_FALSE(is_origin(origin)) << origin;
  EXPECT_FALSE(is_origin("https://" + std::string(600, 'a')));
}

}  // namespace
}  // namespace carillon::config
