#include "eventlog/jetstream_text.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/number.hpp"
#include "eventlog/broker_url.hpp"

namespace carillon::eventlog {
namespace {

// The text up to the first `divider`, which is taken off `rest` with it.
std::string_view take(std::string_view& rest, char divider) {
  const std::size_t end = std::min(rest.find(divider), rest.size());
  const std::string_view token = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return token;
}

bool is_graphic(char c) {
  return c > ' ' && c < '\x7f';
}

}  // namespace

std::string NatsServers::name() const {
  std::string text;
  for (const std::string& url : urls) {
    if (!text.empty()) text += ',';
    text += std::string_view(url).substr(url.find("//") + 2);
  }
  return text;
}

Result<NatsServers> parse_nats_url(std::string_view text) {
  constexpr BrokerUrlForm kForm{.broker = "NATS",
                                .pattern = "nats://[user@]host[:port], or several of them divided by commas",
                                .scheme = "nats",
                                .port = 4222,
                                .tls_scheme = "tls",
                                .tls_port = 4222};
  NatsServers servers;
  do {
    const auto url = parse_broker_url(take(text, ','), kForm);
    if (!url) return std::unexpected(url.error());
    if (!url->path.empty()) return kForm.refusal("has something behind its server");
    if (!servers.urls.empty() && (servers.with_tls != url->uses_tls || servers.username != url->user)) {
      return kForm.refusal("names servers of different schemes or users");
    }
    servers.with_tls = url->uses_tls;
    servers.username = url->user;
    servers.urls.push_back((url->uses_tls ? "tls://" : "nats://") + url->address());
  } while (!text.empty());
  return servers;
}

bool is_stream_name(std::string_view text) {
  return !text.empty() && text.size() <= 200 && std::ranges::all_of(text, is_graphic) &&
         text.find_first_of(".*>/\\") == std::string_view::npos;
}

bool is_plain_subject(std::string_view text) {
  return !text.empty() && text.size() <= 1000 && std::ranges::all_of(text, is_graphic) && text.front() != '.' &&
         text.back() != '.' && text.find("..") == std::string_view::npos &&
         text.find_first_of("*>") == std::string_view::npos;
}

bool matches_subject(std::string_view pattern, std::string_view subject) {
  while (!pattern.empty() && !subject.empty()) {
    const std::string_view wanted = take(pattern, '.');
    if (wanted == ">") return true;
    if (const std::string_view token = take(subject, '.'); wanted != "*" && wanted != token) return false;
  }
  return pattern.empty() && subject.empty();
}

std::optional<DeliveryStamp> parse_delivery_stamp(std::string_view reply) {
  constexpr std::string_view kPrefix = "$JS.ACK.";
  if (!reply.starts_with(kPrefix)) return std::nullopt;
  reply.remove_prefix(kPrefix.size());
  // <stream>.<consumer>.<delivered>.<stream sequence>.<consumer sequence>.<nanoseconds>.<pending>, and the form with
  // <domain>.<account> before these and any number of tokens behind.
  std::array<std::string_view, 9> tokens;
  std::size_t count = 0;
  while (!reply.empty() && count < tokens.size()) tokens[count++] = take(reply, '.');
  if (count != 7 && count != 9) return std::nullopt;
  const std::string_view* numbers = &tokens[count - 4];
  const auto stream_sequence = parse_number<std::uint64_t>(numbers[0]);
  const auto consumer_sequence = parse_number<std::uint64_t>(numbers[1]);
  const auto nanoseconds = parse_number<std::int64_t>(numbers[2]);
  const auto pending = parse_number<std::uint64_t>(numbers[3]);
  if (!stream_sequence || !consumer_sequence || !nanoseconds || !pending) return std::nullopt;
  return DeliveryStamp{.stream_sequence = *stream_sequence,
                       .consumer_sequence = *consumer_sequence,
                       .pending = *pending,
                       .stored_at = WallTime(std::chrono::floor<milliseconds>(std::chrono::nanoseconds(*nanoseconds)))};
}

}  // namespace carillon::eventlog
