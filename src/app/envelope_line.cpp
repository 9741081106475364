#include "app/envelope_line.hpp"

#include <openssl/rand.h>

#include <array>

#include "base/base64url.hpp"
#include "base/ensure.hpp"
#include "base/json.hpp"
#include "protocol/envelope.hpp"

namespace carillon::app {

Result<std::string> prepare_envelope(std::string_view line, std::string_view new_id) {
  constexpr std::size_t kIdMemberBytes = 200;
  if (line.size() + kIdMemberBytes > protocol::kPublishBytesMax)
    return fail(ErrorKind::invalid, "is larger than a call may be");
  const auto document = json::Document::parse(line, protocol::kEnvelopeLimits);
  if (!document) return std::unexpected(document.error());
  if (!document->root().is(json::Kind::object)) return fail(ErrorKind::invalid, "is not a JSON object");
  if (document->root().find("id")) return std::string(line);
  const std::size_t brace = line.find('{');
  std::string text = "{\"id\":";
  json::append_string(text, new_id);
  if (document->root().size() > 0) text += ',';
  return text.append(line.substr(brace + 1));
}

std::string make_event_id() {
  std::array<unsigned char, 16> bytes{};
  ensure(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1, "the system gives random bytes");
  std::string id = "c-";
  append_base64url(id, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  return id;
}

}  // namespace carillon::app
