#include "ingest/publish_request.hpp"

#include "base/json.hpp"
#include "ingest/event_id.hpp"
#include "protocol/envelope.hpp"

namespace carillon::ingest {

namespace {

using protocol::EnvelopeFault;

// Collects what came of each item, good or bad.
class Batch {
 public:
  void take(std::expected<Event, EnvelopeFault> item) {
    if (item)
      events_.push_back(std::move(*item));
    else
      add_fault(item.error());
    ++count_;
  }
  [[nodiscard]] std::size_t count() const { return count_; }

  [[nodiscard]] std::expected<std::vector<Event>, net::HttpResponse> finish() {
    if (faults_.empty()) return std::move(events_);
    net::HttpResponse response{.status = 422, .content_type = "application/problem+json", .body = {}, .fields = {}};
    response.body = R"({"type":"about:blank","title":"Unprocessable Content","status":422,)"
                    R"("detail":"nothing was accepted; errors names every event that is not valid","errors":[)" +
                    faults_ + "]}";
    return std::unexpected(std::move(response));
  }

 private:
  void add_fault(const EnvelopeFault& fault) {
    faults_ += (faults_.empty() ? "" : ",");
    faults_ += "{\"index\":" + std::to_string(count_) + ",\"pointer\":";
    json::append_string(faults_, fault.pointer);
    faults_ += ",\"message\":";
    json::append_string(faults_, fault.message);
    faults_ += ",\"code\":";
    json::append_string(faults_, fault.code);
    faults_ += "}";
  }

  std::vector<Event> events_;
  std::string faults_;
  std::size_t count_ = 0;
};

std::unexpected<net::HttpResponse> refuse(int status, std::string_view why) {
  return std::unexpected(net::problem(status, why));
}

constexpr std::string_view kTooMany = "at most 1000 events in one call";

std::expected<std::vector<Event>, net::HttpResponse> parse_json(std::string_view body, WallTime now) {
  const auto document = json::Document::parse(body, protocol::kBatchLimits);
  if (!document) return refuse(400, document.error().message);
  Batch batch;
  const json::Value root = document->root();
  if (!root.is(json::Kind::array)) {
    batch.take(protocol::parse_envelope(root, now));
    return batch.finish();
  }
  if (root.size() == 0) return refuse(400, "the array holds no event");
  if (root.size() > protocol::kBatchItemsMax) return refuse(413, kTooMany);
  for (const json::Value item : root) batch.take(protocol::parse_envelope(item, now));
  return batch.finish();
}

std::expected<std::vector<Event>, net::HttpResponse> parse_lines(std::string_view body, WallTime now) {
  Batch batch;
  while (!body.empty()) {
    const std::size_t end = body.find('\n');
    auto line = body.substr(0, end);
    body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (batch.count() == protocol::kBatchItemsMax) return refuse(413, kTooMany);
    batch.take(protocol::parse_envelope(line, now));
  }
  if (batch.count() == 0) return refuse(400, "the body holds no event");
  return batch.finish();
}

// The media type without its parameters; the only one that changes anything, charset, must be UTF-8.
std::string media_type(std::string_view field) {
  std::string text;
  for (const char c : field) {
    if (c == ' ' || c == '\t' || c == '"') continue;
    text.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  const std::size_t semicolon = text.find(';');
  if (semicolon == std::string::npos) return text;
  const std::string parameters = text.substr(semicolon + 1);
  return parameters == "charset=utf-8" ? text.substr(0, semicolon) : text;
}

}  // namespace

std::expected<std::vector<Event>, net::HttpResponse> parse_publish_request(const net::HttpRequest& request,
                                                                           WallTime now) {
  if (request.head.count("content-encoding") != 0) return refuse(415, "Content-Encoding is not accepted");
  const std::string type = media_type(request.head.field("content-type").value_or(""));
  const bool is_lines = type == "application/x-ndjson";
  if (!is_lines && type != "application/json")
    return refuse(415, "Content-Type must be application/json or application/x-ndjson, in UTF-8");
  auto events = is_lines ? parse_lines(request.body, now) : parse_json(request.body, now);
  if (!events) return events;
  for (Event& event : *events)
    if (event.id.empty()) event.id = make_event_id();
  return events;
}

}  // namespace carillon::ingest
