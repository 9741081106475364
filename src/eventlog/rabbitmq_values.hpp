#pragma once

#include <amqp.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.hpp"

// The values of AMQP as ours, and ours as AMQP's. Pure. What is made refers to what it was made of.
namespace carillon::eventlog {

[[nodiscard]] amqp_bytes_t as_bytes(std::string_view text);
[[nodiscard]] std::string_view as_text(const amqp_bytes_t& bytes);

[[nodiscard]] amqp_table_entry_t entry(std::string_view key, std::string_view text);
[[nodiscard]] amqp_table_entry_t entry(std::string_view key, std::int64_t number);
[[nodiscard]] amqp_table_entry_t entry(std::string_view key, WallTime time);  // in whole seconds, rounded down
[[nodiscard]] amqp_table_entry_t entry(std::string_view key, const amqp_table_t& table);
[[nodiscard]] amqp_table_entry_t flag(std::string_view key);  // that is true
[[nodiscard]] amqp_table_t table_of(std::span<amqp_table_entry_t> entries);

// Of a message that is sent: it is persistent and stamped with `now`. An id for which AMQP has no room is left out.
// Writes `header`, which the properties refer to.
[[nodiscard]] amqp_basic_properties_t stamped_properties(std::string_view id, WallTime now, amqp_table_entry_t& header);

// What the properties of a message that has come say, whoever sent it.
struct MessageStamp {
  std::string_view id;
  std::optional<WallTime> stamped_at;
  std::uint64_t offset = 0;  // in the stream
};
[[nodiscard]] MessageStamp stamp_of(const amqp_basic_properties_t& properties);

}  // namespace carillon::eventlog
