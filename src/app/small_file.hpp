#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

// Whole files: keys, tokens, configurations. Block on disk; an error's message names the file.
namespace carillon::app {

// `not_found` when it is not there.
[[nodiscard]] Result<std::string> read_small_file(const std::filesystem::path& file, std::size_t bytes_max = 64 * 1024);

// Mode 0600, and never half written: whoever reads sees the old content or the new.
[[nodiscard]] Result<> write_private_file(const std::filesystem::path& file, std::string_view content);

}  // namespace carillon::app
