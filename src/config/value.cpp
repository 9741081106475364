#include "config/value.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <concepts>
#include <utility>

#include "base/number.hpp"
#include "config/origin.hpp"
#include "config/unit.hpp"

namespace carillon::config {
namespace {

constexpr std::size_t kTextBytesMax = 4096;
constexpr std::size_t kListItemsMax = 256;
constexpr std::size_t kShownBytesMax = 80;

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};

template <class T>
concept ListShape =
    std::same_as<T, Words> || std::same_as<T, Origins> || std::same_as<T, Networks> || std::same_as<T, Files>;

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    items.emplace_back(item);
  }
  return items;
}

bool is_plain_text(std::string_view text) {
  return text.size() <= kTextBytesMax &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::optional<std::size_t> index_of(std::string_view word, const std::vector<std::string_view>& words) {
  const auto found = std::ranges::find(words, word);
  if (found == words.end()) return std::nullopt;
  return static_cast<std::size_t>(found - words.begin());
}

std::filesystem::path from_folder(const std::filesystem::path& folder, std::string_view file) {
  if (file.empty()) return {};
  return (folder / file).lexically_normal();
}

std::string in_quotes(std::string_view text) {
  const bool is_cut = text.size() > kShownBytesMax;
  return fmt::format("\"{}{}\"", text.substr(0, kShownBytesMax), is_cut ? "..." : "");
}

std::string shown(const Value& value) {
  return std::visit(Overloaded{
                        [](std::monostate) -> std::string { return "of this type"; },
                        [](bool is_on) -> std::string { return is_on ? "true" : "false"; },
                        [](std::int64_t number) { return fmt::to_string(number); },
                        [](const std::string& text) { return in_quotes(text); },
                        [](const std::vector<std::string>& list) {
                          return list.empty()
                                     ? std::string("[]")
                                     : fmt::format("[{}{}]", in_quotes(list.front()), list.size() > 1 ? ", ..." : "");
                        },
                    },
                    value);
}

// Each take() puts the value into the config and returns whether the shape takes it; the item at fault, where there is
// one, goes into `culprit`.
struct Storing {
  const Value& value;
  const std::filesystem::path& folder;
  Config& config;
  Value culprit = value;

  const std::string* text() const {
    const auto* found = std::get_if<std::string>(&value);
    return found != nullptr && is_plain_text(*found) ? found : nullptr;
  }
  const std::vector<std::string>* list() const {
    const auto* found = std::get_if<std::vector<std::string>>(&value);
    return found != nullptr && found->size() <= kListItemsMax ? found : nullptr;
  }

  bool take(const Switch& shape) const {
    const auto* is_on = std::get_if<bool>(&value);
    if (is_on == nullptr) return false;
    shape.of(config) = *is_on;
    return true;
  }

  bool take(const Count& shape) const {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr || *number < shape.least || *number > shape.most) return false;
    shape.of(config) = static_cast<std::uint32_t>(*number);
    return true;
  }

  template <class T, class S>
  bool take_in_range(const S& shape, std::optional<T> (*parse)(std::string_view)) const {
    const auto parsed = text() != nullptr ? parse(*text()) : std::nullopt;
    if (!parsed || *parsed < shape.least || *parsed > shape.most) return false;
    shape.of(config) = *parsed;
    return true;
  }
  bool take(const Size& shape) const { return take_in_range(shape, &parse_size); }
  bool take(const Duration& shape) const { return take_in_range(shape, &parse_duration); }

  bool take(const Listen& shape) const {
    if (text() == nullptr) return false;
    const auto endpoint = net::Endpoint::parse(*text());
    if (!endpoint) return false;
    shape.of(config) = *endpoint;
    return true;
  }

  bool take(const Text& shape) const {
    if (text() == nullptr || text()->size() < shape.least) return false;
    shape.of(config) = *text();
    return true;
  }

  bool take(const Word& shape) const {
    const auto index = text() != nullptr ? index_of(*text(), shape.words) : std::nullopt;
    if (!index) return false;
    shape.set(config, *index);
    return true;
  }

  bool take(const Words& shape) {
    if (list() == nullptr || list()->size() < shape.least) return false;
    std::vector<std::size_t> indices;
    for (const std::string& word : *list()) {
      const auto index = index_of(word, shape.words);
      if (!index) return blame(word);
      indices.push_back(*index);
    }
    shape.set(config, indices);
    return true;
  }

  bool take(const Origins& shape) {
    if (list() == nullptr) return false;
    for (const std::string& origin : *list())
      if (!is_origin(origin)) return blame(origin);
    shape.of(config) = *list();
    return true;
  }

  bool take(const Networks& shape) {
    if (list() == nullptr) return false;
    std::vector<net::Network> networks;
    for (const std::string& text : *list()) {
      const auto network = net::Network::parse(text);
      if (!network) return blame(text);
      networks.push_back(*network);
    }
    shape.of(config) = std::move(networks);
    return true;
  }

  bool take(const File& shape) const {
    const bool may_be_empty = shape.use == FileUse::optional || shape.use == FileUse::pages;
    if (text() == nullptr || (text()->empty() && !may_be_empty)) return false;
    shape.of(config) = from_folder(folder, *text());
    return true;
  }

  bool take(const Files& shape) {
    if (list() == nullptr) return false;
    std::vector<std::filesystem::path> files;
    for (const std::string& file : *list()) {
      if (file.empty() || !is_plain_text(file)) return blame(file);
      files.push_back(from_folder(folder, file));
    }
    shape.of(config) = std::move(files);
    return true;
  }

  bool blame(const std::string& item) {
    culprit = item;
    return false;
  }
};

}  // namespace

