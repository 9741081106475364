#include "net/client_hello.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace carillon::net {
namespace {

std::string number(std::size_t value, int bytes) {
  std::string text;
  while (bytes-- > 0) text.push_back(static_cast<char>(value >> (8 * bytes) & 0xFF));
  return text;
}

std::string extension(unsigned type, std::size_t size = 0) {
  return number(type, 2) + number(size, 2) + std::string(size, 'x');
}

std::string hello(const std::string& extensions) {
  const std::string body = number(0x0303, 2) + std::string(32, 'r') + number(0, 1) + number(2, 2) + number(0x1301, 2) +
                           number(0x0100, 2) + number(extensions.size(), 2) + extensions;
  return number(1, 1) + number(body.size(), 3) + body;
}

TEST(ClientHello, MayBeWhatClientsSend) {
  EXPECT_EQ(check_client_hello(hello("")), HelloFault::none);
  EXPECT_EQ(check_client_hello(hello(extension(0, 20) + extension(43, 3) + extension(51, 1300))), HelloFault::none);
}

TEST(ClientHello, HasABound) {
  const std::size_t rest = hello(extension(1)).size();
  EXPECT_EQ(check_client_hello(hello(extension(1, 16 * 1024UL - rest))), HelloFault::none);
  EXPECT_EQ(check_client_hello(hello(extension(1, 16 * 1024UL - rest + 1))), HelloFault::excessive);
  EXPECT_EQ(check_client_hello(std::string(65536, '\1')), HelloFault::excessive);
}

TEST(ClientHello, HasSoManyExtensions) {
  std::string extensions;
  for (unsigned type = 0; type < 64; ++type) extensions += extension(0x5000 + type);
  EXPECT_EQ(check_client_hello(hello(extensions)), HelloFault::none);
  EXPECT_EQ(check_client_hello(hello(extensions + extension(0))), HelloFault::excessive);
}

TEST(ClientHello, HasNoExtensionTwice) {
  EXPECT_EQ(check_client_hello(hello(extension(0x5000) + extension(0) + extension(0x5000))),
            HelloFault::repeated_extension);
  EXPECT_EQ(check_client_hello(hello(extension(0) + extension(0))), HelloFault::repeated_extension);
}

TEST(ClientHello, IsLeftToOpenSslWhereItIsCutOff) {
  const std::string whole = hello(extension(1, 10) + extension(2, 10));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(check_client_hello(whole.substr(0, size)), HelloFault::none);
}

}  // namespace
}  // namespace carillon::net
