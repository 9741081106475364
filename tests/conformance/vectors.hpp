#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

namespace carillon {

// Where the test data from outside the repository is: in the folder that CARILLON_VECTORS names, or in shared/vectors
// beside the repository or above. Nothing: it is not there, and the test has to say so.
inline std::optional<std::filesystem::path> vectors_folder() {
  if (const char* named = std::getenv("CARILLON_VECTORS")) return std::filesystem::path(named);
  for (std::filesystem::path folder = std::filesystem::current_path();; folder = folder.parent_path()) {
    const std::filesystem::path candidate = folder / "shared" / "vectors";
    if (std::filesystem::is_directory(candidate)) return candidate;
    if (folder == folder.parent_path()) return std::nullopt;
  }
}

inline std::string read_vectors(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace carillon
