#include "eventlog/journal_mark.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/siphash.hpp"

namespace carillon::eventlog {
namespace {

// The file's whole content.
struct MarkImage {
  char magic[8] = {'C', 'R', 'L', 'N', 'M', 'A', 'R', 'K'};
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::uint64_t checksum = 0;
};
static_assert(sizeof(MarkImage) == 32);

std::uint64_t checksum_of(const MarkImage& image) {
  const auto* bytes = reinterpret_cast<const char*>(&image);
  return siphash({}, std::string_view(bytes, offsetof(MarkImage, checksum)));
}

std::optional<Acknowledged> read_mark(int descriptor) {
  MarkImage image;
  if (::pread(descriptor, &image, sizeof image, 0) != static_cast<ssize_t>(sizeof image)) return std::nullopt;
  if (std::memcmp(image.magic, MarkImage{}.magic, sizeof image.magic) != 0) return std::nullopt;
  if (image.checksum != checksum_of(image)) return std::nullopt;
  return Acknowledged{static_cast<std::uint32_t>(image.epoch), image.sequence};
}

std::string system_text(int error) {
  return std::generic_category().message(error);
}

}  // namespace

Result<JournalMark> JournalMark::take(const std::string& journal_path) {
  const std::string path = journal_path + "-mark";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return fail(ErrorKind::unavailable, "cannot open " + path + ": " + system_text(errno));
  JournalMark mark(path, descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return fail(ErrorKind::unavailable, journal_path + " is in use by another process");
    return fail(ErrorKind::unavailable, "cannot lock " + path + ": " + system_text(errno));
  }
  mark.found_ = read_mark(descriptor);
  return mark;
}

JournalMark::~JournalMark() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

JournalMark::JournalMark(JournalMark&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), found_(other.found_) {}

void JournalMark::write(const Acknowledged& acknowledged) {
  MarkImage image;
  image.epoch = acknowledged.epoch;
  image.sequence = acknowledged.sequence;
  image.checksum = checksum_of(image);
  [[maybe_unused]] const ssize_t written = ::pwrite(descriptor_, &image, sizeof image, 0);
}

}  // namespace carillon::eventlog
