#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "load/connection.hpp"

namespace carillon::bench {

// One keep-alive connection to POST /v1/events (protocol 8.5), one call at a time. Confined to its loop's thread.
class RestClient final : Connection::Owner {
 public:
  class Owner {
   public:
    virtual void on_idle(RestClient& client) = 0;                                       // ready for the next call
    virtual void on_answer(RestClient& client, int status, std::string_view body) = 0;  // on_idle() follows
    virtual void on_lost(RestClient& client, std::string_view why) = 0;                 // last call until open()

   protected:
    ~Owner() = default;
  };

  RestClient(std::uint32_t number, runtime::Loop& loop, ConnectionRoom& room, Owner& owner)
      : number_(number), owner_(owner), connection_(loop, room, *this) {}

  // Again after it was lost, but not from within the owner's callbacks.
  [[nodiscard]] Result<> open(const Target& target, const std::string& token);
  void post(std::string_view body);
  // What becomes of a call under way is unknown. Until open() there are no more callbacks.
  void close() { connection_.close(); }
  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] bool is_lost() const { return connection_.is_closed(); }

 private:
  void on_open() override { owner_.on_idle(*this); }
  void on_bytes(std::string_view bytes) override;
  void on_end(std::string_view why) override { owner_.on_lost(*this, why); }

  std::uint32_t number_;
  Owner& owner_;
  Connection connection_;
  std::string head_;     // of every request, up to the length
  std::string request_;  // kept for its room
  std::string answer_;   // as far as it is here
};

}  // namespace carillon::bench
