#include "eventlog/jetstream_broker.hpp"

#include <fmt/format.h>

#include <utility>

#include "eventlog/jetstream_link.hpp"
#include "eventlog/jetstream_reader.hpp"
#include "eventlog/jetstream_text.hpp"
#include "eventlog/jetstream_writer.hpp"

namespace carillon::eventlog {
namespace {

class JetstreamBroker final : public Broker {
 public:
  explicit JetstreamBroker(jetstream::Target target) : target_(std::move(target)) {}

  [[nodiscard]] std::unique_ptr<BrokerReader> make_reader() const override {
    return std::make_unique<jetstream::Reader>(target_);
  }
  [[nodiscard]] std::unique_ptr<BrokerWriter> make_writer() const override {
    return std::make_unique<jetstream::Writer>(target_);
  }
  [[nodiscard]] char letter() const override { return 'n'; }
  [[nodiscard]] std::string name() const override {
    return fmt::format("NATS JetStream at {}, stream {}", target_.servers.name(), target_.options.stream);
  }

 private:
  jetstream::Target target_;
};

}  // namespace

Result<std::unique_ptr<Broker>> make_jetstream_broker(JetstreamOptions options) {
  auto servers = parse_nats_url(options.access.url);
  if (!servers) return std::unexpected(servers.error());
  if (!servers->with_tls && !options.access.ca_file.empty()) {
    return fail(ErrorKind::invalid, "a CA file is of use only with TLS: the URL of NATS would begin with tls://");
  }
  if (!is_stream_name(options.stream)) {
    return fail(ErrorKind::invalid, "the name of a NATS stream is 1 to 200 characters without space, . * > / \\");
  }
  if (!is_plain_subject(options.subject)) {
    return fail(ErrorKind::invalid, "the subject for NATS is words divided by ., without space and wildcards");
  }
  jetstream::Target target{.options = std::move(options), .servers = std::move(*servers), .where = {}};
  target.where = "NATS at " + target.servers.name();
  return std::make_unique<JetstreamBroker>(std::move(target));
}

}  // namespace carillon::eventlog
