#include "load/report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <fstream>

#include "base/json.hpp"

namespace carillon::bench {

void Report::set(std::string name, double value) {
  const bool measured = std::isfinite(value);
  if (!measured) fault(name + " could not be measured");
  figures_.emplace_back(std::move(name), measured ? value : 0);
}

std::optional<double> Report::figure(std::string_view name) const {
  for (const auto& [its_name, value] : figures_)
    if (its_name == name) return value;
  return std::nullopt;
}

void Report::set_latencies(const std::string& name, const Histogram& latencies) {
  set(name + "_p50_ms", in_ms(latencies.percentile(0.5)));
  set(name + "_p99_ms", in_ms(latencies.percentile(0.99)));
  set(name + "_p999_ms", in_ms(latencies.percentile(0.999)));
  set(name + "_max_ms", in_ms(latencies.max()));
}

void Report::print() const {
  std::string text = scenario_ + "\n";
  for (const auto& [name, value] : figures_) text += fmt::format("  {:<36}{:>14.3f}\n", name, value);
  if (is_void()) text += fmt::format("  VOID: {} faults\n", faults_.count());
  for (const std::string& what : faults_.first()) text += "    " + what + "\n";
  std::fputs(text.c_str(), stdout);
}

Result<> Report::write_json(const std::filesystem::path& file) const {
  std::string text = R"({"scenario":)";
  json::append_string(text, scenario_);
  text += fmt::format(R"(,"valid":{},"figures":{{)", !is_void());
  for (const auto& [name, value] : figures_)
    text += fmt::format(R"({}"{}":{})", &name == &figures_.front().first ? "" : ",", name, value);
  text += fmt::format(R"(}},"faults":{},"first_faults":[)", faults_.count());
  for (const std::string& what : faults_.first()) {
    if (&what != &faults_.first().front()) text += ',';
    json::append_string(text, what);
  }
  std::ofstream out(file);
  out << text << "]}\n";
  out.close();
  if (!out) return fail(ErrorKind::unavailable, file.string() + ": cannot be written");
  return {};
}

}  // namespace carillon::bench
