#include "config/check.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <system_error>
#include <variant>

#include "config/table.hpp"
#include "ingest/grpc_publisher.hpp"
#include "net/listener.hpp"

namespace carillon::config {
namespace {

using Findings = std::vector<Finding>;

void check_input_file(const Row& row, const std::filesystem::path& file, Findings& findings) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0 || ::access(file.c_str(), R_OK) != 0) {
    findings.push_back({row.key, fmt::format("cannot read {}: {}", file.string(), std::strerror(errno))});
  } else if (!S_ISREG(status.st_mode)) {
    findings.push_back({row.key, fmt::format("{} is not a file", file.string())});
  } else if (row.secrecy == Secrecy::secret && (status.st_mode & 077U) != 0) {
    findings.push_back({row.key,
                        fmt::format("{0} may be read by others (mode {1:03o}); better: chmod 600 {0}", file.string(),
                                    status.st_mode & 0777U),
                        true});
  }
}

void check_made_file(const Row& row, const std::filesystem::path& file, Findings& findings) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::absolute(file, error).parent_path();
  if (!std::filesystem::is_directory(folder, error))
    findings.push_back({row.key, fmt::format("there is no folder {}", folder.string())});
}

void check_pages(const Row& row, const std::filesystem::path& folder, Findings& findings) {
  const std::filesystem::path index = folder / "index.html";
  if (::access(index.c_str(), R_OK) != 0)
    findings.push_back({row.key, fmt::format("cannot read {}: {}", index.string(), std::strerror(errno))});
}

void check_files(Config& config, Findings& findings) {
  for (const Row& row : table()) {
    if (const auto* file = std::get_if<File>(&row.shape)) {
      const std::filesystem::path& path = file->of(config);
      if (path.empty()) continue;
      const auto check_one = file->use == FileUse::made    ? check_made_file
                             : file->use == FileUse::pages ? check_pages
                                                           : check_input_file;
      check_one(row, path, findings);
    } else if (const auto* files = std::get_if<Files>(&row.shape)) {
      for (const std::filesystem::path& path : files->of(config)) check_input_file(row, path, findings);
    }
  }
}

// An algorithm without a key would refuse every token, which nobody means.
void check_keys_fit_algorithms(const Config& config, Findings& findings) {
  if (!config.auth.tokens.jwks_file.empty()) return;
  const auto is_symmetric = [](auth::Algorithm algorithm) { return auth::kHmacAlgorithms.has(algorithm); };
  const auto& algorithms = config.auth.tokens.algorithms;
  if (std::ranges::any_of(algorithms, is_symmetric) && config.auth.tokens.hmac_secret_file.empty())
    findings.push_back({"auth.hmac_secret_file",
                        "auth.algorithms has HS algorithms; name their secret here, or a key "
                        "set in auth.jwks_file, or leave them out"});
  if (!std::ranges::all_of(algorithms, is_symmetric) && config.auth.tokens.public_key_files.empty())
    findings.push_back({"auth.public_key_files",
                        "auth.algorithms has algorithms with public keys; name the keys here, "
                        "or a key set in auth.jwks_file, or leave them out"});
}

void check_addresses(const Config& config, Findings& findings) {
  const net::Endpoint& admin = config.server.admin_listen;
  if (admin.port != 0 && admin.text() == config.server.listen.text())
    findings.push_back({"server.admin_listen", "cannot be the same as server.listen"});
  if (!admin.address.is_loopback())
    findings.push_back({"server.admin_listen",
                        fmt::format("{} is not a loopback address: health and metrics are served there in clear text "
                                    "to whoever reaches it",
                                    admin.text()),
                        true});
}

void check_congestion_control(const Config& config, Findings& findings) {
  const std::string& name = config.server.congestion_control;
  if (name.empty()) return;
  if (auto valid = net::check_congestion_control(name); !valid)
    findings.push_back({"server.congestion_control", valid.error().message});
}

// What a client may resume from is known only as well as what came before it (duplicates: one hour).
void check_log(const Config& config, Findings& findings) {
  const auto& log = config.log;
  if (log.kind == LogKind::journal) return;
  if (log.history < config.window.age + std::chrono::hours{1})
    findings.push_back({"log.history",
                        "is less than window.age and one hour more: a node that has just started may repeat an event "
                        "that another one knows as a repeat",
                        true});
  if (log.retention < log.history)
    findings.push_back({"log.retention", "is less than log.history: a node could not read what it asks for", true});
  if (log.tls.certificate.empty() != log.tls.private_key.empty())
    findings.push_back({"log.tls.certificate", "log.tls.certificate and log.tls.private_key go together"});
  if (log.kind == LogKind::kafka && log.kafka.sasl_mechanism != SaslMechanism::none &&
      (log.kafka.username.empty() || log.password_file.empty()))
    findings.push_back({"log.kafka.sasl_mechanism", "needs log.kafka.username and log.password_file"});
}

void check_grpc(const Config& config, Findings& findings) {
  constexpr std::string_view kKey = "grpc.listen";
  if (config.grpc.listen.empty()) return;
  if (!ingest::GrpcPublisher::kIsBuilt)
    findings.push_back({kKey, "this build has no gRPC; leave it empty, or build with -DCARILLON_GRPC=ON"});
  else if (!net::Endpoint::parse(config.grpc.listen))
    findings.push_back({kKey, R"(must be empty or an IP address and port such as "127.0.0.1:9443")"});
  else if (config.grpc.listen == config.server.listen.text() || config.grpc.listen == config.server.admin_listen.text())
    findings.push_back({kKey, "cannot be the same as server.listen or server.admin_listen"});
}

}  // namespace

std::vector<Finding> check(Config& config) {
  Findings findings;
  check_files(config, findings);
  check_keys_fit_algorithms(config, findings);
  check_addresses(config, findings);
  check_congestion_control(config, findings);
  check_log(config, findings);
  check_grpc(config, findings);
  return findings;
}

}  // namespace carillon::config
