#include "eventlog/append_outcomes.hpp"

#include <utility>

namespace carillon::eventlog {
namespace {

telemetry::Counter& outcome(telemetry::Registry& registry, std::string_view name, telemetry::Labels labels,
                            const char* word) {
  labels.insert(labels.begin(), {"outcome", word});
  return registry.counter(name, "Append calls by how they were answered.", std::move(labels));
}

telemetry::Counter& records(telemetry::Registry& registry, std::string_view name, const char* result) {
  return registry.counter(name, "Records of the append calls that succeeded.", {{"result", result}});
}

}  // namespace

AppendOutcomes::AppendOutcomes(telemetry::Registry& registry, const Names& names, const telemetry::Labels& where)
    : ok_(outcome(registry, names.appends, where, "ok")),
      conflict_(outcome(registry, names.appends, where, "conflict")),
      full_(outcome(registry, names.appends, where, "full")),
      invalid_(outcome(registry, names.appends, where, "invalid")),
      unavailable_(outcome(registry, names.appends, where, "unavailable")),
      accepted_(records(registry, names.records, "accepted")),
      duplicate_(records(registry, names.records, "duplicate")) {}

void AppendOutcomes::count(const Appended& appended) {
  ok_.add();
  accepted_.add(appended.accepted);
  duplicate_.add(appended.duplicates);
}

void AppendOutcomes::count(const Error& error) {
  switch (error.kind) {
    case ErrorKind::conflict:
      return conflict_.add();
    case ErrorKind::full:
      return full_.add();
    case ErrorKind::invalid:
      return invalid_.add();
    default:
      return unavailable_.add();
  }
}

}  // namespace carillon::eventlog
