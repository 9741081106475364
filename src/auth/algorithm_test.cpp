#include "auth/algorithm.hpp"

#include <gtest/gtest.h>

namespace carillon::auth {
namespace {

TEST(Algorithm, NamesAreThoseOfTheRfcs) {
  for (const Algorithm algorithm : kAlgorithms) EXPECT_EQ(algorithm_from_name(to_string(algorithm)), algorithm);
  EXPECT_EQ(to_string(Algorithm::hs256), "HS256");
  EXPECT_EQ(to_string(Algorithm::ps384), "PS384");
  EXPECT_EQ(to_string(Algorithm::es384), "ES384");
  EXPECT_EQ(to_string(Algorithm::eddsa), "EdDSA");
}

TEST(Algorithm, OtherNamesAreNothing) {
  for (const char* name : {"", "none", "None", "nOnE", "hs256", "HS256 ", " HS256", "HS1", "ES256K", "ES512", "EDDSA",
                           "Ed25519", "A256GCM", "RSA1_5"})
    EXPECT_FALSE(algorithm_from_name(name)) << name;
}

TEST(AlgorithmSet, HasWhatWasAddedAndNothingElse) {
  const AlgorithmSet set(std::vector{Algorithm::hs256, Algorithm::eddsa});
  for (const Algorithm algorithm : kAlgorithms)
    EXPECT_EQ(set.has(algorithm), algorithm == Algorithm::hs256 || algorithm == Algorithm::eddsa);
  EXPECT_EQ(set & kHmacAlgorithms, AlgorithmSet{Algorithm::hs256});
  EXPECT_TRUE((set & kRsaAlgorithms).empty());
}

}  // namespace
}  // namespace carillon::auth
