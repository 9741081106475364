#include "fanout/peer.hpp"

#include "fanout/carillon_peer.hpp"
#include "fanout/floor_peer.hpp"
#include "fanout/line.hpp"

namespace carillon::bench {

Result<Peer> Peer::make(const PeerOptions& options) {
  Peer peer;
  peer.kind_ = options.kind == "floor" ? Kind::floor : Kind::carillon;
  if (peer.kind_ == Kind::carillon && options.secret.empty())
    return fail(ErrorKind::invalid, "for carillon a --secret is needed");
  auto target = Target::load(options.subscribe, options.ca, options.secret);
  if (!target) return std::unexpected(target.error());
  peer.target_ = std::make_unique<Target>(std::move(*target));
  const auto publish = net::Endpoint::parse(options.publish);
  if (!publish) return std::unexpected(publish.error());
  peer.publish_ = *publish;
  switch (peer.kind_) {
    case Kind::carillon:
      peer.dialect_ = std::make_unique<CarillonDialect>(*peer.target_);
      break;
    case Kind::floor:
      peer.dialect_ = std::make_unique<PlainDialect>("/");
      break;
  }
  return peer;
}

Result<std::unique_ptr<Publisher>> Peer::open_publisher(const Mark& mark) const {
  auto line = Line::open(publish_, kind_ == Kind::carillon ? &target_->tls() : nullptr);
  if (!line) return std::unexpected(line.error());
  if (kind_ == Kind::floor) return std::make_unique<FloorPublisher>(std::move(*line), mark);
  return std::make_unique<CarillonPublisher>(std::move(*line), *target_, mark);
}

}  // namespace carillon::bench
