#include "app/publisher.hpp"

#include <fmt/format.h>

#include <iterator>
#include <set>
#include <utility>

#include "base/json.hpp"

namespace carillon::app {
namespace {

bool is_transient(int status) {
  return status == 429 || status >= 500;
}

std::string body_of(const std::vector<EnvelopeLine>& batch) {
  std::string body;
  for (const EnvelopeLine& line : batch) body.append(line.text).append("\n");
  return body;
}

}  // namespace

Result<> Publisher::publish(std::vector<EnvelopeLine> batch) {
  while (!batch.empty()) {
    const auto reply = call_until_answered(body_of(batch));
    if (!reply) return std::unexpected(reply.error());
    if (reply->status == 202 && count_accepted(*reply)) return {};
    if (reply->status == 409 || reply->status == 413) return publish_halves(std::move(batch), *reply);
    if (reply->status != 422 || !drop_refused(batch, *reply)) return fail(ErrorKind::denied, reply->refusal());
  }
  return {};
}

void Publisher::refuse(std::uint64_t line_number, std::string_view why) {
  ++tally_.refused;
  world_.tell(fmt::format("line {}: {}", line_number, why));
}

Result<HttpReply> Publisher::call_until_answered(std::string_view lines) {
  milliseconds waited{0};
  for (;;) {
    auto reply = world_.call(lines);
    if (!reply && (reply.error().kind != ErrorKind::unavailable || !has_reached_server_)) return reply;
    has_reached_server_ = true;
    if (reply && !is_transient(reply->status)) {
      backoff_.reset();
      return reply;
    }
    const std::string why = reply ? reply->refusal() : reply.error().message;
    if (!world_.wait(milliseconds{0})) return fail(ErrorKind::unavailable, "interrupted");
    const milliseconds wait = std::max(backoff_.next(), reply ? reply->retry_after() : milliseconds{0});
    waited += wait;
    if (waited > kPatience) return fail(ErrorKind::unavailable, "gave up: " + why);
    world_.tell(fmt::format("{}; trying again in {:.1f} s", why, static_cast<double>(wait.count()) / 1000));
    if (!world_.wait(wait)) return fail(ErrorKind::unavailable, "interrupted: " + why);
  }
}

bool Publisher::count_accepted(const HttpReply& reply) {
  const auto document = json::Document::parse(reply.body);
  if (!document) return false;
  tally_.accepted += document->root().find_count("accepted").value_or(0);
  tally_.duplicates += document->root().find_count("duplicates").value_or(0);
  return true;
}

bool Publisher::drop_refused(std::vector<EnvelopeLine>& batch, const HttpReply& reply) {
  const auto document = json::Document::parse(reply.body);
  const auto errors = document ? document->root().find("errors") : std::nullopt;
  if (!errors) return false;
  std::set<std::uint64_t> refused;
  for (const json::Value error : *errors) {
    const auto index = error.find_count("index");
    if (!index || *index >= batch.size() || !refused.insert(*index).second) continue;
    const std::string_view pointer = error.find_string("pointer").value_or("");
    const std::string_view message = error.find_string("message").value_or("refused");
    refuse(batch[*index].number, fmt::format("{}{}{}", pointer, pointer.empty() ? "" : ": ", message));
  }
  std::vector<EnvelopeLine> kept;
  for (std::size_t i = 0; i < batch.size(); ++i)
    if (!refused.contains(i)) kept.push_back(std::move(batch[i]));
  batch = std::move(kept);
  return !refused.empty();
}

// The answer does not say which line it is about.
Result<> Publisher::publish_halves(std::vector<EnvelopeLine> batch, const HttpReply& reply) {
  if (batch.size() == 1) {
    refuse(batch.front().number, reply.refusal());
    return {};
  }
  const auto middle = batch.begin() + static_cast<std::ptrdiff_t>(batch.size() / 2);
  std::vector<EnvelopeLine> second(std::make_move_iterator(middle), std::make_move_iterator(batch.end()));
  batch.erase(middle, batch.end());
  if (auto first = publish(std::move(batch)); !first) return first;
  return publish(std::move(second));
}

}  // namespace carillon::app
