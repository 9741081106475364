#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace carillon::bench {

// What a bench needs to know of the answer to an HTTP/1.1 call.
struct HttpAnswer {
  int status = 0;  // 0: not HTTP/1.1
  std::size_t head_size = 0;
  std::size_t body_size = 0;

  [[nodiscard]] std::size_t size() const { return head_size + body_size; }
};

// Of the answer that `bytes` begin with; nothing until all of it is here.
[[nodiscard]] std::optional<HttpAnswer> whole_answer(std::string_view bytes);

}  // namespace carillon::bench
