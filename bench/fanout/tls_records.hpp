#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_cipher_ctx_st;

namespace carillon::bench {

// server_application_traffic_secret_0 of a TLS 1.3 connection (RFC 8446 7.1), with TLS_AES_128_GCM_SHA256.
using TrafficSecret = std::array<std::uint8_t, 32>;

// In a line as OpenSSL logs secrets; nothing when it is another secret's.
[[nodiscard]] std::optional<TrafficSecret> traffic_secret_in(std::string_view key_log_line);

// What opens the records that a server sends on one connection, and all of it: 36 bytes, where OpenSSL's own objects
// are thousands that have to come from memory each time.
struct RecordKeys {
  explicit RecordKeys(const TrafficSecret& secret);

  std::array<std::uint8_t, 16> key;
  std::array<std::uint8_t, 12> iv;
  std::uint64_t sequence = 0;
};

// Decrypts records (RFC 8446 5.2). One for all connections of a thread.
class RecordOpener {
 public:
  RecordOpener();

  enum class Type : std::uint8_t { alert = 21, handshake = 22, application_data = 23 };
  struct Opened {
    Type type;
    std::string_view text;  // valid until the next call
  };
  // `record` is whole, with its header. Nothing when it is not the next one of that connection as the server sent it.
  [[nodiscard]] std::optional<Opened> open(RecordKeys& keys, std::string_view record);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const;
  };

  std::unique_ptr<evp_cipher_ctx_st, Free> context_;
  std::string text_;
};

// Cuts what arrives on one connection into records, from pieces of any size, and opens them.
class TlsRecords {
 public:
  explicit TlsRecords(const TrafficSecret& secret) : keys_(secret) {}

  // What `take` is called with, application data, is valid during the call. False when nothing more will come: an
  // alert, a record that is not what the server sent, or a change of keys, which nobody here needs.
  template <class Take>
  [[nodiscard]] bool feed(RecordOpener& opener, std::string_view piece, const Take& take) {
    const bool has_rest = !rest_.empty();
    std::string_view left = has_rest ? std::string_view(rest_.append(piece)) : piece;
    while (const std::size_t size = record_size(left)) {
      const auto opened = opener.open(keys_, left.substr(0, size));
      if (!opened || !is_harmless(*opened)) return false;
      if (opened->type == RecordOpener::Type::application_data) take(opened->text);
      left.remove_prefix(size);
    }
    has_rest ? void(rest_.erase(0, rest_.size() - left.size())) : void(rest_.assign(left));
    return true;
  }

 private:
  // Zero while it is not whole.
  static std::size_t record_size(std::string_view bytes);
  static bool is_harmless(const RecordOpener::Opened& opened);

  RecordKeys keys_;
  std::string rest_;
};

}  // namespace carillon::bench
