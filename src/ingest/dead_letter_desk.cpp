#include "ingest/dead_letter_desk.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json.hpp"
#include "base/number.hpp"
#include "base/utf8.hpp"
#include "ingest/admission.hpp"
#include "ingest/record.hpp"
#include "ingest/refusal.hpp"
#include "protocol/envelope.hpp"
#include "protocol/timestamp.hpp"
#include "telemetry/log.hpp"

namespace carillon::ingest {

using eventlog::DeadLetter;

namespace {

constexpr std::size_t kLettersMax = 10'000;  // what a log keeps
constexpr std::size_t kListedMax = 1000;
constexpr std::size_t kListedDefault = 100;
constexpr std::size_t kReplayBodyMax = kListedMax * (kPositionSizeMax + 8);

std::optional<std::size_t> listed(std::string_view query) {
  const auto text = net::query_parameter(query, "limit");
  if (!text) return kListedDefault;
  const auto limit = parse_number<std::size_t>(*text);
  return limit > 0U && limit <= kListedMax ? limit : std::nullopt;
}

// A record that is no UTF-8 is shown with its other bytes left out.
std::string shown(const std::string& bytes) {
  if (is_utf8(bytes)) return bytes;
  std::string ascii;
  std::copy_if(bytes.begin(), bytes.end(), std::back_inserter(ascii), [](char c) { return c >= 0x20 && c < 0x7F; });
  return ascii;
}

net::HttpResponse encode_list(const std::vector<DeadLetter>& letters) {
  net::HttpResponse response;
  std::string& out = response.body;
  out = "{\"dead_letters\":[";
  for (const DeadLetter& letter : letters) {
    out += out.back() == '[' ? "{\"position\":" : ",{\"position\":";
    json::append_string(out, letter.position.text);
    out += ",\"at\":\"";
    protocol::append_timestamp(out, letter.at);
    out += "\",\"reason\":";
    json::append_string(out, letter.reason);
    out += ",\"detail\":";
    json::append_string(out, letter.detail);
    out += ",\"record\":";
    json::append_string(out, shown(letter.bytes));
    out += "}";
  }
  out += "]}";
  return response;
}

// Nothing: not of the form {"positions":[...]}.
std::optional<std::vector<Position>> parse_positions(std::string_view body) {
  const auto document = json::Document::parse(body, {.depth_max = 3, .members_max = 8, .values_max = kListedMax + 16});
  if (!document) return std::nullopt;
  const auto list = document->root().find("positions");
  if (!list || !list->is(json::Kind::array) || list->size() == 0 || list->size() > kListedMax) return std::nullopt;
  std::vector<Position> positions;
  for (const json::Value item : *list) {
    if (!item.is(json::Kind::string) || !is_position(item.text())) return std::nullopt;
    positions.push_back({std::string(item.text())});
  }
  return positions;
}

}  // namespace

// One call's letters, replayed one after the other on the shard's thread, so that one bad letter stops no other.
class DeadLetterDesk::Replay : public std::enable_shared_from_this<Replay> {
 public:
  Replay(DeadLetterDesk& desk, const net::Responder& responder, std::vector<Position> positions)
      : desk_(desk), responder_(responder), positions_(std::move(positions)) {}

  // A completion for the log that goes on here, on the shard.
  template <class Then>
  auto on_shard(const Then& then) {
    return [self = shared_from_this(), then](auto result) {
      self->desk_.loop_.post([self, then, result = std::move(result)]() mutable { then(*self, std::move(result)); });
    };
  }

  void begin() {
    desk_.log_.list_dead_letters(kLettersMax, on_shard([](Replay& self, Result<std::vector<DeadLetter>> letters) {
                                   if (!letters) return self.responder_.respond(refusal_of(letters.error()));
                                   self.letters_ = std::move(*letters);
                                   self.next();
                                 }));
  }

 private:
  void next() {
    if (at_ == positions_.size()) return finish();
    const Position& position = positions_[at_];
    const auto letter = std::find_if(letters_.begin(), letters_.end(),
                                     [&](const DeadLetter& each) { return each.position == position; });
    if (letter == letters_.end()) return refuse("not_found");
    auto event = protocol::parse_envelope(letter->bytes, desk_.loop_.wall_now());
    if (!event) return refuse(event.error().code);
    if (event->id.empty()) event->id = id_of_replay(position);
    append(*event);
  }

