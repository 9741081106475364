#include "eventlog/log_notes.hpp"

#include <algorithm>
#include <utility>

#include "base/json.hpp"
#include "base/number.hpp"
#include "base/utf8.hpp"
#include "eventlog/log_positions.hpp"

namespace carillon::eventlog {
namespace {

constexpr std::size_t kTextMax = 4096;
constexpr std::size_t kRecordMax = std::size_t{1} << 20;

// A text that may not be UTF-8, or be long, loses what does not fit.
std::string fitting(std::string_view text) {
  std::string kept(text.substr(0, kTextMax));
  if (!is_utf8(kept)) std::erase_if(kept, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  return kept;
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out += ",\"";
  out += name;
  out += "\":";
  json::append_string(out, value);
}

std::string begin_note(std::string_view kind) {
  std::string note = "{\"note\":";
  json::append_string(note, kind);
  return note;
}

void append_identity(std::string& note, const LogIdentity& identity) {
  append_member(note, "epoch", epoch_text(identity.epoch));
  append_member(note, "incarnation", fitting(identity.incarnation));
  append_member(note, "reached", text_of(identity.reached));
  append_member(note, "added", std::to_string(identity.added));
}

std::optional<LogIdentity> identity_in(json::Value note) {
  const auto epoch = note.find_string("epoch");
  const auto incarnation = note.find_string("incarnation");
  const auto reached = note.find_string("reached");
  const auto added = note.find_string("added");
  if (!epoch || !incarnation || !reached || !added) return std::nullopt;
  const auto epoch_number = parse_number<std::uint32_t>(*epoch, 16);
  const auto added_number = parse_number<std::uint64_t>(*added);
  auto place = parse_place(*reached);
  if (!epoch_number || *epoch_number == 0 || !added_number || !place) return std::nullopt;
  return LogIdentity{*epoch_number, std::string(*incarnation), std::move(*place), *added_number};
}

std::optional<Position> position_in(json::Value note) {
  const auto position = note.find_string("position");
  if (!position || !is_position(*position)) return std::nullopt;
  return Position{std::string(*position)};
}

std::string record_of(const DeadLetter& letter) {
  return std::to_string(letter.lane) + "." + text_of(Place(letter.offset));
}

std::optional<DeadLetter> letter_in(json::Value note, std::string_view bytes) {
  auto position = position_in(note);
  const auto at = note.find_string("at");
  const auto reason = note.find_string("reason");
  const auto detail = note.find_string("detail");
  if (!position || !at || !reason || !detail) return std::nullopt;
  const auto when = parse_number<std::int64_t>(*at);
  if (!when) return std::nullopt;
  std::uint32_t lane = 0;
  Offset offset;
  if (const auto record = note.find_string("record")) {
    const std::size_t dot = std::min(record->find('.'), record->size());
    lane = parse_number<std::uint32_t>(record->substr(0, dot)).value_or(0);
    if (const auto place = dot < record->size() ? parse_place(record->substr(dot + 1)) : std::nullopt)
      offset = place->at(0);
  }
  return DeadLetter{.position = std::move(*position),
                    .at = WallTime(milliseconds{*when}),
                    .reason = std::string(*reason),
                    .detail = std::string(*detail),
                    .bytes = std::string(bytes),
                    .lane = lane,
                    .offset = offset};
}

}  // namespace

bool LogIdentity::fits(std::string_view incarnation_now, const Place& last, std::uint64_t added_now) const {
  const bool is_same = incarnation.empty() || incarnation_now.empty() || incarnation == incarnation_now;
  return is_same && last.covers(reached) && added_now >= added;
}

std::string encode_epoch_note(const LogIdentity& identity, std::uint32_t after) {
  std::string note = begin_note("epoch");
  append_identity(note, identity);
  append_member(note, "after", epoch_text(after));
  return note + "}";
}

std::string encode_mark_note(const LogIdentity& identity) {
  std::string note = begin_note("mark");
  append_identity(note, identity);
  return note + "}";
}

std::string encode_letter_note(const DeadLetter& letter) {
  std::string note = begin_note("letter");
  append_member(note, "position", letter.position.text);
  append_member(note, "record", record_of(letter));
  append_member(note, "at", std::to_string(letter.at.time_since_epoch().count()));
  append_member(note, "reason", fitting(letter.reason));
  append_member(note, "detail", fitting(letter.detail));
  note += "}\n";
  note.append(letter.bytes, 0, kRecordMax);
  return note;
}

std::string encode_removed_note(const Position& position) {
  std::string note = begin_note("removed");
  append_member(note, "position", position.text);
  return note + "}";
}

LogNotes LogNotes::read(std::span<const std::string> notes) {
  LogNotes all;
  for (const std::string& note : notes) all.take(note);
  return all;
}

void LogNotes::take(std::string_view note) {
  const std::size_t line = std::min(note.find('\n'), note.size());
  const auto document = json::Document::parse(note.substr(0, line));
  const auto kind = document ? document->root().find_string("note") : std::nullopt;
  if (kind == "epoch" || kind == "mark") {
    auto identity = identity_in(document->root());
    const auto after = document->root().find_string("after");
    const auto after_number = after ? parse_number<std::uint32_t>(*after, 16) : std::nullopt;
    if (identity && (kind == "mark" || after_number)) return take_identity(std::move(*identity), after_number);
  } else if (kind == "letter" && line < note.size()) {
    if (auto letter = letter_in(document->root(), note.substr(line + 1))) return take_letter(std::move(*letter));
  } else if (kind == "removed") {
    if (const auto position = position_in(document->root())) return remove(*position);
  }
  ++foreign_;
}

// Where two nodes found out at once that the log is another one, the first to say so has named it.
void LogNotes::take_identity(LogIdentity identity, std::optional<std::uint32_t> after) {
  if (identity_ && identity.epoch == identity_->epoch) {
    identity_->reached.pass(identity.reached);
    identity_->added = std::max(identity_->added, identity.added);
  } else if (!identity_ || after == identity_->epoch) {
    identity_ = std::move(identity);
  }
}

void LogNotes::take_letter(DeadLetter letter) {
  const std::string mark(mark_of(letter.position));
  if (const auto place = parse_place(std::string_view(letter.position.text).substr(mark.size())))
    buried_[mark].pass(*place);
  const bool is_placed = letter.offset != Offset{};
  if (!seen_.insert(is_placed ? mark + record_of(letter) : letter.position.text).second) return;
  letter_bytes_ += letter.bytes.size();
  letters_.push_back(std::move(letter));
  while (letters_.size() > kLettersMax || letter_bytes_ > kLetterBytesMax) leave_oldest();
}

void LogNotes::leave_oldest() {
  letter_bytes_ -= letters_.front().bytes.size();
  letters_.pop_front();
}

void LogNotes::remove(const Position& position) {
  const auto letter = std::ranges::find(letters_, position, &DeadLetter::position);
  if (letter == letters_.end()) return;
  letter_bytes_ -= letter->bytes.size();
  letters_.erase(letter);
}

bool LogNotes::has_letter(const Position& position) const {
  return std::ranges::find(letters_, position, &DeadLetter::position) != letters_.end();
}

Place LogNotes::buried_up_to(const Position& sample) const {
  const auto buried = buried_.find(std::string(mark_of(sample)));
  return buried == buried_.end() ? Place() : buried->second;
}

}  // namespace carillon::eventlog
