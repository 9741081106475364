// A simulation of the whole core from a seed: CONTRIBUTING.md, tests.
#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulation/breakage.hpp"
#include "simulation/coverage.hpp"
#include "simulation/world.hpp"

namespace {

using carillon::simulation::Coverage;
using carillon::simulation::kSeenNames;
using carillon::simulation::Variant;
using carillon::simulation::variants;
using carillon::simulation::World;

constexpr std::uint64_t kSeedsPerVariant = 300;
constexpr std::uint64_t kFaultsMax = 5;

constexpr char kUsage[] =
    "carillon_simulation --seeds FROM COUNT             runs so many\n"
    "                    --seed N [--trace] [--break VARIANT]\n"
    "                    --variants                     each broken variant, until it is noticed\n"
    "                    --list                         the variants, each with a sentence\n";

const World* under_way = nullptr;
std::uint64_t seed_under_way = 0;

// A broken invariant of the core ends the process; the seed must not go with it.
void tell_seed(int) {
  std::fprintf(
      stderr,
      "FAILED seed %llu, step %zu: the process was stopped; repeat with: carillon_simulation --seed %llu --trace\n",
      static_cast<unsigned long long>(seed_under_way), under_way == nullptr ? 0 : under_way->step(),
      static_cast<unsigned long long>(seed_under_way));
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

std::optional<std::string> run_seed(std::uint64_t seed, World::Options options, Coverage& coverage) {
  World world(seed, options, coverage);
  seed_under_way = seed;
  under_way = &world;
  auto failure = world.run();
  under_way = nullptr;
  return failure;
}

void print_failure(std::uint64_t seed, const std::string& failure, std::string_view variant = {}) {
  std::printf("FAILED seed %llu, %s\n  repeat with: carillon_simulation --seed %llu --trace%s%.*s\n",
              static_cast<unsigned long long>(seed), failure.c_str(), static_cast<unsigned long long>(seed),
              variant.empty() ? "" : " --break ", static_cast<int>(variant.size()), variant.data());
}

int print_count(std::uint64_t passed, std::uint64_t failed) {
  std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(passed),
              static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}

int run_seeds(std::uint64_t from, std::uint64_t count) {
  constexpr std::uint64_t kSeedsThatSeeAll = 500;
  std::uint64_t passed = 0, failed = 0;
  Coverage coverage;
  for (std::uint64_t seed = from; seed - from < count && failed < kFaultsMax; ++seed) {
    const auto failure = run_seed(seed, {}, coverage);
    ++(failure ? failed : passed);
    if (failure) print_failure(seed, *failure);
  }
  for (std::size_t i = 0; i < kSeenNames.size(); ++i) {
    std::printf("%12llu %.*s\n", static_cast<unsigned long long>(coverage.counts().at(i)),
                static_cast<int>(kSeenNames.at(i).size()), kSeenNames.at(i).data());
    if (coverage.counts().at(i) > 0 || count < kSeedsThatSeeAll) continue;
    ++failed;
    std::puts("FAILED: this never happened, so that nothing is proved of it");
  }
  return print_count(passed, failed);
}

int run_variants() {
  std::uint64_t passed = 0, failed = 0;
  Coverage coverage;
  for (const Variant& variant : variants()) {
    std::uint64_t seed = 1;
    std::optional<std::string> noticed;
    while (seed <= kSeedsPerVariant && !(noticed = run_seed(seed, {.broken = variant.broken}, coverage))) ++seed;
    ++(noticed ? passed : failed);
    const std::string how = noticed ? "seed " + std::to_string(seed) + ", " + *noticed : "not noticed";
    std::printf("%s%.*s: %s\n", noticed ? "" : "FAILED ", static_cast<int>(variant.name.size()), variant.name.data(),
                how.substr(0, 200).c_str());
  }
  return print_count(passed, failed);
}

int run_one(std::uint64_t seed, const std::vector<std::string_view>& options) {
  World::Options chosen;
  std::string_view name;
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options[i] == "--trace") chosen.traces = true;
    if (options[i] == "--break" && i + 1 < options.size()) name = options[i + 1];
  }
  for (const Variant& variant : variants())
    if (variant.name == name) chosen.broken = variant.broken;
  Coverage coverage;
  const auto failure = run_seed(seed, chosen, coverage);
  if (failure) print_failure(seed, *failure, name);
  return print_count(failure ? 0 : 1, failure ? 1 : 0);
}

int list_variants() {
  for (const Variant& variant : variants())
    std::printf("%-30.*s %.*s\n", static_cast<int>(variant.name.size()), variant.name.data(),
                static_cast<int>(variant.what.size()), variant.what.data());
  return 0;
}

std::optional<std::uint64_t> number(const std::vector<std::string_view>& words, std::size_t at) {
  std::uint64_t value = 0;
  if (at >= words.size()) return std::nullopt;
  const char* const end = words[at].data() + words[at].size();
  const auto read = std::from_chars(words[at].data(), end, value);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGABRT, tell_seed);
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // a long run that is stopped keeps what it found
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  const auto first = number(words, 1), second = number(words, 2);
  const std::string_view command = words.empty() ? std::string_view{} : words[0];
  if (command == "--seeds" && first && second) return run_seeds(*first, *second);
  if (command == "--seed" && first) return run_one(*first, {words.begin() + 2, words.end()});
  if (command == "--variants") return run_variants();
  if (command == "--list") return list_variants();
  std::fputs(kUsage, stderr);
  return 2;
}
