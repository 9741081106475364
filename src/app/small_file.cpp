#include "app/small_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "net/fd.hpp"

namespace carillon::app {
namespace {

std::unexpected<Error> refuse(const char* what, const std::filesystem::path& file) {
  const int code = errno;
  const auto kind = code == ENOENT ? ErrorKind::not_found : code == EACCES ? ErrorKind::denied : ErrorKind::invalid;
  return fail(kind, std::string("cannot ") + what + " " + file.string() + ": " +
                        std::error_code(code, std::generic_category()).message());
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

Result<std::string> read_small_file(const std::filesystem::path& file, std::size_t bytes_max) {
  const net::Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) return refuse("read", file);
  std::string content(bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t n = ::read(fd.get(), content.data() + size, content.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return refuse("read", file);
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  if (size > bytes_max)
    return fail(ErrorKind::invalid, file.string() + " is larger than " + std::to_string(bytes_max) + " bytes");
  content.resize(size);
  return content;
}

Result<> write_private_file(const std::filesystem::path& file, std::string_view content) {
  std::filesystem::path half = file;
  half += ".new";
  const net::Fd fd(::open(half.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  const bool is_written = fd.is_open() && ::fchmod(fd.get(), 0600) == 0 && write_all(fd.get(), content) &&
                          ::fsync(fd.get()) == 0 && ::rename(half.c_str(), file.c_str()) == 0;
  if (!is_written) return refuse("write", file);
  return {};
}

}  // namespace carillon::app
