#include "config/nearest_name.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace carillon::config {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0U);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  constexpr std::size_t kNameBytesMax = 100;
  if (name.size() > kNameBytesMax || known.empty()) return {};
  const auto distance = [&](const std::string& other) { return edit_distance(name, other); };
  const std::string& nearest = *std::ranges::min_element(known, {}, distance);
  return distance(nearest) <= 2 + name.size() / 5 ? nearest : std::string();
}

}  // namespace carillon::config
