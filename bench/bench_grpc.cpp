// What one PublishStream of one client gets through: events answered in a second, in order, and how long an answer
// takes while the stream is as full as the server lets it be.
//
//     bench_grpc HOST:PORT CA_FILE TOKEN_FILE SECONDS REPORT_FILE

#include <carillon/v1/events.grpc.pb.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace carillon;
using Clock = std::chrono::steady_clock;

std::string read_file(const char* path) {
  std::ifstream stream(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

v1::Event make_event(const std::string& run, std::uint64_t number) {
  v1::Event event;
  event.set_id(run + std::to_string(number));
  event.set_user_id("user-" + std::to_string(number % 1000));
  v1::OrderUpdate& order = *event.mutable_order_update();
  order.set_order_id("order-" + event.id());
  order.set_instrument_id("BTC/USDT");
  order.set_status(v1::OrderUpdate::PARTIALLY_FILLED);
  order.set_side(v1::OrderUpdate::BUY);
  order.set_type(v1::OrderUpdate::LIMIT);
  order.set_quantity_total("1.50");
  order.set_quantity_filled("0.10");
  order.set_price_avg_filled("64000.10");
  return event;
}

// Who sends and who takes the answers have a thread each, as a stream's two sides may.
class Publishing {
 public:
  Publishing(v1::EventService::Stub& stub, const std::string& token, std::chrono::seconds time) : time_(time) {
    context_.AddMetadata("authorization", "Bearer " + token);
    stream_ = stub.PublishStream(&context_);
  }

  // Whether every event was accepted, and its answer the next one.
  bool run() {
    const Clock::time_point began = Clock::now();
    std::thread sender([&] { send(began + time_); });
    v1::Answer answer;
    bool is_good = true;
    while (stream_->Read(&answer)) {
      is_good =
          is_good && !answer.has_refusal() && !answer.is_duplicate() && answer.id() == run_ + std::to_string(answered_);
      ++answered_;
      if (answered_ % kSampleEvery == 0)
        took_.push_back(Clock::now() - sent_at_[answered_ / kSampleEvery % kSamples].load());
    }
    took_all_ = Clock::now() - began;
    sender.join();
    const grpc::Status status = stream_->Finish();
    if (!status.ok()) std::fprintf(stderr, "bench_grpc: %s\n", status.error_message().c_str());
    return is_good && status.ok() && answered_ == sent_;
  }

  double events_per_second() const {
    return static_cast<double>(answered_) / std::chrono::duration<double>(took_all_).count();
  }
  double percentile_ms(double share) {
    if (took_.empty()) return 0;
    const auto at = took_.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(took_.size() - 1));
    std::nth_element(took_.begin(), at, took_.end());
    return std::chrono::duration<double, std::milli>(*at).count();
  }

 private:
  static constexpr std::uint64_t kSampleEvery = 64;
  static constexpr std::uint64_t kSamples = 4096;  // more than are ever under way

  void send(Clock::time_point end) {
    while (Clock::now() < end) {
      const v1::Event event = make_event(run_, sent_);
      ++sent_;
      if (sent_ % kSampleEvery == 0) sent_at_[sent_ / kSampleEvery % kSamples] = Clock::now();
      if (!stream_->Write(event)) break;
    }
    stream_->WritesDone();
  }

  const std::chrono::seconds time_;
  const std::string run_ = "b" + std::to_string(Clock::now().time_since_epoch().count()) + "-";
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::Event, v1::Answer>> stream_;
  std::vector<std::atomic<Clock::time_point>> sent_at_{kSamples};
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
  std::vector<Clock::duration> took_;
  Clock::duration took_all_{};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "bench_grpc HOST:PORT CA_FILE TOKEN_FILE SECONDS REPORT_FILE\n");
    return 2;
  }
  grpc::SslCredentialsOptions credentials;
  credentials.pem_root_certs = read_file(argv[2]) + "\n";
  const auto stub = v1::EventService::NewStub(grpc::CreateChannel(argv[1], grpc::SslCredentials(credentials)));
  Publishing publishing(*stub, read_file(argv[3]), std::chrono::seconds(std::atoi(argv[4])));
  const bool is_valid = publishing.run();
  std::ofstream report(argv[5]);
  report << "{\"valid\":" << (is_valid ? "true" : "false")
         << ",\"figures\":{\"events_per_second\":" << publishing.events_per_second()
         << ",\"answer_p50_ms\":" << publishing.percentile_ms(0.5)
         << ",\"answer_p99_ms\":" << publishing.percentile_ms(0.99) << "}}\n";
  std::printf("%.0f events/s, answered in %.1f ms (p50), %.1f ms (p99)%s\n", publishing.events_per_second(),
              publishing.percentile_ms(0.5), publishing.percentile_ms(0.99), is_valid ? "" : ": NOT ALL WAS WELL");
  return is_valid ? 0 : 1;
}