  // The same letter replayed twice is one event.
  static std::string id_of_replay(const Position& position) { return "replay-" + position.text.substr(0, 100); }

  void append(const Event& event) {
    std::vector<eventlog::Record> records{record_of(event)};
    desk_.log_.append(std::move(records), on_shard([event](Replay& self, const Result<eventlog::Appended>& appended) {
                        if (!appended)
                          return self.refuse(appended.error().kind == ErrorKind::conflict ? "conflict" : "unavailable");
                        const Position& position = self.positions_[self.at_];
                        if (appended->duplicates == 0 || appended->position != position) return self.remove();
                        // What the log knows by this id is the record that was refused.
                        Event again = event;
                        again.id = id_of_replay(position);
                        self.append(again);
                      }));
  }

  void remove() {
    desk_.log_.remove_dead_letter(positions_[at_], on_shard([](Replay& self, const Result<>&) {
                                    telemetry::log(telemetry::Level::info, "dead letter replayed",
                                                   {{"position", self.positions_[self.at_].text}});
                                    ++self.replayed_;
                                    ++self.at_;
                                    self.next();
                                  }));
  }

  void refuse(std::string_view reason) {
    refused_ += refused_.empty() ? "{\"position\":" : ",{\"position\":";
    json::append_string(refused_, positions_[at_].text);
    refused_ += ",\"reason\":";
    json::append_string(refused_, reason);
    refused_ += "}";
    ++at_;
    next();
  }

  void finish() {
    net::HttpResponse response;
    response.body = "{\"replayed\":" + std::to_string(replayed_) + ",\"refused\":[" + refused_ + "]}";
    responder_.respond(response);
  }

  DeadLetterDesk& desk_;
  net::Responder responder_;
  std::vector<Position> positions_;
  std::vector<DeadLetter> letters_;
  std::string refused_;
  std::size_t at_ = 0;
  std::uint32_t replayed_ = 0;
};

DeadLetterDesk::DeadLetterDesk(runtime::Loop& loop, eventlog::EventLog& log,
                               std::shared_ptr<const auth::Verifier> verifier)
    : loop_(loop), log_(log), verifier_(std::move(verifier)) {}

net::Route DeadLetterDesk::list_route() {
  net::Route route;
  route.method = "GET";
  route.path = "/v1/dead-letters";
  route.handle = [this](net::HttpRequest&& request, const net::Responder& responder) { list(request, responder); };
  return route;
}

net::Route DeadLetterDesk::replay_route() {
  net::Route route;
  route.method = "POST";
  route.path = "/v1/dead-letters/replay";
  route.body_bytes_max = kReplayBodyMax;
  route.handle = [this](net::HttpRequest&& request, const net::Responder& responder) { replay(request, responder); };
  return route;
}

bool DeadLetterDesk::admits(const net::HttpRequest& request, const net::Responder& responder) const {
  const auto principal = admit(request.head, *verifier_, Grant::admin, loop_.wall_now());
  if (!principal) responder.respond(principal.error());
  return principal.has_value();
}

void DeadLetterDesk::list(const net::HttpRequest& request, const net::Responder& responder) {
  if (!admits(request, responder)) return;
  const auto limit = listed(request.head.query);
  if (!limit) return responder.respond(net::problem(400, "limit must be a number from 1 to 1000"));
  log_.list_dead_letters(*limit, [this, responder](Result<std::vector<DeadLetter>> letters) {
    loop_.post([responder, letters = std::move(letters)] {
      responder.respond(letters ? encode_list(*letters) : refusal_of(letters.error()));
    });
  });
}

void DeadLetterDesk::replay(const net::HttpRequest& request, const net::Responder& responder) {
  if (!admits(request, responder)) return;
  auto positions = parse_positions(request.body);
  if (!positions)
    return responder.respond(net::problem(400, "the body must be {\"positions\":[...]} with 1 to 1000 positions"));
  std::make_shared<Replay>(*this, responder, std::move(*positions))->begin();
}

}  // namespace carillon::ingest
