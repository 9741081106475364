#include "admin/admin_routes.hpp"

#include <utility>

#include "base/json.hpp"

namespace carillon::admin {

namespace {

net::Route get(std::string path, std::function<net::HttpResponse()> answer) {
  net::Route route;
  route.method = "GET";
  route.path = std::move(path);
  route.handle = [answer = std::move(answer)](net::HttpRequest&&, const net::Responder& responder) {
    responder.respond(answer());
  };
  return route;
}

net::HttpResponse ready_response(const std::string& obstacle) {
  net::HttpResponse response;
  response.status = obstacle.empty() ? 200 : 503;
  response.body = obstacle.empty() ? "{\"ready\":true" : "{\"ready\":false,\"reason\":";
  if (!obstacle.empty()) json::append_string(response.body, obstacle);
  response.body += "}";
  return response;
}

}  // namespace

std::vector<net::Route> admin_routes(const telemetry::Registry& metrics, Readiness readiness) {
  std::vector<net::Route> routes;
  routes.push_back(get("/healthz", [] {
    net::HttpResponse response;
    response.body = "{\"alive\":true}";
    return response;
  }));
  routes.push_back(get("/readyz", [readiness = std::move(readiness)] { return ready_response(readiness()); }));
  routes.push_back(get("/metrics", [&metrics] {
    net::HttpResponse response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = metrics.text();
    return response;
  }));
  return routes;
}

}  // namespace carillon::admin
