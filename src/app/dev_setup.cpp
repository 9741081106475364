#include "app/dev_setup.hpp"

#include <openssl/rand.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "app/dev_certificate.hpp"
#include "app/small_file.hpp"
#include "auth/key_set.hpp"
#include "auth/minter.hpp"
#include "auth/options.hpp"
#include "auth/verifier.hpp"
#include "base/base64url.hpp"

namespace carillon::app {
namespace {

namespace fs = std::filesystem;

constexpr int kRenewalDays = 7;
constexpr std::chrono::days kTokenLifetime{30};
constexpr std::chrono::days kTokenRenewal{1};
constexpr std::size_t kSecretBytes = 32;
constexpr const char* kIssuer = "carillon-development";

struct DemoToken {
  const char* name;
  const char* user;
  const char* scope;
};
constexpr std::array<DemoToken, 5> kDemoTokens = {{{"alice", "alice", "signals orders alerts"},
                                                   {"alice-admin", "alice", "signals orders alerts admin"},
                                                   {"bob", "bob", "signals orders alerts"},
                                                   {"agent", "agent", "publish"},
                                                   {"admin", "admin", "signals orders alerts publish admin"}}};

constexpr std::string_view kConfig =
    R"(# Made by `carillon serve --dev`, which keeps it as you edit it. All keys: docs/configuration.md

[server]
listen = "127.0.0.1:8443"
admin_listen = "127.0.0.1:8444"
certificate = "server.pem"
private_key = "server.key"

[auth]
algorithms = ["HS256"]
hmac_secret_file = "hmac.secret"
issuer = "carillon-development"

[log.journal]
path = "journal.db"
)";

Result<> make_folder(const fs::path& folder) {
  std::error_code error;
  const fs::path parent = folder.parent_path();
  if (!parent.empty()) fs::create_directories(parent, error);
  const bool is_there = ::mkdir(folder.c_str(), 0700) == 0 || (errno == EEXIST && fs::is_directory(folder, error));
  if (!is_there || ::chmod(folder.c_str(), 0700) != 0)
    return fail(ErrorKind::denied, "cannot make the folder " + folder.string() + ": " +
                                       std::error_code(errno, std::generic_category()).message());
  return {};
}

// The parts of one setup, each kept where it is good and made where it is not.
class Preparing {
 public:
  Preparing(const fs::path& folder, WallTime now) : folder_(folder), now_(now) {}

  Result<> authority();
  Result<> server_certificate();
  Result<> secret();
  Result<> config();
  Result<> tokens();
  std::vector<std::string> made;

 private:
  // What the file holds; empty when it is not there or not readable, and is therefore made again.
  std::string read(const std::string& name) const { return read_small_file(folder_ / name).value_or(""); }
  Result<> write(const std::string& name, std::string_view content) {
    made.push_back(name);
    return write_private_file(folder_ / name, content);
  }
  Result<> write_pair(const std::string& name, const Result<CertifiedKey>& pair);

  const fs::path& folder_;
  WallTime now_;
  CertifiedKey authority_;
};

Result<> Preparing::write_pair(const std::string& name, const Result<CertifiedKey>& pair) {
  if (!pair) return std::unexpected(pair.error());
  if (auto written = write(name + ".key", pair->private_key); !written) return written;
  return write(name + ".pem", pair->certificate);
}

Result<> Preparing::authority() {
  authority_ = {read("ca.pem"), read("ca.key")};
  if (is_usable(authority_, now_, kRenewalDays)) return {};
  const Result<CertifiedKey> made_now = make_authority(now_);
  if (made_now) authority_ = *made_now;
  return write_pair("ca", made_now);
}

Result<> Preparing::server_certificate() {
  const CertifiedKey server{read("server.pem"), read("server.key")};
  if (is_usable(server, now_, kRenewalDays) && is_signed_by(server.certificate, authority_.certificate)) return {};
  return write_pair("server", make_server_certificate(authority_, now_));
}

Result<> Preparing::secret() {
  if (read("hmac.secret").size() > kSecretBytes) return {};
  std::string bytes(kSecretBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1)
    return fail(ErrorKind::internal, "the system gives no random bytes");
  std::string text;
  append_base64url(text, bytes);
  return write("hmac.secret", text + '\n');
}

Result<> Preparing::config() {
  std::error_code error;
  if (fs::exists(folder_ / "carillon.toml", error)) return {};
  return write("carillon.toml", kConfig);
}

Result<> Preparing::tokens() {
  auth::Options options;
  options.hmac_secret_file = folder_ / "hmac.secret";
  options.issuer = kIssuer;
  const auto keys = auth::KeySet::load(options);
  if (!keys) return std::unexpected(keys.error());
  const auth::Verifier verifier(options, *keys);
  const auto minter = auth::Minter::load(auth::Algorithm::hs256, options.hmac_secret_file);
  if (!minter) return std::unexpected(minter.error());
  for (const DemoToken& demo : kDemoTokens) {
    const std::string file = std::string(demo.name) + ".token";
    std::string token = read(file);
    if (token.ends_with('\n')) token.pop_back();
    if (verifier.verify(token, now_ + kTokenRenewal)) continue;
    auth::TokenRequest request;
    request.user_id = demo.user;
    request.scope = demo.scope;
    request.issuer = kIssuer;
    request.lifetime = kTokenLifetime;
    const auto minted = minter->mint(request, now_);
    if (!minted) return std::unexpected(minted.error());
    if (auto written = write(file, *minted + '\n'); !written) return written;
  }
  return {};
}

}  // namespace

Result<DevSetup> prepare_dev_setup(const fs::path& folder, WallTime now) {
  if (auto made = make_folder(folder); !made) return std::unexpected(made.error());
  Preparing preparing(folder, now);
  for (const auto part : {&Preparing::authority, &Preparing::server_certificate, &Preparing::secret, &Preparing::config,
                          &Preparing::tokens})
    if (auto done = (preparing.*part)(); !done) return std::unexpected(done.error());
  return DevSetup{folder / "carillon.toml", std::move(preparing.made)};
}

}  // namespace carillon::app
