#include "ingest/grpc_publisher.hpp"

// Stands in for grpc_publisher.cpp in a build without gRPC.
#if !CARILLON_GRPC

namespace carillon::ingest {

struct GrpcPublisher::State {};

const bool GrpcPublisher::kIsBuilt = false;

GrpcPublisher::GrpcPublisher(Options /*options*/, eventlog::EventLog& /*log*/,
                             std::shared_ptr<const auth::Verifier> /*verifier*/, const Clock& /*clock*/,
                             telemetry::Registry& /*metrics*/) {}
GrpcPublisher::~GrpcPublisher() = default;

Result<> GrpcPublisher::start() {
  return fail(ErrorKind::invalid, "this build has no gRPC");
}
void GrpcPublisher::stop() {}

}  // namespace carillon::ingest

#endif
