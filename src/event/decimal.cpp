#include "event/decimal.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace carillon {

namespace {

constexpr std::size_t kSizeMax = 40;
constexpr int kExponentMax = 30;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view take_digits(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_digit(text[size])) ++size;
  const std::string_view digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// The grammar of RFC 8259 6, taken apart.
struct Parts {
  bool minus = false;
  std::string_view whole;
  std::string_view fraction;
  int exponent = 0;
};

// The text after the `e`. Nothing when it is no exponent or out of bounds.
std::optional<int> read_exponent(std::string_view& text) {
  const bool minus = take(text, '-');
  if (!minus) take(text, '+');
  const std::string_view digits = take_digits(text);
  if (digits.empty()) return std::nullopt;
  int value = 0;
  for (const char c : digits) {
    value = value * 10 + (c - '0');
    if (value > kExponentMax) return std::nullopt;
  }
  return minus ? -value : value;
}

std::optional<Parts> take_apart(std::string_view text) {
  if (text.size() > kSizeMax) return std::nullopt;
  Parts parts;
  parts.minus = take(text, '-');
  parts.whole = take_digits(text);
  if (parts.whole.empty() || (parts.whole.size() > 1 && parts.whole.front() == '0')) return std::nullopt;
  if (take(text, '.')) {
    parts.fraction = take_digits(text);
    if (parts.fraction.empty()) return std::nullopt;
  }
  if (take(text, 'e') || take(text, 'E')) {
    const auto exponent = read_exponent(text);
    if (!exponent) return std::nullopt;
    parts.exponent = *exponent;
  }
  if (!text.empty()) return std::nullopt;
  return parts;
}

// The one way to write a value: 0.d1d2...dn * 10^point with d1 and dn not zero; zero has no digits. So equal values
// are equal in every member, and of two positive ones the greater has the greater point or else the greater digits.
struct Normal {
  int sign = 0;  // -1, 0, 1
  int point = 0;
  std::array<char, kSizeMax> digits{};
  std::size_t size = 0;

  std::string_view text() const { return {digits.data(), size}; }
};

Normal normalise(std::string_view text) {
  Normal normal;
  const auto parts = take_apart(text);
  if (!parts) return normal;  // only a Decimal that was never parsed: zero
  const auto append = [&normal](char c) { normal.digits.at(normal.size++) = c; };
  normal.point = parts->exponent;
  for (const char c : parts->whole) {
    if (normal.size == 0 && c == '0') continue;
    append(c);
    ++normal.point;
  }
  for (const char c : parts->fraction) {
    if (normal.size == 0 && c == '0') {
      --normal.point;
      continue;
    }
    append(c);
  }
  while (normal.size > 0 && normal.digits.at(normal.size - 1) == '0') --normal.size;
  if (normal.size > 0) normal.sign = parts->minus ? -1 : 1;
  return normal;
}

// Of two values with the same sign, the farther from zero is the greater.
std::strong_ordering compare_magnitude(const Normal& a, const Normal& b) {
  if (a.point != b.point) return a.point <=> b.point;
  return a.text() <=> b.text();
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
  if (!take_apart(text)) return std::nullopt;
  Decimal decimal;
  decimal.text_ = text;
  return decimal;
}

bool Decimal::is_negative() const {
  return text_.starts_with('-') && !is_zero();
}

bool Decimal::is_zero() const {
  const std::string_view mantissa = std::string_view(text_).substr(0, text_.find_first_of("eE"));
  return std::none_of(mantissa.begin(), mantissa.end(), [](char c) { return c >= '1' && c <= '9'; });
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  const Normal left = normalise(a.text_);
  const Normal right = normalise(b.text_);
  if (left.sign != right.sign) return left.sign <=> right.sign;
  if (left.sign == 0) return std::strong_ordering::equal;
  return left.sign > 0 ? compare_magnitude(left, right) : compare_magnitude(right, left);
}

}  // namespace carillon
