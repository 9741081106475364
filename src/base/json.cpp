#include "base/json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <cstring>
#include <utility>

#include "base/number.hpp"

namespace carillon::json {

// Receives what the parser finds and lays it out as a pre-order list of nodes.
struct Builder {
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  using error_code = boost::json::error_code;
  using string_view = boost::json::string_view;

  static constexpr std::uint32_t kNone = static_cast<std::uint32_t>(-1);

  Document document;
  Limits limits;
  // The container we are inside of; until it ends, its `next` names the one around it.
  std::uint32_t open = kNone;
  std::uint32_t depth = 0;
  std::uint32_t part_begin = 0;
  std::uint32_t key_begin = 0, key_size = 0;
  bool number_open = false;
  const char* refusal = nullptr;

  std::uint32_t text_size() const { return static_cast<std::uint32_t>(document.text_.size()); }

  bool refuse(error_code& ec, const char* why) {
    refusal = why;
    ec = boost::json::make_error_code(boost::json::error::exception);
    return false;
  }

  bool add(Kind kind, std::uint32_t begin, std::uint32_t size, error_code& ec) {
    if (document.nodes_.size() >= limits.values_max) return refuse(ec, "too many values");
    if (open != kNone) {
      Document::Node& parent = document.nodes_[open];
      ++parent.children;
      if (parent.kind == Kind::object && parent.children > limits.members_max)
        return refuse(ec, "too many members in one object");
    }
    Document::Node node;
    node.kind = kind;
    node.key_begin = key_begin;
    node.key_size = key_size;
    node.text_begin = begin;
    node.text_size = size;
    node.next = static_cast<std::uint32_t>(document.nodes_.size()) + 1;
    key_size = 0;
    document.nodes_.push_back(node);
    return true;
  }

  bool add_word(Kind kind, std::string_view word, error_code& ec) {
    const std::uint32_t begin = text_size();
    document.text_.append(word);
    return add(kind, begin, static_cast<std::uint32_t>(word.size()), ec);
  }

  bool begin_container(Kind kind, error_code& ec) {
    if (depth >= limits.depth_max) return refuse(ec, "nested too deeply");
    if (!add(kind, 0, 0, ec)) return false;
    ++depth;
    document.nodes_.back().next = std::exchange(open, static_cast<std::uint32_t>(document.nodes_.size()) - 1);
    return true;
  }

  void end_container() {
    const auto end = static_cast<std::uint32_t>(document.nodes_.size());
    open = std::exchange(document.nodes_[open].next, end);
    --depth;
  }

  bool has_member(std::string_view key) const {
    for (std::uint32_t i = open + 1; i < document.nodes_.size(); i = document.nodes_[i].next)
      if (document.key_of(document.nodes_[i]) == key) return true;
    return false;
  }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& ec) { return begin_container(Kind::object, ec); }
  bool on_object_end(std::size_t, error_code&) { return end_container(), true; }
  bool on_array_begin(error_code& ec) { return begin_container(Kind::array, ec); }
  bool on_array_end(std::size_t, error_code&) { return end_container(), true; }

  // Parts come before the whole; each callback gets only what is new.
  bool start_part(string_view part, std::size_t total) {
    if (part.size() == total) part_begin = text_size();
    document.text_.append(part.data(), part.size());
    return true;
  }

  bool on_key_part(string_view part, std::size_t total, error_code&) { return start_part(part, total); }
  bool on_key(string_view part, std::size_t total, error_code& ec) {
    start_part(part, total);
    key_begin = part_begin;
    key_size = text_size() - part_begin;
    const auto key = std::string_view(document.text_).substr(key_begin, key_size);
    return has_member(key) ? refuse(ec, "duplicate member name") : true;
  }
  bool on_string_part(string_view part, std::size_t total, error_code&) { return start_part(part, total); }
  bool on_string(string_view part, std::size_t total, error_code& ec) {
    start_part(part, total);
    return add(Kind::string, part_begin, text_size() - part_begin, ec);
  }

  bool on_number_part(string_view part, error_code&) {
    if (!number_open) part_begin = text_size();
    number_open = true;
    document.text_.append(part.data(), part.size());
    return true;
  }
  bool finish_number(string_view part, error_code& ec) {
    on_number_part(part, ec);
    number_open = false;
    return add(Kind::number, part_begin, text_size() - part_begin, ec);
  }
  bool on_int64(std::int64_t, string_view part, error_code& ec) { return finish_number(part, ec); }
  bool on_uint64(std::uint64_t, string_view part, error_code& ec) { return finish_number(part, ec); }
  bool on_double(double, string_view part, error_code& ec) { return finish_number(part, ec); }

