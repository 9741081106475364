#include "websocket/upgrade.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <vector>

namespace carillon::websocket {

namespace {

constexpr std::string_view kProtocol = "carillon.v1";
constexpr std::string_view kBearerPrefix = "carillon.bearer.";
constexpr std::size_t kProtocolsMax = 16;
constexpr std::size_t kOriginBytesMax = 512;

std::unexpected<net::HttpResponse> refuse(int status, std::string_view why) {
  return std::unexpected(net::problem(status, why));
}

std::unexpected<net::HttpResponse> refuse_version(std::string_view why) {
  auto response = net::problem(426, why);
  response.fields.emplace_back("Upgrade", "websocket");
  response.fields.emplace_back("Sec-WebSocket-Version", "13");
  return std::unexpected(std::move(response));
}

// Base64 of exactly 16 bytes: 22 characters of which the last carries 2 bits, and "==".
bool is_key(std::string_view key) {
  if (key.size() != 24 || !key.ends_with("==")) return false;
  const auto is_base64 = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  return std::all_of(key.begin(), key.end() - 2, is_base64) &&
         std::string_view("AQgw").find(key[21]) != std::string_view::npos;
}

bool is_protocol_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return c > 0x20 && c < 0x7F && std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
  });
}

// Nothing: malformed or too many.
std::optional<std::vector<std::string_view>> split_protocols(std::string_view all) {
  std::vector<std::string_view> names;
  while (true) {
    const std::size_t comma = all.find(',');
    auto name = all.substr(0, comma);
    name.remove_prefix(std::min(name.find_first_not_of(" \t"), name.size()));
    name = name.substr(0, name.find_last_not_of(" \t") + 1);
    if (!is_protocol_name(name) || names.size() == kProtocolsMax) return std::nullopt;
    names.push_back(name);
    if (comma == std::string_view::npos) return names;
    all.remove_prefix(comma + 1);
  }
}

std::optional<net::HttpResponse> check_handshake(const net::HttpHead& head) {
  if (head.count("upgrade") == 0) return refuse_version("this path speaks WebSocket").error();
  if (!head.has_token("upgrade", "websocket")) return net::problem(400, "Upgrade must be websocket");
  if (!head.has_token("connection", "upgrade")) return net::problem(400, "Connection must have the token upgrade");
  if (head.count("sec-websocket-version") != 1 || head.field("sec-websocket-version") != "13")
    return refuse_version("only WebSocket version 13 is spoken").error();
  if (head.count("sec-websocket-key") != 1 || !is_key(*head.field("sec-websocket-key")))
    return net::problem(400, "exactly one Sec-WebSocket-Key of 16 bytes in base64 is required");
  if (head.content_length.value_or(0) != 0) return net::problem(400, "an upgrade has no body");
  return std::nullopt;
}

std::optional<net::HttpResponse> check_origin(const net::HttpHead& head, const Options& options) {
  const std::size_t count = head.count("origin");
  if (count > 1) return net::problem(400, "more than one Origin");
  if (count == 0) {
    if (options.allow_missing_origin) return std::nullopt;
    return net::problem(403, "an Origin is required");
  }
  const auto origin = *head.field("origin");
  if (origin.size() > kOriginBytesMax) return net::problem(400, "the Origin is too long");
  const auto& allowed = options.allowed_origins;
  if (allowed.empty() || std::find(allowed.begin(), allowed.end(), origin) != allowed.end()) return std::nullopt;
  return net::problem(403, "this Origin is not allowed");
}

std::optional<net::HttpResponse> take_header_token(const net::HttpHead& head, UpgradePlan& plan) {
  if (head.count("authorization") == 0) return std::nullopt;
  if (head.count("authorization") > 1) return net::problem(400, "more than one Authorization");
  plan.carrier = Carrier::header;
  plan.token = head.bearer_token().value_or("");
  return std::nullopt;
}

std::optional<net::HttpResponse> take_protocols(const net::HttpHead& head, UpgradePlan& plan) {
  if (head.count("sec-websocket-protocol") == 0) return std::nullopt;
  const std::string all = head.joined("sec-websocket-protocol");
  const auto names = split_protocols(all);
  if (!names) return net::problem(400, "Sec-WebSocket-Protocol is malformed or names more than 16");
  for (const auto name : *names) {
    if (name == kProtocol) plan.selects_protocol = true;
    if (!name.starts_with(kBearerPrefix)) continue;
    if (plan.carrier != Carrier::first_message) return net::problem(400, "the token travels more than once");
    plan.carrier = Carrier::subprotocol;
    plan.token = name.substr(kBearerPrefix.size());
  }
  if (plan.carrier == Carrier::subprotocol && !plan.selects_protocol)
    return net::problem(400, "offer carillon.v1 beside the token");
  return std::nullopt;
}

}  // namespace

std::string accept_key_of(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 32> encoded{};
  const int size = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
  return std::string(reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size));
}

std::expected<UpgradePlan, net::HttpResponse> plan_upgrade(const net::HttpHead& head, const Options& options) {
  if (net::has_token(head.query)) return refuse(400, "a token does not belong into the URL");
  UpgradePlan plan;
  if (auto refusal = check_handshake(head)) return std::unexpected(*refusal);
  if (auto refusal = check_origin(head, options)) return std::unexpected(*refusal);
  if (auto refusal = take_header_token(head, plan)) return std::unexpected(*refusal);
  if (auto refusal = take_protocols(head, plan)) return std::unexpected(*refusal);
  plan.resume = net::query_parameter(head.query, "resume");
  plan.wants_snapshot = net::query_parameter(head.query, "snapshot") != "false";
  plan.accept_key = accept_key_of(*head.field("sec-websocket-key"));
  return plan;
}

std::string encode_switching(const UpgradePlan& plan) {
  std::string out =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
  out.append(plan.accept_key);
  if (plan.selects_protocol) out.append("\r\nSec-WebSocket-Protocol: ").append(kProtocol);
  out.append("\r\n\r\n");
  return out;
}

}  // namespace carillon::websocket
