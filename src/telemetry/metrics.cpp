#include "telemetry/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <span>
#include <variant>

#include "base/ensure.hpp"

namespace carillon::telemetry {
namespace {

using Cell = std::variant<const Counter*, const Gauge*, const Histogram*, std::function<double()>>;

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

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
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

void append_histogram(std::string& out, const std::string& name, const Labels& labels, const Series& cells) {
  std::uint64_t count = 0;
  double sum = 0;
  for (const Cell& cell : cells) sum += std::get<const Histogram*>(cell)->sum();
  Labels with_bound = labels;
  with_bound.emplace_back("le", "");
  for (std::size_t i = 0; i <= Histogram::kBounds.size(); ++i) {
    for (const Cell& cell : cells) count += std::get<const Histogram*>(cell)->bucket(i);
    with_bound.back().second = i < Histogram::kBounds.size() ? number_text(Histogram::kBounds.at(i)) : "+Inf";
    append_sample(out, name + "_bucket", with_bound, fmt::to_string(count));
  }
  append_sample(out, name + "_sum", labels, number_text(sum));
  append_sample(out, name + "_count", labels, fmt::to_string(count));
}

template <class Total, class CellType>
std::string total(const Series& cells) {
  Total sum = 0;
  for (const Cell& cell : cells) sum += std::get<const CellType*>(cell)->value();
  return fmt::to_string(sum);
}

std::string total_of_gauges(const Series& cells) {
  const bool is_computed = std::holds_alternative<std::function<double()>>(cells.front());
  if (!is_computed) return total<std::int64_t, Gauge>(cells);
  double sum = 0;
  for (const Cell& cell : cells) sum += std::get<std::function<double()>>(cell)();
  return number_text(sum);
}

void append_series(std::string& out, const std::string& name, const Labels& labels, const Series& cells) {
  if (std::holds_alternative<const Histogram*>(cells.front())) {
    append_histogram(out, name, labels, cells);
  } else if (std::holds_alternative<const Counter*>(cells.front())) {
    append_sample(out, name, labels, total<std::uint64_t, Counter>(cells));
  } else {
    append_sample(out, name, labels, total_of_gauges(cells));
  }
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
    cells.push_back(std::move(cell));
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

void Registry::computed(std::string_view name, std::string_view help, Labels labels, std::function<double()> read) {
  const std::lock_guard lock(state_->mutex);
  state_->add(name, help, "gauge", std::move(labels), std::move(read));
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
