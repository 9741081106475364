#include "fanout/peer.hpp"

#include "base/ensure.hpp"
#include "fanout/carillon_peer.hpp"
#include "fanout/floor_peer.hpp"
#include "fanout/line.hpp"
#include "fanout/nats_peer.hpp"
#include "fanout/nchan_peer.hpp"
#include "fanout/receiver.hpp"

namespace carillon::bench {

std::optional<Peer::Kind> Peer::kind_of(const std::string& name) {
  if (name == "carillon") return Kind::carillon;
  if (name == "floor") return Kind::floor;
  if (name == "nats") return Kind::nats;
  if (name == "nchan") return Kind::nchan;
  return std::nullopt;
}

Result<Peer> Peer::make(const PeerOptions& options) {
  const auto kind = kind_of(options.kind);
  if (!kind) return fail(ErrorKind::invalid, "no such peer: " + options.kind + "; carillon, floor, nats or nchan");
  if (kind == Kind::carillon && options.secret.empty())
    return fail(ErrorKind::invalid, "for carillon a --secret is needed");
  auto target = Target::load(options.subscribe, options.ca, options.secret);
  if (!target) return std::unexpected(target.error());
  Receiver::prepare(target->tls());
  const auto publish = net::Endpoint::parse(options.publish);
  if (!publish) return std::unexpected(publish.error());
  Peer peer;
  peer.kind_ = *kind;
  peer.publish_ = *publish;
  peer.target_ = std::make_unique<Target>(std::move(*target));
  switch (*kind) {
    case Kind::carillon:
      peer.dialect_ = std::make_unique<CarillonDialect>(*peer.target_);
      break;
    case Kind::floor:
      peer.dialect_ = std::make_unique<PlainDialect>("/");
      break;
    case Kind::nats:
      peer.dialect_ = std::make_unique<NatsDialect>();
      break;
    case Kind::nchan:
      peer.dialect_ = std::make_unique<PlainDialect>(kNchanSubscribe);
      break;
  }
  return peer;
}

Result<EventCalls> Peer::open_calls() const {
  ensure(kind_ == Kind::carillon, "nobody else has these calls");
  auto line = Line::open(publish_, &target_->tls());
  if (!line) return std::unexpected(line.error());
  return EventCalls(std::move(*line), *target_);
}

Result<std::unique_ptr<Publisher>> Peer::open_publisher(const Mark& mark) const {
  if (kind_ == Kind::carillon) {
    auto calls = open_calls();
    if (!calls) return std::unexpected(calls.error());
    return std::make_unique<CarillonPublisher>(std::move(*calls), mark);
  }
  auto line = Line::open(publish_, nullptr);
  if (!line) return std::unexpected(line.error());
  if (kind_ == Kind::floor) return std::make_unique<FloorPublisher>(std::move(*line), mark);
  if (kind_ == Kind::nchan) return std::make_unique<NchanPublisher>(std::move(*line), publish_, mark);
  auto publisher = std::make_unique<NatsPublisher>(std::move(*line), mark);
  if (auto greeted = publisher->greet(); !greeted) return std::unexpected(greeted.error());
  return publisher;
}

}  // namespace carillon::bench
