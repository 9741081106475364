#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace carillon {

// A decimal number kept as the text it came in (protocol 5.1): a JSON number of at most 40 characters whose exponent,
// if any, is from -30 to 30. Compared by value, exactly, and never through a binary float: 0.10 == 0.1 == 1e-1.
class Decimal {
 public:
  // Nothing when `text` is not such a number.
  [[nodiscard]] static std::optional<Decimal> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool is_negative() const;  // below zero; -0.0 is not
  [[nodiscard]] bool is_zero() const;

  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
  friend bool operator==(const Decimal& a, const Decimal& b) { return (a <=> b) == std::strong_ordering::equal; }

 private:
  std::string text_;
};

}  // namespace carillon
