// Whether the time to refuse an HS256 token tells how much of its MAC is right: a MAC wrong in its first byte against
// one wrong in its last, a million checks in random order, compared by Welch's t-test. Prints t; fails beyond +-4.5.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "auth/signing_for_tests.hpp"

namespace {

using namespace carillon::auth;

constexpr std::size_t kSamples = 1'000'000;
constexpr double kTMax = 4.5;

struct Sample {
  bool is_wrong_at_end;
  double nanoseconds;
};

std::vector<Sample> measure(const Key& key, std::string_view message, const std::array<std::string, 2>& signatures) {
  std::vector<Sample> samples;
  samples.reserve(kSamples);
  std::string signature = signatures[0];  // one place in memory for both kinds
  std::uint64_t random = 88'172'645'463'325'252;
  std::size_t accepted = 0;
  while (samples.size() < kSamples) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    const bool is_wrong_at_end = (random >> 32 & 1) != 0;
    signature.assign(signatures.at(is_wrong_at_end ? 1 : 0));
    // One check unmeasured: by then the processor is done with choosing and copying, which is not what is measured.
    accepted += key.accepts(Algorithm::hs256, message, signature) ? 1 : 0;
    const auto begin = std::chrono::steady_clock::now();
    accepted += key.accepts(Algorithm::hs256, message, signature) ? 1 : 0;
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    samples.push_back({is_wrong_at_end, took.count()});
  }
  if (accepted != 0) std::fputs("a wrong MAC was accepted\n", stderr), std::abort();
  return samples;
}

struct Moments {
  double count = 0, mean = 0, squares = 0;

  void add(double value) {
    count += 1;
    const double distance = value - mean;
    mean += distance / count;
    squares += distance * (value - mean);
  }
  double variance_of_mean() const { return squares / (count - 1) / count; }
};

// Interruptions make a long tail that hides what is looked for: only the faster 95 % of all samples count.
double fastest(std::vector<Sample> samples) {
  const auto cut = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 100 * 95);
  std::ranges::nth_element(samples, cut, {}, &Sample::nanoseconds);
  return cut->nanoseconds;
}

}  // namespace

int main() {
  const std::string message(300, 'm');
  const Key key = test_keys::secret_key(test_keys::kSecret);
  const std::string good = test_keys::signing_key(Algorithm::hs256, test_keys::kSecret).sign(message);
  std::array<std::string, 2> wrong = {good, good};
  wrong[0].front() = static_cast<char>(wrong[0].front() ^ 1);
  wrong[1].back() = static_cast<char>(wrong[1].back() ^ 1);

  measure(key, message, wrong);  // warms up
  const std::vector<Sample> samples = measure(key, message, wrong);
  const double limit = fastest(samples);
  std::array<Moments, 2> moments;
  for (const Sample& sample : samples)
    if (sample.nanoseconds <= limit) moments.at(sample.is_wrong_at_end ? 1 : 0).add(sample.nanoseconds);
  const double t =
      (moments[0].mean - moments[1].mean) / std::sqrt(moments[0].variance_of_mean() + moments[1].variance_of_mean());
  std::printf("wrong in byte 0: %.1f ns, in byte 31: %.1f ns, %zu samples, t = %.2f\n", moments[0].mean,
              moments[1].mean, samples.size(), t);
  return std::abs(t) <= kTMax ? 0 : 1;
}