  bool on_bool(bool value, error_code& ec) { return add_word(Kind::boolean, value ? "true" : "false", ec); }
  bool on_null(error_code& ec) { return add_word(Kind::null, "null", ec); }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }
};

Result<Document> Document::parse(std::string_view text, const Limits& limits) {
  // Offsets are 32 bits wide; the wire's own limits are far below.
  if (text.size() > (1U << 30)) return fail(ErrorKind::invalid, "JSON text too large");
  boost::json::parse_options options;
  options.max_depth = limits.depth_max + 1;  // ours is checked first and has the better message
  boost::json::basic_parser<Builder> parser(options);
  Builder& builder = parser.handler();
  builder.limits = limits;
  builder.document.text_.reserve(text.size());
  builder.document.nodes_.reserve(32);
  boost::json::error_code ec;
  const std::size_t consumed = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && consumed < text.size()) ec = boost::json::make_error_code(boost::json::error::extra_data);
  if (ec) {
    std::string why = builder.refusal != nullptr ? builder.refusal : ec.message();
    return fail(ErrorKind::invalid, "not valid JSON at byte " + std::to_string(consumed) + ": " + why);
  }
  return std::move(builder.document);
}

Kind Value::kind() const {
  return document_->nodes_[index_].kind;
}

std::string_view Value::text() const {
  const auto& node = document_->nodes_[index_];
  return {document_->text_.data() + node.text_begin, node.text_size};
}

std::string_view Value::key() const {
  return document_->key_of(document_->nodes_[index_]);
}

std::size_t Value::values() const {
  return document_->nodes_[index_].next - index_;
}

std::size_t Value::size() const {
  return document_->nodes_[index_].children;
}

Value::Iterator Value::begin() const {
  const auto& node = document_->nodes_[index_];
  return {document_, node.children > 0 ? index_ + 1 : node.next};
}

Value::Iterator Value::end() const {
  return {document_, document_->nodes_[index_].next};
}

std::optional<Value> Value::find(std::string_view key) const {
  if (!is(Kind::object)) return std::nullopt;
  const auto& nodes = document_->nodes_;
  for (std::uint32_t i = index_ + 1; i < nodes[index_].next; i = nodes[i].next)
    if (document_->key_of(nodes[i]) == key) return Value(document_, i);
  return std::nullopt;
}

std::optional<std::string_view> Value::find_string(std::string_view key) const {
  const auto member = find(key);
  if (!member || !member->is(Kind::string)) return std::nullopt;
  return member->text();
}

std::optional<std::uint64_t> Value::find_count(std::string_view key) const {
  const auto member = find(key);
  if (!member || !member->is(Kind::number)) return std::nullopt;
  return parse_number<std::uint64_t>(member->text());
}

bool Value::has_true(std::string_view key) const {
  const auto member = find(key);
  return member && member->is(Kind::boolean) && member->text() == "true";
}

// Recursion is bounded by Limits::depth_max.
void Value::append_to(std::string& out) const {  // NOLINT(misc-no-recursion)
  const Kind kind = this->kind();
  if (kind == Kind::string) return append_string(out, text());
  if (kind != Kind::object && kind != Kind::array) {
    out.append(text());
    return;
  }
  out.push_back(kind == Kind::object ? '{' : '[');
  bool first = true;
  for (const Value child : *this) {
    if (!first) out.push_back(',');
    first = false;
    if (kind == Kind::object) {
      append_string(out, child.key());
      out.push_back(':');
    }
    child.append_to(out);
  }
  out.push_back(kind == Kind::object ? '}' : ']');
}

namespace {

bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

// The bytes at the front that stand for themselves inside a JSON string.
std::size_t plain_prefix(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHighs = 0x8080808080808080U;
  // The high bit of the lowest byte that is less than `n` (at most 128) is set, if there is one.
  const auto less = [](std::uint64_t word, std::uint64_t n) { return (word - kOnes * n) & ~word & kHighs; };
  std::size_t size = 0;
  for (; size + 8 <= text.size(); size += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + size, 8);
    if ((less(word, 0x20) | less(word ^ kOnes * '"', 1) | less(word ^ kOnes * '\\', 1)) != 0) break;
  }
  while (size < text.size() && !needs_escape(text[size])) ++size;
  return size;
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\b':
      out.append("\\b");
      return;
    case '\f':
      out.append("\\f");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      break;
  }
  static constexpr char kHex[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out.append("\\u00");
  out.push_back(kHex[byte >> 4]);
  out.push_back(kHex[byte & 15]);
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out.push_back('"');
  while (true) {
    const std::size_t plain = plain_prefix(text);
    out.append(text.substr(0, plain));
    if (plain == text.size()) break;
    append_escape(out, text[plain]);
    text.remove_prefix(plain + 1);
  }
  out.push_back('"');
}

}  // namespace carillon::json