Value value_from_text(const Shape& shape, std::string_view text) {
  if (std::holds_alternative<Switch>(shape) && (text == "true" || text == "false")) return text == "true";
  if (std::holds_alternative<Count>(shape)) {
    if (const auto number = parse_number<std::int64_t>(text)) return *number;
  }
  const bool is_list = std::visit([]<class S>(const S&) { return ListShape<S>; }, shape);
  if (is_list) return split_at_commas(text);
  return std::string(text);
}

std::optional<std::string> store(const Row& row, const Value& value, const std::filesystem::path& folder,
                                 Config& config) {
  Storing storing{.value = value, .folder = folder, .config = config};
  if (!std::visit([&](const auto& shape) { return storing.take(shape); }, row.shape))
    return fmt::format("cannot be {}; allowed: {}", shown(storing.culprit), allowed(row));
  if (!row.only_default_because.empty() && value != value_from_text(row.shape, row.default_value)) {
    return fmt::format("cannot be {} yet: {}; allowed: {}", shown(value), row.only_default_because,
                       default_as_toml(row));
  }
  return std::nullopt;
}

std::string allowed(const Row& row) {
  const auto words = [](const std::vector<std::string_view>& all) {
    return fmt::format("\"{}\"", fmt::join(all, "\", \""));
  };
  const auto range = [&](std::string_view what, const std::string& least, const std::string& most) {
    return fmt::format("{} from {} to {}, such as \"{}\"", what, least, most, row.default_value);
  };
  return std::visit(
      Overloaded{
          [](const Switch&) -> std::string { return "true or false"; },
          [](const Count& s) { return fmt::format("a whole number from {} to {}", s.least, s.most); },
          [&](const Size& s) { return range("a size", format_size(s.least), format_size(s.most)); },
          [&](const Duration& s) { return range("a duration", format_duration(s.least), format_duration(s.most)); },
          [](const Listen&) -> std::string {
            return R"(an IP address and port such as "127.0.0.1:8443" or "[::]:8443")";
          },
          [](const Text& s) -> std::string { return s.least > 0 ? "text, not empty" : "text"; },
          [&](const Word& s) { return words(s.words); },
          [&](const Words& s) { return (s.least > 0 ? "a list, not empty, of " : "a list of ") + words(s.words); },
          [](const Origins&) -> std::string { return R"(a list of origins such as "https://trade.example.com")"; },
          [](const Networks&) -> std::string { return R"(a list of addresses and networks such as "10.0.0.0/8")"; },
          [](const File& s) -> std::string {
            if (s.use == FileUse::pages) return "a folder, or empty";
            return s.use == FileUse::optional ? "a file, or empty" : "a file";
          },
          [](const Files&) -> std::string { return "a list of files"; },
      },
      row.shape);
}

std::string default_as_toml(const Row& row) {
  const Value value = value_from_text(row.shape, row.default_value);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value))
    return list->empty() ? "[]" : fmt::format("[\"{}\"]", fmt::join(*list, "\", \""));
  return shown(value);
}

}  // namespace carillon::config
