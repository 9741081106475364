#include "auth/key_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace carillon::auth {

namespace {

class File {
 public:
  explicit File(const std::filesystem::path& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

std::unexpected<Error> cannot_read(const std::filesystem::path& path, const std::string& why) {
  return fail(ErrorKind::invalid, "cannot read key file " + path.string() + ": " + why);
}

}  // namespace

Result<Secret> read_key_file(const std::filesystem::path& path, std::size_t bytes_max) {
  const auto last_error = [] { return std::error_code(errno, std::generic_category()).message(); };
  const File file(path);
  if (file.descriptor() < 0) return cannot_read(path, last_error());
  // One buffer, never moved, so that no copy of a secret stays behind.
  std::string bytes(bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = ::read(file.descriptor(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(path, last_error());
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > bytes_max) return cannot_read(path, "it is larger than " + std::to_string(bytes_max) + " bytes");
  if (size == 0) return cannot_read(path, "it is empty");
  bytes.resize(size);
  return Secret(std::move(bytes));
}

std::string_view secret_in(const Secret& file) {
  std::string_view secret = file.view();
  if (secret.ends_with('\n')) secret.remove_suffix(1);
  return secret;
}

}  // namespace carillon::auth
