#include "telemetry/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <span>
#include <variant>

#include "base/ensure.hpp"

namespace carillon::telemetry {
namespace {

using Cell = std::variant<const Counter*, const Gauge*, const Histogram*>;

// The cells that share name and labels; their sum is what a scrape shows.
using Series = std::vector<Cell>;

struct Family {
  std::string help;
  std::string_view type;
  std::map<Labels, Series> series;
};

void append_escaped(std::string& out, std::string_view text, std::string_view escaped) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (escaped.contains(c)) out += '\\';
      out += c;
    }
  }
}

void append_labels(std::string& out, std::span<const std::pair<std::string, std::string>> labels) {
  char before = '{';
  for (const auto& [name, value] : labels) {
    out += before;
    out += name;
    out += "=\"";
    append_escaped(out, value, "\\\"");
    out += '"';
    before = ',';
  }
  if (before == ',') out += '}';
}

void append_sample(std::string& out, std::string_view name, const Labels& labels, std::string_view value) {
  out += name;
  append_labels(out, labels);
  out += ' ';
  out += value;
  out += '\n';
}

std::int64_t value_of(const Cell& cell) {
  if (const auto* counter = std::get_if<const Counter*>(&cell)) return static_cast<std::int64_t>((*counter)->value());
  if (const auto* gauge = std::get_if<const Gauge*>(&cell)) return (*gauge)->value();
  return 0;
}

Registry::Sample sum_of(const Labels& labels, const Series& cells) {
  Registry::Sample sum{.labels = labels, .value = 0, .buckets = {}};
  if (std::holds_alternative<const Histogram*>(cells.front())) sum.buckets.resize(Histogram::kBounds.size() + 1);
  for (const Cell& cell : cells) sum.value += value_of(cell);
  for (std::size_t i = 0; i < sum.buckets.size(); ++i) {
    for (const Cell& cell : cells) sum.buckets[i] += std::get<const Histogram*>(cell)->bucket(i);
    sum.value += static_cast<std::int64_t>(sum.buckets[i]);
  }
  return sum;
}

void append_histogram(std::string& out, const std::string& name, const Registry::Sample& sample, double seconds) {
  std::uint64_t up_to = 0;
  Labels with_bound = sample.labels;
  with_bound.emplace_back("le", "");
  for (std::size_t i = 0; i < sample.buckets.size(); ++i) {
    up_to += sample.buckets[i];
    with_bound.back().second = i < Histogram::kBounds.size() ? fmt::to_string(Histogram::kBounds.at(i)) : "+Inf";
    append_sample(out, name + "_bucket", with_bound, fmt::to_string(up_to));
  }
  append_sample(out, name + "_sum", sample.labels, fmt::to_string(seconds));
  append_sample(out, name + "_count", sample.labels, fmt::to_string(sample.value));
}

void append_series(std::string& out, const std::string& name, const Labels& labels, const Series& cells) {
  const Registry::Sample sample = sum_of(labels, cells);
  if (sample.buckets.empty()) return append_sample(out, name, labels, fmt::to_string(sample.value));
  double seconds = 0;
  for (const Cell& cell : cells) seconds += std::get<const Histogram*>(cell)->sum();
  append_histogram(out, name, sample, seconds);
}

}  // namespace

void Histogram::observe(double seconds) {
  const auto bound = std::ranges::lower_bound(kBounds, seconds);
  buckets_.at(static_cast<std::size_t>(bound - kBounds.begin())).add();
  sum_.store(sum_.load(std::memory_order_relaxed) + seconds, std::memory_order_relaxed);
}

struct Registry::State {
  mutable std::mutex mutex;
  std::map<std::string, Family, std::less<>> families;
  // Deques, because a cell must never move.
  std::deque<Counter> counters;
  std::deque<Gauge> gauges;
  std::deque<Histogram> histograms;

  void add(std::string_view name, std::string_view help, std::string_view type, Labels labels, Cell cell) {
    std::ranges::sort(labels);
    Family& family = families.try_emplace(std::string(name), Family{std::string(help), type, {}}).first->second;
    ensure(family.type == type, "a metric name is registered with one type only");
    Series& cells = family.series[std::move(labels)];
    ensure(cells.empty() || cells.front().index() == cell.index(), "a series has cells of one kind only");
    cells.push_back(cell);
  }
};

Registry::Registry() : state_(std::make_unique<State>()) {}
Registry::~Registry() = default;

Counter& Registry::counter(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock(state_->mutex);
  Counter& cell = state_->counters.emplace_back();
  state_->add(name, help, "counter", std::move(labels), &cell);
  return cell;
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock(state_->mutex);
  Gauge& cell = state_->gauges.emplace_back();
  state_->add(name, help, "gauge", std::move(labels), &cell);
  return cell;
}

Histogram& Registry::histogram(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock(state_->mutex);
  Histogram& cell = state_->histograms.emplace_back();
  state_->add(name, help, "histogram", std::move(labels), &cell);
  return cell;
}

std::vector<Registry::Sample> Registry::samples(std::string_view name) const {
  const std::lock_guard lock(state_->mutex);
  std::vector<Sample> samples;
  const auto family = state_->families.find(name);
  if (family == state_->families.end()) return samples;
  for (const auto& [labels, cells] : family->second.series) samples.push_back(sum_of(labels, cells));
  return samples;
}

std::string Registry::text() const {
  const std::lock_guard lock(state_->mutex);
  std::string out;
  for (const auto& [name, family] : state_->families) {
    out += "# HELP " + name + ' ';
    append_escaped(out, family.help, "\\");
    fmt::format_to(std::back_inserter(out), "\n# TYPE {} {}\n", name, family.type);
    for (const auto& [labels, cells] : family.series) append_series(out, name, labels, cells);
  }
  return out;
}

}  // namespace carillon::telemetry
