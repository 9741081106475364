#include "fanout/tls_records.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <charconv>

#include "base/ensure.hpp"

namespace carillon::bench {

namespace {

constexpr std::size_t kHeaderBytes = 5, kTagBytes = 16, kTextBytesMax = 16 * 1024 + 1;
constexpr char kNewSessionTicket = 4;

const std::uint8_t* octets(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

// HKDF-Expand-Label with an empty context, for no more than one hash (RFC 8446 7.1, RFC 5869 2.3).
template <std::size_t kSize>
std::array<std::uint8_t, kSize> expand_label(const TrafficSecret& secret, std::string_view label) {
  static_assert(kSize <= std::tuple_size_v<TrafficSecret>);
  const std::string name = "tls13 " + std::string(label);
  std::string info{'\0', static_cast<char>(kSize), static_cast<char>(name.size())};
  info.append(name).append({'\0', '\1'});
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> hash{};
  ensure(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), octets(info), info.size(), hash.data(),
              nullptr) != nullptr,
         "OpenSSL makes an HMAC");
  std::array<std::uint8_t, kSize> out{};
  std::copy_n(hash.begin(), kSize, out.begin());
  return out;
}

}  // namespace

// LABEL CLIENT_RANDOM SECRET, the last two in hex.
std::optional<TrafficSecret> traffic_secret_in(std::string_view key_log_line) {
  if (!key_log_line.starts_with("SERVER_TRAFFIC_SECRET_0 ")) return std::nullopt;
  const std::string_view hex = key_log_line.substr(key_log_line.rfind(' ') + 1);
  TrafficSecret secret{};
  if (hex.size() != 2 * secret.size()) return std::nullopt;
  for (std::size_t i = 0; i < secret.size(); ++i)
    std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, secret.at(i), 16);
  return secret;
}

RecordKeys::RecordKeys(const TrafficSecret& secret)
    : key(expand_label<16>(secret, "key")), iv(expand_label<12>(secret, "iv")) {}

void RecordOpener::Free::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

RecordOpener::RecordOpener() : context_(EVP_CIPHER_CTX_new()), text_(kTextBytesMax, '\0') {
  ensure(EVP_DecryptInit_ex(context_.get(), EVP_aes_128_gcm(), nullptr, nullptr, nullptr) == 1, "OpenSSL has AES");
}

std::optional<RecordOpener::Opened> RecordOpener::open(RecordKeys& keys, std::string_view record) {
  if (record.size() < kHeaderBytes + kTagBytes || record.size() > kHeaderBytes + kTextBytesMax + kTagBytes)
    return std::nullopt;
  const std::size_t size = record.size() - kHeaderBytes - kTagBytes;
  auto nonce = keys.iv;
  for (std::size_t i = 0; i < sizeof keys.sequence; ++i)
    nonce.at(nonce.size() - 1 - i) ^= static_cast<std::uint8_t>(keys.sequence >> (8 * i));
  ++keys.sequence;
  std::string tag(record.substr(kHeaderBytes + size));
  auto* const text = reinterpret_cast<std::uint8_t*>(text_.data());
  int length = 0;
  if (EVP_DecryptInit_ex(context_.get(), nullptr, nullptr, keys.key.data(), nonce.data()) != 1 ||
      EVP_DecryptUpdate(context_.get(), nullptr, &length, octets(record), static_cast<int>(kHeaderBytes)) != 1 ||
      EVP_DecryptUpdate(context_.get(), text, &length, octets(record) + kHeaderBytes, static_cast<int>(size)) != 1 ||
      EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()), tag.data()) != 1 ||
      EVP_DecryptFinal_ex(context_.get(), text + size, &length) != 1)
    return std::nullopt;
  // The last byte that is not padding tells the type.
  const std::size_t type = std::string_view(text_).substr(0, size).find_last_not_of('\0');
  if (type == std::string_view::npos) return std::nullopt;
  return Opened{.type = static_cast<Type>(text_[type]), .text = std::string_view(text_).substr(0, type)};
}

std::size_t TlsRecords::record_size(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return 0;
  const std::size_t size = kHeaderBytes + (std::size_t{octets(bytes)[3]} << 8U | octets(bytes)[4]);
  return bytes.size() < size ? 0 : size;
}

bool TlsRecords::is_harmless(const RecordOpener::Opened& opened) {
  if (opened.type == RecordOpener::Type::application_data) return true;
  return opened.type == RecordOpener::Type::handshake && opened.text.starts_with(kNewSessionTicket);
}

}  // namespace carillon::bench
