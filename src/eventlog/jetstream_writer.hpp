#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "eventlog/broker.hpp"
#include "eventlog/jetstream_link.hpp"

namespace carillon::eventlog::jetstream {

// Appends to a stream, and keeps the notes in the one beside it. One thread; `target` outlives it.
class Writer final : public BrokerWriter {
 public:
  explicit Writer(const Target& target) : target_(target) {}

  Result<> connect() override;
  std::vector<std::string> warnings() override { return warnings_; }
  Result<std::vector<Stood>> append(std::span<const Record> records) override;
  Result<> append_note(std::string_view note) override;
  Result<std::vector<std::string>> read_notes() override;
  Result<Place> end() override;

 private:
  void look_for_weakness(const json::Value& info);
  [[nodiscard]] Result<> publish(const std::string& subject, std::size_t token, const std::string& id,
                                 std::string_view bytes) const;
  // Waits for one acknowledgement each of `stood`, which were published with their index as token.
  [[nodiscard]] Result<> await(std::span<Stood> stood, const std::string& stream) const;
  [[nodiscard]] Result<> read_acknowledgement(natsMsg* message, std::span<Stood> stood,
                                              const std::string& stream) const;

  const Target& target_;
  std::unique_ptr<Link> link_;
  std::string inbox_;                             // the server acknowledges to "<inbox>.<token>"
  natsSubscription* acknowledgements_ = nullptr;  // the link's
  std::vector<std::string> warnings_;
};

}  // namespace carillon::eventlog::jetstream
