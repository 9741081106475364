#include "app/publish_command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <random>
#include <system_error>
#include <utility>

#include "app/complaint.hpp"
#include "app/http_client.hpp"
#include "app/line_reader.hpp"
#include "app/publisher.hpp"
#include "app/server_access.hpp"
#include "net/fd.hpp"
#include "protocol/envelope.hpp"

namespace carillon::app {
namespace {

// What comes within this time of the first line of a batch goes with it.
constexpr milliseconds kBatchWindow{50};
constexpr milliseconds kForever{-1};

// How far a long input has come, on one line of the terminal that is written over.
class Progress {
 public:
  Progress(bool is_terminal, std::uint64_t bytes_in_all) : is_terminal_(is_terminal), bytes_in_all_(bytes_in_all) {}

  void show(const Publisher::Tally& tally, std::uint64_t bytes_read) {
    const MonoTime now = SystemClock().mono_now();
    const bool is_long = bytes_in_all_ > kLongBytes || tally.accepted > kLongLines;
    if (!is_terminal_ || !is_long || now < next_) return;
    next_ = now + kBetween;
    std::string text = fmt::format("{} published", tally.accepted + tally.duplicates);
    if (tally.refused > 0) text += fmt::format(", {} refused", tally.refused);
    if (bytes_in_all_ > 0) text += fmt::format(", {} %", std::min(bytes_read, bytes_in_all_) * 100 / bytes_in_all_);
    std::fprintf(stderr, "\r\x1b[K%s", text.c_str());
    is_shown_ = true;
  }
  void clear() {
    if (std::exchange(is_shown_, false)) std::fputs("\r\x1b[K", stderr);
  }

 private:
  static constexpr std::uint64_t kLongBytes = 1024 * 1024;
  static constexpr std::uint64_t kLongLines = 10'000;
  static constexpr milliseconds kBetween{200};

  bool is_terminal_;
  std::uint64_t bytes_in_all_;  // 0: not known
  MonoTime next_{};
  bool is_shown_ = false;
};

// Batches of prepared envelopes out of a file or pipe.
class Input {
 public:
  Input(int fd, const Interrupt& interrupt) : fd_(fd), interrupt_(interrupt) {}

  // Fills `batch` until it is full, the window has passed, or the input is at its end. Refused lines are told to
  // `publisher`. False: there is nothing more.
  bool fill(std::vector<EnvelopeLine>& batch, Publisher& publisher);
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }  // why the input ended early; empty: it did not

 private:
  [[nodiscard]] std::optional<EnvelopeLine> next_line(Publisher& publisher);
  bool read_more(milliseconds patience);

  int fd_;
  const Interrupt& interrupt_;
  LineReader lines_{protocol::kPublishBytesMax + 1};
  std::optional<EnvelopeLine> held_back_;  // did not fit into the last batch
  std::uint64_t bytes_read_ = 0;
  bool is_at_end_ = false;
  std::string trouble_;
};

bool Input::fill(std::vector<EnvelopeLine>& batch, Publisher& publisher) {
  std::size_t bytes = 0;
  std::optional<MonoTime> window_end;
  while (batch.size() < Publisher::kBatchLinesMax) {
    auto line = next_line(publisher);
    if (line) {
      bytes += line->text.size() + 1;
      if (!batch.empty() && bytes > Publisher::kBatchBytesMax) {
        held_back_ = std::move(line);
        break;
      }
      batch.push_back(std::move(*line));
      if (!window_end) window_end = SystemClock().mono_now() + kBatchWindow;
      continue;
    }
    if (is_at_end_) break;
    const MonoTime now = SystemClock().mono_now();
    if (window_end && now >= *window_end) break;
    read_more(window_end ? std::chrono::ceil<milliseconds>(*window_end - now) : kForever);
  }
  return !batch.empty() || !is_at_end_;
}

std::optional<EnvelopeLine> Input::next_line(Publisher& publisher) {
  if (held_back_) return std::exchange(held_back_, std::nullopt);
  while (auto line = lines_.next()) {
    auto envelope = prepare_envelope(line->text, make_event_id());
    if (envelope) return EnvelopeLine{line->number, std::move(*envelope)};
    publisher.refuse(line->number, envelope.error().message);
  }
  return std::nullopt;
}

bool Input::read_more(milliseconds patience) {
  const auto waited = interrupt_.wait_for(fd_, POLLIN, patience);
  if (waited == Interrupt::Waited::timeout) return true;
  std::array<char, 64 * 1024> buffer;
  const ssize_t n = waited == Interrupt::Waited::ready ? ::read(fd_, buffer.data(), buffer.size()) : 0;
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (n < 0) trouble_ = std::error_code(errno, std::generic_category()).message();
  if (n > 0) {
    bytes_read_ += static_cast<std::uint64_t>(n);
    lines_.feed({buffer.data(), static_cast<std::size_t>(n)});
    return true;
  }
  // A line that the user cut off with Ctrl-C was not meant to be sent.
  if (waited == Interrupt::Waited::ready) lines_.finish();
  is_at_end_ = true;
  return false;
}

std::uint64_t size_of(int fd) {
  struct stat status{};
  const bool is_file = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  return is_file ? static_cast<std::uint64_t>(status.st_size) : 0;
}

Publisher::World world_of(const ResolvedAccess& access, HttpClient& client, const Interrupt& interrupt,
                          Progress& progress) {
  const auto call = [&](std::string_view lines) -> Result<HttpReply> {
    const auto token = access.current_token();
    if (!token) return std::unexpected(token.error());
    return client.call({"POST", "/v1/events", *token, "application/x-ndjson", lines});
  };
  const auto wait = [&](milliseconds time) { return interrupt.wait(time) == Interrupt::Waited::timeout; };
  const auto tell = [&](const std::string& what) {
    progress.clear();
    std::fprintf(stderr, "%s\n", for_terminal(what).c_str());
  };
  return {call, wait, tell};
}

int publish(int input_fd, const ResolvedAccess& access) {
  const Interrupt interrupt;
  HttpClient client(access.server, access.ca_file, interrupt);
  Progress progress(::isatty(STDERR_FILENO) == 1, size_of(input_fd));
  Publisher publisher(world_of(access, client, interrupt, progress), std::random_device()());
  Input input(input_fd, interrupt);
  std::string trouble;
  std::vector<EnvelopeLine> batch;
  while (trouble.empty() && input.fill(batch, publisher)) {
    const std::uint64_t first_line = batch.empty() ? 0 : batch.front().number;
    if (auto published = publisher.publish(std::exchange(batch, {})); !published)
      trouble = fmt::format("stopped at line {}: {}", first_line, published.error().message);
    progress.show(publisher.tally(), input.bytes_read());
  }
  progress.clear();
  if (trouble.empty() && !input.trouble().empty()) trouble = "cannot read the input: " + input.trouble();
  const Publisher::Tally& tally = publisher.tally();
  fmt::print("{} accepted, {} duplicates, {} refused\n", tally.accepted, tally.duplicates, tally.refused);
  if (!trouble.empty()) return complain(trouble);
  return tally.refused == 0 ? kExitOk : kExitFailed;
}

}  // namespace

int run(const PublishCommand& command) {
  const auto access = resolve_access(command.server, "agent");
  if (!access) return complain(access.error().message);
  if (command.input == "-") return publish(STDIN_FILENO, *access);
  const net::Fd file(::open(command.input.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open())
    return complain("cannot read " + command.input.string() + ": " +
                    std::error_code(errno, std::generic_category()).message());
  return publish(file.get(), *access);
}

}  // namespace carillon::app
