#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "net/address.hpp"
#include "runtime/credit.hpp"
#include "runtime/keyed_limit.hpp"

namespace carillon::net {

// How many connections there may be, in all and from one address; shared by all shards.
struct ConnectionLimits {
  ConnectionLimits(std::uint64_t connections_max, std::uint32_t per_address_max)
      : total(connections_max), per_address(per_address_max) {}

  runtime::Credit total;
  runtime::Credit refusals{64};  // connections above the total that are only told so
  runtime::KeyedLimit per_address;
};

// One connection's place among those allowed; gives it back when the connection goes.
class ConnectionSlot {
 public:
  ConnectionSlot() = default;
  ~ConnectionSlot() { reset(); }
  ConnectionSlot(ConnectionSlot&& other) noexcept { *this = std::move(other); }
  ConnectionSlot& operator=(ConnectionSlot&& other) noexcept {
    reset();
    limits_ = std::exchange(other.limits_, nullptr);
    credit_ = other.credit_;
    address_key_ = std::move(other.address_key_);
    other.address_key_.clear();
    return *this;
  }

  enum class Place : std::uint8_t { taken, to_be_refused, none };
  // A place in the total, to begin with, or failing that one among those that are refused.
  [[nodiscard]] Place take(ConnectionLimits& limits) {
    credit_ = &limits.total;
    bool taken = credit_->try_take(1);
    const Place place = taken ? Place::taken : Place::to_be_refused;
    if (!taken) {
      credit_ = &limits.refusals;
      taken = credit_->try_take(1);
    }
    if (!taken) return Place::none;
    limits_ = &limits;
    return place;
  }
  // And a place among those of its address. False: the address has as many as it may.
  [[nodiscard]] bool take_for(const IpAddress& address) {
    std::string key = address.limit_key();
    if (!limits_->per_address.take(key)) return false;
    address_key_ = std::move(key);
    return true;
  }
  [[nodiscard]] bool is_taken_for_address() const { return !address_key_.empty(); }

 private:
  void reset() {
    if (limits_ == nullptr) return;
    if (!address_key_.empty()) limits_->per_address.give_back(address_key_);
    credit_->give_back(1);
    limits_ = nullptr;
    address_key_.clear();
  }

  ConnectionLimits* limits_ = nullptr;
  runtime::Credit* credit_ = nullptr;
  std::string address_key_;
};

}  // namespace carillon::net
