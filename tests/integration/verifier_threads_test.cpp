#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "auth/key_set.hpp"
#include "auth/signing_for_tests.hpp"
#include "auth/verifier.hpp"

namespace carillon::auth {
namespace {

// All shards share one verifier, and every check copies the same OpenSSL contexts.
TEST(VerifierThreads, ManyMayVerifyAtOnce) {
  constexpr WallTime kNow{std::chrono::seconds{1'000'000}};
  const Verifier verifier({}, std::make_shared<const KeySet>(test_keys::kEveryAlgorithm, test_keys::one_of_each()));
  std::vector<std::string> tokens;
  for (const Algorithm algorithm : kAlgorithms)
    tokens.push_back(signed_compact(test_keys::signing_key(algorithm),
                                    R"({"alg":")" + std::string(to_string(algorithm)) + "\"}",
                                    R"({"sub":"alice","exp":1000600})"));

  const auto verify_all = [&](int& wrong) {
    for (int round = 0; round < 20; ++round)
      for (const std::string& token : tokens) {
        std::string forged = token;
        forged[forged.size() - 8] = forged[forged.size() - 8] == 'A' ? 'B' : 'A';
        const auto refused = verifier.verify(forged, kNow);
        if (!verifier.verify(token, kNow) || refused || refused.error().code != "invalid_signature") ++wrong;
      }
  };
  std::vector<int> wrong(4);
  {
    std::vector<std::jthread> threads;
    for (int& count : wrong) threads.emplace_back([&] { verify_all(count); });
  }
  EXPECT_EQ(wrong, std::vector<int>(4));
}

}  // namespace
}  // namespace carillon::auth
