#include "auth/secret.hpp"

#include <gtest/gtest.h>

#include <array>
#include <new>

namespace carillon::auth {
namespace {

// NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move): what a move leaves is what is tested
TEST(Secret, MovesAndLeavesNothingBehind) {
  for (const std::size_t size : {std::size_t{8}, std::size_t{200}}) {
    Secret first(std::string(size, 's'));
    Secret second(std::move(first));
    EXPECT_EQ(first.view(), "");
    EXPECT_EQ(second.view(), std::string(size, 's'));
    Secret third(std::string(size, 't'));
    third = std::move(second);
    EXPECT_EQ(second.view(), "");
    EXPECT_EQ(third.view(), std::string(size, 's'));
  }
}
// NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)

TEST(Secret, WipesItsBytesAtTheEnd) {
  // A short secret lives inside the object, so its memory can be looked at afterwards without touching freed memory.
  alignas(Secret) std::array<unsigned char, sizeof(Secret)> memory{};
  Secret* secret = new (memory.data()) Secret(std::string("hush-hush"));
  const std::string_view whole(reinterpret_cast<const char*>(memory.data()), memory.size());
  ASSERT_NE(whole.find("hush-hush"), std::string_view::npos);
  secret->~Secret();
  EXPECT_EQ(whole.find("hush"), std::string_view::npos);
}

}  // namespace
}  // namespace carillon::auth
