#include "eventlog/rabbitmq_values.hpp"

#include <algorithm>

namespace carillon::eventlog {
namespace {

constexpr std::size_t kShortTextMax = 255;  // of a message-id
constexpr std::string_view kStampHeader = "timestamp_in_ms";

std::int64_t whole_seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

std::optional<std::uint64_t> number_in(const amqp_field_value_t& value) {
  switch (value.kind) {
    case AMQP_FIELD_KIND_I64:
      return static_cast<std::uint64_t>(value.value.i64);
    case AMQP_FIELD_KIND_U64:
    case AMQP_FIELD_KIND_TIMESTAMP:
      return value.value.u64;
    case AMQP_FIELD_KIND_I32:
      return static_cast<std::uint64_t>(value.value.i32);
    case AMQP_FIELD_KIND_U32:
      return value.value.u32;
    default:
      return std::nullopt;
  }
}

// A number of milliseconds that is a time within the years that can be: what a foreign producer puts there may be
// anything.
std::optional<WallTime> wall_time(std::uint64_t ms) {
  constexpr std::uint64_t kMsMax = 253'402'300'799'999;  // the end of 9999
  if (ms == 0 || ms > kMsMax) return std::nullopt;
  return WallTime{milliseconds{static_cast<std::int64_t>(ms)}};
}

}  // namespace

// The library only reads what it is given.
amqp_bytes_t as_bytes(std::string_view text) {
  return {.len = text.size(),
          .bytes = const_cast<char*>(text.data())};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

std::string_view as_text(const amqp_bytes_t& bytes) {
  return {static_cast<const char*>(bytes.bytes), bytes.len};
}

amqp_table_entry_t entry(std::string_view key, std::string_view text) {
  amqp_table_entry_t made{};
  made.key = as_bytes(key);
  made.value.kind = AMQP_FIELD_KIND_UTF8;
  made.value.value.bytes = as_bytes(text);
  return made;
}

amqp_table_entry_t entry(std::string_view key, std::int64_t number) {
  amqp_table_entry_t made{};
  made.key = as_bytes(key);
  made.value.kind = AMQP_FIELD_KIND_I64;
  made.value.value.i64 = number;
  return made;
}

amqp_table_entry_t entry(std::string_view key, WallTime time) {
  amqp_table_entry_t made{};
  made.key = as_bytes(key);
  made.value.kind = AMQP_FIELD_KIND_TIMESTAMP;
  made.value.value.u64 = static_cast<std::uint64_t>(std::max<std::int64_t>(whole_seconds(time), 0));
  return made;
}

amqp_table_entry_t entry(std::string_view key, const amqp_table_t& table) {
  amqp_table_entry_t made{};
  made.key = as_bytes(key);
  made.value.kind = AMQP_FIELD_KIND_TABLE;
  made.value.value.table = table;
  return made;
}

amqp_table_entry_t flag(std::string_view key) {
  amqp_table_entry_t made{};
  made.key = as_bytes(key);
  made.value.kind = AMQP_FIELD_KIND_BOOLEAN;
  made.value.value.boolean = 1;
  return made;
}

amqp_table_t table_of(std::span<amqp_table_entry_t> entries) {
  return {.num_entries = static_cast<int>(entries.size()), .entries = entries.data()};
}

// The header is as RabbitMQ's own interceptor stamps it; the property has seconds only.
amqp_basic_properties_t stamped_properties(std::string_view id, WallTime now, amqp_table_entry_t& header) {
  header = entry(kStampHeader, std::int64_t{now.time_since_epoch().count()});
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_TIMESTAMP_FLAG | AMQP_BASIC_HEADERS_FLAG;
  properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
  properties.timestamp = static_cast<std::uint64_t>(whole_seconds(now));
  properties.headers = table_of({&header, 1});
  if (!id.empty() && id.size() <= kShortTextMax) {
    properties._flags |= AMQP_BASIC_MESSAGE_ID_FLAG;
    properties.message_id = as_bytes(id);
  }
  return properties;
}

MessageStamp stamp_of(const amqp_basic_properties_t& properties) {
  MessageStamp stamp;
  if ((properties._flags & AMQP_BASIC_MESSAGE_ID_FLAG) != 0) stamp.id = as_text(properties.message_id);
  if ((properties._flags & AMQP_BASIC_TIMESTAMP_FLAG) != 0 && properties.timestamp < UINT64_MAX / 1000) {
    stamp.stamped_at = wall_time(properties.timestamp * 1000);
  }
  if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) == 0) return stamp;
  for (int i = 0; i < properties.headers.num_entries; ++i) {
    const amqp_table_entry_t& header = properties.headers.entries[i];
    const std::string_view name = as_text(header.key);
    if (name == "x-stream-offset") {
      stamp.offset = number_in(header.value).value_or(0);
    } else if (name == kStampHeader) {
      if (const auto ms = number_in(header.value)) stamp.stamped_at = wall_time(*ms);
    }
  }
  return stamp;
}

}  // namespace carillon::eventlog
