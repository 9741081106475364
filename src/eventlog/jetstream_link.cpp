#include "eventlog/jetstream_link.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

namespace carillon::eventlog::jetstream {
namespace {

// What waits for us in memory at most. The server's flow control stops at 32 MiB; beyond this libnats would drop.
constexpr int kPendingRecordsMax = 1 << 20;
constexpr int kPendingBytesMax = 128 << 20;

struct DestroyOptions {
  void operator()(natsOptions* it) const { natsOptions_Destroy(it); }
};
using OptionsPtr = std::unique_ptr<natsOptions, DestroyOptions>;

// What libnats knew last on this thread.
std::string_view last_error() {
  natsStatus ignored = NATS_OK;
  return text_or_empty(nats_GetLastError(&ignored));
}

bool has_credentials(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return text.contains("NATS USER JWT") && text.contains("USER NKEY SEED");
}

Result<OptionsPtr> connection_options(const Target& target) {
  const BrokerAccess& access = target.options.access;
  natsOptions* raw = nullptr;
  if (natsOptions_Create(&raw) != NATS_OK) return target.error(ErrorKind::internal, "no memory for a connection");
  OptionsPtr options(raw);
  std::vector<const char*> urls;
  urls.reserve(target.servers.urls.size());
  for (const std::string& url : target.servers.urls) urls.push_back(url.c_str());
  natsOptions_SetServers(raw, urls.data(), static_cast<int>(urls.size()));
  natsOptions_SetIgnoreDiscoveredServers(raw, true);
  natsOptions_SetAllowReconnect(raw, false);
  natsOptions_SetTimeout(raw, target.timeout().count());
  natsOptions_SetWriteDeadline(raw, target.timeout().count());
  natsOptions_SetPingInterval(raw, target.timeout().count());
  natsOptions_SetMaxPingsOut(raw, 2);
  natsOptions_SetFailRequestsOnDisconnect(raw, true);
  natsOptions_IPResolutionOrder(raw, 46);
  natsOptions_SetName(raw, "carillon");
  const std::string& username = access.username.empty() ? target.servers.username : access.username;
  if (!username.empty()) natsOptions_SetUserInfo(raw, username.c_str(), access.password.c_str());
  if (target.servers.with_tls) natsOptions_SetSecure(raw, true);
  const auto cannot_read = [&](const std::string& file) {
    return target.error(ErrorKind::invalid, fmt::format("cannot use {}: {}", file, last_error()));
  };
  if (!access.ca_file.empty() && natsOptions_LoadCATrustedCertificates(raw, access.ca_file.c_str()) != NATS_OK) {
    return cannot_read(access.ca_file);
  }
  if (!access.certificate.empty() &&
      natsOptions_LoadCertificatesChain(raw, access.certificate.c_str(), access.private_key.c_str()) != NATS_OK) {
    return cannot_read(access.certificate);
  }
  const std::string& credentials = target.options.credentials_file;
  // libnats reads it with each connection, where a file that is wrong looks like a server that is away.
  if (!credentials.empty() && !has_credentials(credentials)) {
    return target.error(ErrorKind::invalid, fmt::format("{} holds no user JWT and seed of NATS", credentials));
  }
  if (!credentials.empty() && natsOptions_SetUserCredentialsFromFiles(raw, credentials.c_str(), nullptr) != NATS_OK) {
    return cannot_read(credentials);
  }
  return options;
}

}  // namespace

std::string new_inbox() {
  natsInbox* inbox = nullptr;
  if (natsInbox_Create(&inbox) != NATS_OK) return {};
  std::string text(inbox);
  natsInbox_Destroy(inbox);
  return text;
}

std::string_view data_of(const natsMsg* message) {
  return {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))};
}

