// What one token costs at a login, by algorithm, and what a bad one costs.

#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <string>

#include "auth/key_set.hpp"
#include "auth/signing_for_tests.hpp"
#include "auth/verifier.hpp"

namespace {

using namespace carillon;
using namespace carillon::auth;

constexpr WallTime kNow{std::chrono::seconds{1'795'348'800}};

const Verifier& verifier() {
  static const Verifier one(Options{},
                            std::make_shared<const KeySet>(test_keys::kEveryAlgorithm, test_keys::one_of_each()));
  return one;
}

void verify(benchmark::State& state) {
  const Algorithm algorithm = kAlgorithms.at(static_cast<std::size_t>(state.range(0)));
  const std::string token = signed_compact(
      test_keys::signing_key(algorithm), R"({"typ":"JWT","alg":")" + std::string(to_string(algorithm)) + "\"}",
      R"({"sub":"alice","iss":"https://id.example/","aud":"carillon","scope":"signals orders alerts","iat":1795348800,)"
      R"("exp":1795352400,"jti":"0123456789abcdef0123456789abcdef"})");
  for (auto _ : state) benchmark::DoNotOptimize(verifier().verify(token, kNow));
  state.SetLabel(std::string(to_string(algorithm)));
}
BENCHMARK(verify)->DenseRange(0, static_cast<int>(kAlgorithms.size()) - 1);

// 8 KiB of dots, and as much without any: refused by shape alone.
void refuse_shape(benchmark::State& state) {
  const std::string token(8 * 1024, static_cast<char>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(verifier().verify(token, kNow));
}
BENCHMARK(refuse_shape)->Arg('.')->Arg('x');

}  // namespace

BENCHMARK_MAIN();
