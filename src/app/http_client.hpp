#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "app/client_connection.hpp"
#include "app/http_reply.hpp"
#include "app/interrupt.hpp"
#include "app/server_url.hpp"
#include "base/result.hpp"

namespace carillon::app {

struct HttpCall {
  std::string_view method;
  std::string_view target;
  std::string_view token;
  std::string_view content_type;  // empty: no body
  std::string_view body;
};

// Calls a server's REST interface, one call after the other, and keeps the connection between them. One thread.
class HttpClient {
 public:
  HttpClient(ServerUrl server, std::filesystem::path ca_file, const Interrupt& interrupt)
      : server_(std::move(server)), ca_file_(std::move(ca_file)), interrupt_(interrupt) {}

  // The answer, whatever its status. Errors are those of ClientConnection; after `unavailable` the outcome of the call
  // is unknown. A kept connection that the server had closed meanwhile is opened again, and the call made again, when
  // not a byte of an answer came: every call we make may be repeated.
  [[nodiscard]] Result<HttpReply> call(const HttpCall& call);

 private:
  [[nodiscard]] Result<HttpReply> exchange(std::string_view request);
  [[nodiscard]] Result<HttpReply> receive_reply();
  [[nodiscard]] Result<> receive_more(MonoTime deadline);

  ServerUrl server_;
  std::filesystem::path ca_file_;
  const Interrupt& interrupt_;
  std::optional<ClientConnection> connection_;
  std::string received_;
};

}  // namespace carillon::app
