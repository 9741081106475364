#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "base/ensure.hpp"

namespace carillon::app {

// A folder for one test, gone with everything in it when the test ends.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "carillon-XXXXXX").string()) {
    std::string made = path_.string();
    ensure(::mkdtemp(made.data()) != nullptr, "a temporary folder can be made");
    path_ = made;
  }
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace carillon::app
