#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace carillon::bench {

// Cuts what a NATS server sends into its messages and lines, from pieces of any size (docs.nats.io, client protocol).
class NatsStream {
 public:
  enum class Kind { message, line, broken };
  struct Item {
    Kind kind;
    std::string_view text;  // message: the payload. line: without its end
  };

  // Continues with what an earlier piece left in `rest`.
  NatsStream(std::string& rest, std::string_view piece)
      : rest_(rest), is_in_rest_(!rest.empty()), left_(is_in_rest_ ? rest.append(piece) : piece) {}
  // Leaves in `rest` what is not whole yet.
  ~NatsStream() { is_in_rest_ ? void(rest_.erase(0, rest_.size() - left_.size())) : void(rest_.assign(left_)); }
  NatsStream(const NatsStream&) = delete;
  NatsStream& operator=(const NatsStream&) = delete;

  // Valid as long as this is, and the piece. After `broken` the rest means nothing.
  [[nodiscard]] std::optional<Item> next();

 private:
  Item broken();

  std::string& rest_;
  const bool is_in_rest_;  // what is looked at
  std::string_view left_;
};

}  // namespace carillon::bench
