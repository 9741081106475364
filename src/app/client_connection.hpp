#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "app/interrupt.hpp"
#include "app/server_url.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/fd.hpp"

struct ssl_st;

namespace carillon::app {

// A client command's TLS connection. Waits, but never for ever, and gives up when the user interrupts. One thread.
class ClientConnection {
 public:
  // Connects, and checks that the certificate is the server's by its name or address. `ca_file` empty: the system's
  // authorities. Errors: `denied` the certificate is not trusted, `invalid` the CA file is not usable, `unavailable`
  // anything that may work later. `interrupt` outlives the connection.
  [[nodiscard]] static Result<ClientConnection> open(const ServerUrl& server, const std::filesystem::path& ca_file,
                                                     const Interrupt& interrupt);
  ClientConnection(ClientConnection&&) noexcept;
  ClientConnection& operator=(ClientConnection&&) noexcept;
  ~ClientConnection();

  // All of it, or `unavailable`.
  [[nodiscard]] Result<> send(std::string_view bytes);

  enum class Arrival : std::uint8_t { bytes, nothing, end };
  // Appends what the server sent to `into`. Nothing: time is up, or the user interrupted. Fails with `unavailable` when
  // the connection broke.
  [[nodiscard]] Result<Arrival> receive(std::string& into, milliseconds patience);

 private:
  struct FreeSsl {
    void operator()(ssl_st* ssl) const;
  };

  ClientConnection(net::Fd socket, const Interrupt& interrupt);
  [[nodiscard]] Result<> shake_hands(const ServerUrl& server, const std::filesystem::path& ca_file);
  // After an SSL call returned `result`: waits until it can be called again, or says in trouble_ and why_ what is
  // wrong.
  [[nodiscard]] bool can_go_on(int result, milliseconds patience);

  enum class Trouble : std::uint8_t { none, timeout, interrupted, ended, broken };

  const Interrupt* interrupt_;
  net::Fd socket_;
  std::unique_ptr<ssl_st, FreeSsl> ssl_;
  Trouble trouble_ = Trouble::none;
  std::string why_;
};

}  // namespace carillon::app
