#include "eventlog/jetstream_streams.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>

#include "base/number.hpp"
#include "eventlog/jetstream_text.hpp"
#include "protocol/timestamp.hpp"

namespace carillon::eventlog::jetstream {
namespace {

// Whether records of a subject can be appended to a stream of this configuration, and stay. Names what is wrong.
std::optional<std::string> unfitness(const json::Value& config, std::string_view subject) {
  bool takes_it = false;
  if (const auto subjects = config.find("subjects")) {
    for (const json::Value pattern : *subjects) takes_it = takes_it || matches_subject(pattern.text(), subject);
  }
  if (!takes_it) return fmt::format("does not take the subject {}", subject);
  const std::string_view retention = config.find_string("retention").value_or("");
  if (retention != "limits") {
    return fmt::format("has the retention \"{}\" and loses what somebody else has read: it must be \"limits\"",
                       retention);
  }
  if (config.has_true("no_ack")) return "acknowledges nothing (no_ack)";
  if (config.has_true("sealed")) return "is sealed";
  if (config.find("subject_transform")) return "keeps records under other subjects than they came by";
  return std::nullopt;
}

// Sees to it that the stream is there and takes the subject.
Result<json::Document> prepare(const Target& target, const Link& link, const std::string& name,
                               const std::string& subject, std::string_view limits) {
  auto info = link.ask("STREAM.INFO." + name);
  if (!info && info.error().kind == ErrorKind::not_found) {
    if (!target.options.access.may_create) {
      return target.error(ErrorKind::not_found, fmt::format("there is no stream {}, and it may not be made", name));
    }
    info = link.ask("STREAM.CREATE." + name,
                    fmt::format(R"({{"name":{},"subjects":[{}],"retention":"limits","storage":"file",)"
                                R"("discard":"old","max_consumers":-1,"max_msg_size":-1,"num_replicas":1,{}}})",
                                in_json(name), in_json(subject), limits));
    if (!info) {
      return fail(info.error().kind,
                  fmt::format("the stream {} of {} cannot be made: {}", name, subject, info.error().message));
    }
  }
  if (!info) return info;
  const auto config = info->root().find("config");
  if (!config) return target.error(ErrorKind::unavailable, fmt::format("says nothing about the stream {}", name));
  if (const auto wrong = unfitness(*config, subject)) {
    return target.error(ErrorKind::invalid, fmt::format("the stream {} {}", name, *wrong));
  }
  return info;
}

}  // namespace

Stream stream_in(const json::Value& info) {
  Stream stream;
  stream.created = info.find_string("created").value_or("");
  const auto state = info.find("state");
  if (!state) return stream;
  stream.first = state->find_count("first_seq").value_or(0);
  stream.last = state->find_count("last_seq").value_or(0);
  stream.deleted = state->find_count("num_deleted").value_or(0);
  const bool is_empty = state->find_count("messages").value_or(0) == 0;
  stream.before_first = is_empty ? stream.last : std::max<std::uint64_t>(stream.first, 1) - 1;
  if (const auto deleted = state->find("deleted")) {
    for (const json::Value sequence : *deleted) {
      stream.before_first = std::max(stream.before_first, parse_number<std::uint64_t>(sequence.text()).value_or(0));
    }
  }
  return stream;
}

Result<json::Document> prepare_streams(const Target& target, const Link& link) {
  // The server knows ids for as long as it keeps their records at most.
  const std::chrono::nanoseconds retention = target.options.access.retention;
  constexpr std::chrono::nanoseconds kIdsKnown = std::chrono::minutes{2};
  const auto ids_known = retention.count() == 0 ? kIdsKnown : std::min(kIdsKnown, retention);
  const std::string keeps = fmt::format(R"("max_msgs":-1,"max_bytes":-1,"max_age":{},"duplicate_window":{})",
                                        retention.count(), ids_known.count());
  constexpr std::string_view kNotesLimits = R"("max_msgs":20000,"max_bytes":67108864)";
  auto log = prepare(target, link, target.options.stream, target.options.subject, keeps);
  if (!log) return log;
  if (auto notes = prepare(target, link, target.notes_stream(), target.notes_subject(), kNotesLimits); !notes)
    return notes;
  return log;
}

Result<std::uint64_t> sequence_before(const Link& link, const std::string& stream, WallTime time) {
  auto consumer = link.ask("CONSUMER.CREATE." + stream,
                           fmt::format(R"({{"stream_name":{},"config":{{"deliver_policy":"by_start_time",)"
                                       R"("opt_start_time":"{}","ack_policy":"explicit","replay_policy":"instant",)"
                                       R"("num_replicas":1,"mem_storage":true}}}})",
                                       in_json(stream), protocol::format_timestamp(time)));
  if (!consumer) return std::unexpected(consumer.error());
  const json::Value root = consumer->root();
  const std::string name(root.find_string("name").value_or(""));
  const auto delivered = root.find("delivered");
  const std::uint64_t sequence = delivered ? delivered->find_count("stream_seq").value_or(0) : 0;
  // It would go by itself after five seconds; a stream may be limited in how many it has.
  if (auto gone = link.ask(fmt::format("CONSUMER.DELETE.{}.{}", stream, name)); !gone) {
    return std::unexpected(gone.error());
  }
  return sequence;
}

}  // namespace carillon::eventlog::jetstream
