#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "auth/secret.hpp"
#include "base/result.hpp"

namespace carillon::auth {

inline constexpr std::size_t kKeyFileBytesMax = 64 * 1024;

// The whole file. An error's message names the path and says what is wrong. Blocks on disk.
[[nodiscard]] Result<Secret> read_key_file(const std::filesystem::path& path, std::size_t bytes_max = kKeyFileBytesMax);

// The secret of a file made by hand or by tool: raw bytes, without one newline at the end, which editors and `openssl
// rand -hex` leave. A secret that itself ends in that byte is written with another one after it.
[[nodiscard]] std::string_view secret_in(const Secret& file);

}  // namespace carillon::auth
