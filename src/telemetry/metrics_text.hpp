#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::telemetry {

// What Registry::text() of another process says, read back.
class MetricsText {
 public:
  struct Sample {
    Labels labels;
    double value = 0;

    // Empty when there is no such label.
    [[nodiscard]] std::string_view label(std::string_view name) const;
  };

  // Reads Prometheus text exposition format 0.0.4 as far as we write it: a line that is neither a comment nor a sample
  // without a timestamp fails with `invalid`.
  [[nodiscard]] static Result<MetricsText> parse(std::string_view text);

  // The samples of that name, in the order of the text; none: empty.
  [[nodiscard]] const std::vector<Sample>& of(std::string_view name) const;

 private:
  std::map<std::string, std::vector<Sample>, std::less<>> samples_;
};

}  // namespace carillon::telemetry
