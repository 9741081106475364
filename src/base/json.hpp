#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

// JSON as RFC 8259 has it, read strictly: UTF-8 checked, no comments, no duplicate keys, bounded depth, and numbers
// kept as the text they came in, so that 0.10 stays 0.10. An exponent that does not fit 32 bits is refused.
namespace carillon::json {

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

struct Limits {
  std::uint32_t depth_max = 32;
  std::uint32_t members_max = 64;    // of one object
  std::uint32_t values_max = 65536;  // in one document, keys not counted
};

class Document;

// A value inside a Document, as cheap to copy as a pointer. Valid while its Document lives and is not moved.
class Value {
 public:
  [[nodiscard]] Kind kind() const;
  [[nodiscard]] bool is(Kind kind) const { return this->kind() == kind; }

  // The decoded text of a string, the literal text of a number, "true"/"false"/"null". Empty for array and object.
  [[nodiscard]] std::string_view text() const;
  // The member's name where this value is a member of an object; else empty.
  [[nodiscard]] std::string_view key() const;
  // Members or elements; 0 for scalars.
  [[nodiscard]] std::size_t size() const;
  // This value and all inside it, as Limits::values_max counts them.
  [[nodiscard]] std::size_t values() const;

  // The member of that name; nothing when this is no object or has none.
  [[nodiscard]] std::optional<Value> find(std::string_view key) const;
  // The text of the string member of that name; nothing when absent or of another kind.
  [[nodiscard]] std::optional<std::string_view> find_string(std::string_view key) const;
  // The number member of that name, where it is written as digits alone and fits.
  [[nodiscard]] std::optional<std::uint64_t> find_count(std::string_view key) const;
  // Whether the member of that name is there and `true`.
  [[nodiscard]] bool has_true(std::string_view key) const;

  // Children in document order.
  class Iterator;
  [[nodiscard]] Iterator begin() const;
  [[nodiscard]] Iterator end() const;

  // Appends this value as compact JSON: no white space, numbers as they came, strings with the fewest escapes.
  void append_to(std::string& out) const;

 private:
  friend class Document;
  Value(const Document* document, std::uint32_t index) : document_(document), index_(index) {}
  const Document* document_;
  std::uint32_t index_;
};

class Document {
 public:
  // Reads one JSON text. The message of a refusal says what and at which byte offset.
  // `text` must outlive nothing: the document keeps its own copies.
  [[nodiscard]] static Result<Document> parse(std::string_view text, const Limits& limits = {});
  [[nodiscard]] Value root() const { return Value(this, 0); }

 private:
  friend class Value;
  friend class Value::Iterator;
  friend struct Builder;
  struct Node {
    Kind kind = Kind::null;
    std::uint32_t key_begin = 0, key_size = 0;    // in text_
    std::uint32_t text_begin = 0, text_size = 0;  // in text_
    std::uint32_t children = 0;
    std::uint32_t next = 0;  // index just after this value's last descendant
  };
  [[nodiscard]] std::string_view key_of(const Node& node) const {
    return {text_.data() + node.key_begin, node.key_size};
  }

  std::vector<Node> nodes_;
  std::string text_;
};

class Value::Iterator {
 public:
  Value operator*() const { return Value(document_, index_); }
  Iterator& operator++() {
    index_ = document_->nodes_[index_].next;
    return *this;
  }
  bool operator==(const Iterator&) const = default;

 private:
  friend class Value;
  Iterator(const Document* document, std::uint32_t index) : document_(document), index_(index) {}
  const Document* document_;
  std::uint32_t index_;
};

// Appends `text` as a JSON string with its quotes. `text` is valid UTF-8.
void append_string(std::string& out, std::string_view text);

}  // namespace carillon::json
