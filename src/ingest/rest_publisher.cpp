#include "ingest/rest_publisher.hpp"

#include <utility>

#include "base/json.hpp"
#include "ingest/admission.hpp"
#include "ingest/publish_request.hpp"
#include "ingest/record.hpp"
#include "ingest/refusal.hpp"
#include "protocol/envelope.hpp"
#include "telemetry/log.hpp"

namespace carillon::ingest {

RestPublisher::RestPublisher(runtime::Loop& loop, eventlog::EventLog& log,
                             std::shared_ptr<const auth::Verifier> verifier, telemetry::Registry& metrics)
    : loop_(loop),
      log_(log),
      verifier_(std::move(verifier)),
      metrics_(metrics),
      events_(metrics.counter("carillon_rest_events_accepted_total", "events appended for REST callers")),
      duplicates_(metrics.counter("carillon_rest_events_duplicate_total", "events that REST callers repeated")) {}

net::Route RestPublisher::route() {
  net::Route route;
  route.method = "POST";
  route.path = "/v1/events";
  route.body_bytes_max = protocol::kPublishBytesMax;
  route.handle = [this](net::HttpRequest&& request, const net::Responder& responder) {
    handle(std::move(request), responder);
  };
  return route;
}

void RestPublisher::handle(net::HttpRequest&& request, const net::Responder& responder) {
  const WallTime now = loop_.wall_now();
  const auto refuse = [&](const net::HttpResponse& response) {
    count(std::to_string(response.status));
    telemetry::log(telemetry::Level::info, "publish refused",
                   {{"status", response.status}, {"client", request.client.text()}});
    responder.respond(response);
  };
  const auto principal = admit(request.head, *verifier_, Grant::publish, now);
  if (!principal) return refuse(principal.error());
  const auto events = parse_publish_request(request, now);
  if (!events) return refuse(events.error());

  std::string ids;
  std::vector<eventlog::Record> records;
  records.reserve(events->size());
  for (const Event& event : *events) {
    ids += ids.empty() ? "" : ",";
    json::append_string(ids, event.id);
    records.push_back(record_of(event));
  }
  log_.append(std::move(records), [this, responder, ids = std::move(ids)](Result<eventlog::Appended> result) mutable {
    loop_.post([this, responder, ids = std::move(ids), result = std::move(result)] { answer(responder, result, ids); });
  });
}

void RestPublisher::answer(const net::Responder& responder, const Result<eventlog::Appended>& result,
                           const std::string& ids) {
  if (!result) {
    const auto response = refusal_of(result.error());
    count(std::to_string(response.status));
    telemetry::log(telemetry::Level::warning, "publish refused",
                   {{"status", response.status}, {"reason", result.error().message}});
    return responder.respond(response);
  }
  count("202");
  events_.add(result->accepted);
  duplicates_.add(result->duplicates);
  net::HttpResponse response;
  response.status = 202;
  response.body = "{\"accepted\":" + std::to_string(result->accepted) +
                  ",\"duplicates\":" + std::to_string(result->duplicates) + ",\"position\":";
  json::append_string(response.body, result->position.text);
  response.body += ",\"ids\":[" + ids + "]}";
  responder.respond(response);
}

void RestPublisher::count(std::string_view outcome) {
  telemetry::Counter*& cell = calls_[std::string(outcome)];
  if (cell == nullptr)
    cell = &metrics_.counter("carillon_rest_calls_total", "calls to publish over REST, by status",
                             {{"status", std::string(outcome)}});
  cell->add();
}

}  // namespace carillon::ingest
