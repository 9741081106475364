#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace carillon::app {

inline constexpr const char* kDevFolder = ".carillon";

struct DevSetup {
  std::filesystem::path config;
  std::vector<std::string> made;  // names of the files that were missing, expired or did not fit, and are new
};

// Makes sure that `folder` (mode 0700, its files 0600) holds what a development server needs: a certificate authority
// (ca.pem, ten years), a server certificate for localhost, 127.0.0.1 and ::1 (server.pem, 90 days), an HMAC secret,
// carillon.toml, and tokens of the demo users alice, bob, agent and admin (NAME.token, 30 days), and one of alice's
// that has the grant admin (alice-admin.token). Keeps what is good, so that it may be called at every start; renews
// what expires within a week, a token within a day. Never writes over a carillon.toml, which may have been edited.
// Blocks on disk.
[[nodiscard]] Result<DevSetup> prepare_dev_setup(const std::filesystem::path& folder, WallTime now);

}  // namespace carillon::app
