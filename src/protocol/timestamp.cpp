#include "protocol/timestamp.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

namespace carillon::protocol {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr WallTime kFirst = sys_days{std::chrono::year{0} / 1 / 1};
constexpr WallTime kLast = sys_days{std::chrono::year{10000} / 1 / 1} - milliseconds{1};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

void put(char* at, std::size_t width, unsigned value) {
  for (std::size_t i = width; i-- > 0; value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

// Reads a text from its front. After the first thing that is not as expected, `ok` is false and stays so.
struct Reader {
  std::string_view text;
  bool ok = true;

  unsigned number(std::size_t width, unsigned high) {
    unsigned value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      if (i >= text.size() || !is_digit(text[i])) return ok = false, 0;
      value = value * 10 + static_cast<unsigned>(text[i] - '0');
    }
    text.remove_prefix(width);
    ok = ok && value <= high;
    return value;
  }
  bool take(char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
  }
  void expect(char c) { ok = take(c) && ok; }
};

milliseconds read_fraction(Reader& in) {
  milliseconds value{0};
  milliseconds unit{100};
  std::size_t size = 0;
  for (; size < in.text.size() && is_digit(in.text[size]); ++size, unit /= 10) value += unit * (in.text[size] - '0');
  in.text.remove_prefix(size);
  in.ok = in.ok && size > 0;
  return value;
}

// What must be subtracted from the local time to have UTC.
minutes read_offset(Reader& in) {
  if (in.take('Z') || in.take('z')) return minutes{0};
  const bool west = in.take('-');
  if (!west) in.expect('+');
  const hours h{in.number(2, 23)};
  in.expect(':');
  const minutes offset = h + minutes{in.number(2, 59)};
  return west ? -offset : offset;
}

// Whether a leap second may stand just before this moment: they end a month, in UTC.
bool may_follow_leap_second(WallTime time) {
  const auto day = std::chrono::floor<days>(time);
  return std::chrono::floor<seconds>(time) == day && year_month_day{day}.day() == std::chrono::day{1};
}

}  // namespace

void append_timestamp(std::string& out, WallTime time) {
  time = std::clamp(time, kFirst, kLast);
  const auto day = std::chrono::floor<days>(time);
  const year_month_day date{day};
  const auto in_day = static_cast<unsigned>((time - day).count());
  std::array<char, 24> text{'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0',
                            '0', ':', '0', '0', ':', '0', '0', '.', '0', '0', '0', 'Z'};
  char* const at = text.data();
  put(at, 4, static_cast<unsigned>(static_cast<int>(date.year())));
  put(at + 5, 2, static_cast<unsigned>(date.month()));
  put(at + 8, 2, static_cast<unsigned>(date.day()));
  put(at + 11, 2, in_day / 3'600'000);
  put(at + 14, 2, in_day / 60'000 % 60);
  put(at + 17, 2, in_day / 1000 % 60);
  put(at + 20, 3, in_day % 1000);
  out.append(text.data(), text.size());
}

std::string format_timestamp(WallTime time) {
  std::string out;
  append_timestamp(out, time);
  return out;
}

std::optional<WallTime> parse_timestamp(std::string_view text) {
  Reader in{text};
  const std::chrono::year year{static_cast<int>(in.number(4, 9999))};
  in.expect('-');
  const std::chrono::month month{in.number(2, 12)};
  in.expect('-');
  const std::chrono::day day{in.number(2, 31)};
  if (!in.take('T')) in.expect('t');
  const hours hour{in.number(2, 23)};
  in.expect(':');
  const minutes minute{in.number(2, 59)};
  in.expect(':');
  const seconds second{in.number(2, 60)};
  const milliseconds fraction = in.take('.') ? read_fraction(in) : milliseconds{0};
  const minutes offset = read_offset(in);
  const year_month_day date{year, month, day};
  if (!in.ok || !in.text.empty() || !date.ok()) return std::nullopt;
  const WallTime time = sys_days{date} + hour + minute + second + fraction - offset;
  if (second == seconds{60} && !may_follow_leap_second(time)) return std::nullopt;
  if (time < kFirst || time > kLast) return std::nullopt;
  return time;
}

}  // namespace carillon::protocol
