#include "auth/key_file.hpp"

#include <gtest/gtest.h>

#include "auth/temporary_files.hpp"

namespace carillon::auth {
namespace {

TEST(KeyFile, IsReadWholeAndAsItIs) {
  const TemporaryFiles files;
  const std::string bytes = std::string("\0\xFF\r\n", 4) + std::string(kKeyFileBytesMax - 4, 'x');
  EXPECT_EQ(read_key_file(files.write("key", bytes))->view(), bytes);
}

TEST(KeyFile, AnErrorNamesTheFile) {
  const TemporaryFiles files;
  const auto expect_error = [](const std::filesystem::path& path, std::string_view what) {
    const auto read = read_key_file(path);
    ASSERT_FALSE(read) << path;
    EXPECT_NE(read.error().message.find(path.string()), std::string::npos) << read.error().message;
    EXPECT_NE(read.error().message.find(what), std::string::npos) << read.error().message;
  };
  expect_error(files.path("absent"), "No such file");
  expect_error(files.path("."), "directory");
  expect_error(files.write("empty", ""), "empty");
  expect_error(files.write("long", std::string(kKeyFileBytesMax + 1, 'x')), "larger than 65536 bytes");
  expect_error("/dev/zero", "larger than 65536 bytes");
}

TEST(KeyFile, ASecretIsReadWithoutOneNewlineAtTheEnd) {
  const auto secret = [](std::string bytes) { return std::string(secret_in(Secret(std::move(bytes)))); };
  EXPECT_EQ(secret("abc"), "abc");
  EXPECT_EQ(secret("abc\n"), "abc");
  EXPECT_EQ(secret("abc\n\n"), "abc\n");
  EXPECT_EQ(secret("\nabc "), "\nabc ");
  EXPECT_EQ(secret("abc\r"), "abc\r");
}

}  // namespace
}  // namespace carillon::auth