std::string_view text_or_empty(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

std::string_view header_of(natsMsg* message, const char* name) {
  const char* value = nullptr;
  return natsMsgHeader_Get(message, name, &value) == NATS_OK ? text_or_empty(value) : std::string_view();
}

std::string in_json(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

std::unexpected<Error> Target::error(ErrorKind kind, std::string_view what) const {
  return fail(kind, fmt::format("{}: {}", where, what));
}

std::size_t Link::payload_max() const {
  return static_cast<std::size_t>(std::max<std::int64_t>(natsConnection_GetMaxPayload(get()), 0));
}

Result<std::unique_ptr<Link>> Link::open(const Target& target) {
  auto options = connection_options(target);
  if (!options) return std::unexpected(options.error());
  natsConnection* raw = nullptr;
  const natsStatus status = natsConnection_Connect(&raw, options->get());
  if (status != NATS_OK) return cannot_connect(target, status);
  return std::unique_ptr<Link>(new Link(target, ConnectionPtr(raw)));
}

std::unexpected<Error> Link::cannot_connect(const Target& target, natsStatus status) {
  const std::string_view why = last_error();
  if (status == NATS_CONNECTION_AUTH_FAILED || status == NATS_NOT_PERMITTED) {
    return target.error(ErrorKind::denied, "it refuses the user name, the password or the credentials");
  }
  if (status == NATS_SECURE_CONNECTION_WANTED) {
    return target.error(ErrorKind::invalid, "it speaks no TLS: the URL would begin with nats://");
  }
  // Without that word it is a server that went away during the handshake.
  if (status == NATS_SSL_ERROR && (why.contains("certificate") || why.contains("mismatch"))) {
    return target.error(ErrorKind::invalid, fmt::format("TLS failed, see the CA file and the host's name: {}", why));
  }
  return target.error(ErrorKind::unavailable,
                      fmt::format("cannot connect: {}", why.empty() ? natsStatus_GetText(status) : why));
}

std::unexpected<Error> Link::failed(natsStatus status, std::string_view doing) const {
  const char* said = nullptr;
  natsConnection_GetLastError(get(), &said);
  // The server answers a forbidden request with silence, and says why beside it.
  if (text_or_empty(said).contains("ermissions Violation")) {
    return target_.error(ErrorKind::denied, fmt::format("{}: {}", doing, said));
  }
  if (status == NATS_NO_RESPONDERS) {
    return target_.error(ErrorKind::invalid, "JetStream is not enabled there (nats-server -js)");
  }
  return target_.error(ErrorKind::unavailable, fmt::format("{}: {}", doing, natsStatus_GetText(status)));
}

std::optional<Error> Link::refusal_in(const json::Value& answer) const {
  const auto error = answer.find("error");
  if (!error) return std::nullopt;
  const std::uint64_t code = error->find_count("code").value_or(0);
  const std::string_view text = error->find_string("description").value_or("an error without a description");
  const auto kind = [&] {
    switch (error->find_count("err_code").value_or(0)) {
      case JSStreamNotFoundErr:
        return ErrorKind::not_found;
      case JSNotEnabledErr:
      case JSNotEnabledForAccountErr:
        return ErrorKind::invalid;
      case JSInsufficientResourcesErr:
      case JSMemoryResourcesExceededErr:
      case JSStorageResourcesExceededErr:
        return ErrorKind::full;
      // Of a stream that discards what is new: "maximum messages exceeded", "maximum bytes exceeded".
      case JSStreamStoreFailedErr:
        return text.contains("maximum") ? ErrorKind::full : ErrorKind::unavailable;
      // Another node made it at the same time.
      case JSStreamNameExistErr:
        return ErrorKind::unavailable;
      default:
        return code >= 500 ? ErrorKind::unavailable : ErrorKind::invalid;
    }
  }();
  return target_.error(kind, text).error();
}

Result<json::Document> Link::ask(const std::string& request, std::string_view body) const {
  natsMsg* raw = nullptr;
  const std::string subject = "$JS.API." + request;
  const natsStatus status = natsConnection_Request(&raw, get(), subject.c_str(), body.data(),
                                                   static_cast<int>(body.size()), target_.timeout().count());
  const MessagePtr message(raw);
  if (status != NATS_OK) return failed(status, request);
  constexpr json::Limits kLimits{.depth_max = 32, .members_max = 256, .values_max = kDeletedMax + 10'000};
  auto answer = json::Document::parse(data_of(raw), kLimits);
  if (!answer) return target_.error(ErrorKind::unavailable, fmt::format("{}: {}", request, answer.error().message));
  if (auto error = refusal_in(answer->root())) return std::unexpected(std::move(*error));
  return answer;
}

Result<natsSubscription*> Link::subscribe(const std::string& subject) {
  natsSubscription* raw = nullptr;
  natsStatus status = natsConnection_SubscribeSync(&raw, get(), subject.c_str());
  subscriptions_.emplace_back(raw);
  if (status == NATS_OK) status = natsSubscription_SetPendingLimits(raw, kPendingRecordsMax, kPendingBytesMax);
  if (status != NATS_OK) return failed(status, "subscribing");
  return raw;
}

}  // namespace carillon::eventlog::jetstream
