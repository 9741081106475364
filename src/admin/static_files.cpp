#include "admin/static_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>

#include "base/siphash.hpp"

namespace carillon::admin {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kContentTypes = {{
    {".css", "text/css; charset=utf-8"},
    {".html", "text/html; charset=utf-8"},
    {".ico", "image/x-icon"},
    {".jpg", "image/jpeg"},
    {".js", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".png", "image/png"},
    {".svg", "image/svg+xml"},
    {".txt", "text/plain; charset=utf-8"},
    {".wasm", "application/wasm"},
    {".webmanifest", "application/manifest+json"},
    {".webp", "image/webp"},
    {".woff2", "font/woff2"},
    {".yaml", "application/yaml"},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kSecurity = {{
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; "
     "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
}};

constexpr std::string_view kAskAgain = "no-cache";
constexpr std::string_view kKeepForEver = "public, max-age=31536000, immutable";
constexpr std::string_view kIndex = "index.html";
constexpr std::size_t kEntriesMax = 4096;  // looked at; a folder with more is not a console

// Nothing: not served.
std::optional<std::string_view> content_type_of(const fs::path& file) {
  const std::string extension = file.extension().string();
  const auto found = std::ranges::find(kContentTypes, extension, [](const auto& row) { return row.first; });
  if (found == kContentTypes.end()) return std::nullopt;
  return found->second;
}

// That stands in a URL as it is, so that a path has one spelling.
bool is_plain_path(std::string_view path) {
  return std::ranges::all_of(path, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._~-/").contains(c);
  });
}

std::string etag_of(std::string_view content) {
  return fmt::format("\"{:016x}\"", siphash({.low = 0x636172696c6c6f6e, .high = 0x7374617469632d31}, content));
}

// RFC 9110 13.1.2: by the weak comparison.
bool is_listed(std::string_view etag, std::string_view list) {
  while (!list.empty()) {
    std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(item.size() + 1, list.size()));
    item.remove_prefix(std::min(item.find_first_not_of(" \t"), item.size()));
    item = item.substr(0, item.find_last_not_of(" \t") + 1);
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == "*" || item == etag) return true;
  }
  return false;
}

std::unexpected<Error> unreadable(const fs::path& path, const std::error_code& why) {
  return fail(ErrorKind::unavailable, fmt::format("cannot read {}: {}", path.string(), why.message()));
}

Result<std::string> read_file(const fs::path& file, std::size_t bytes_max) {
  std::ifstream stream(file, std::ios::binary);
  std::string content(bytes_max + 1, '\0');
  stream.read(content.data(), std::ssize(content));
  if (!stream.is_open() || stream.bad()) return unreadable(file, {errno, std::generic_category()});
  content.resize(static_cast<std::size_t>(stream.gcount()));
  if (content.size() > bytes_max)
    return fail(ErrorKind::full, fmt::format("{} has more than {} bytes", file.string(), bytes_max));
  content.shrink_to_fit();
  return content;
}

}  // namespace

net::HttpResponse answer(const Page& page, const net::HttpHead& head) {
  net::HttpResponse response;
  if (net::has_token(head.query)) {
    response = net::problem(400, "a token does not belong into the URL");
  } else if (page.content == nullptr) {
    response.status = 308;
    response.content_type = "text/plain";
    response.cache_control = kAskAgain;
    response.fields.emplace_back("Location", page.location);
  } else {
    response.status = is_listed(page.etag, head.joined("if-none-match")) ? 304 : 200;
    response.content_type = page.content_type;
    response.cache_control = page.cache_control;
    response.shared_body = page.content;
    response.fields.emplace_back("ETag", page.etag);
  }
  response.fields.insert(response.fields.end(), kSecurity.begin(), kSecurity.end());
  return response;
}

// One folder under way.
struct StaticFiles::Reading {
  const fs::path& folder;
  std::string_view base;
  const Limits& limits;
  StaticFiles found{};

  Result<> read_all() {
    std::error_code error;
    fs::recursive_directory_iterator at(folder, error);
    for (std::size_t entries = 0; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
      if (++entries > kEntriesMax)
        return fail(ErrorKind::full, fmt::format("{} has more than {} entries", folder.string(), kEntriesMax));
      const fs::file_status status = at->symlink_status(error);
      if (error) break;
      if (fs::is_directory(status)) continue;
      if (auto taken = take(at->path(), status); !taken) return taken;
    }
    if (error) return unreadable(folder, error);
    return {};
  }

  Result<> take(const fs::path& file, const fs::file_status& status) {
    const auto content_type = content_type_of(file);
    const std::string path = file.lexically_relative(folder).generic_string();
    if (!fs::is_regular_file(status) || !content_type || !is_plain_path(path)) {
      ++found.left_out_;
      return {};
    }
    if (++found.files_ > limits.files_max)
      return fail(ErrorKind::full, fmt::format("{} has more than {} files", folder.string(), limits.files_max));
    auto content = read_file(file, limits.file_bytes_max);
    if (!content) return std::unexpected(content.error());
    found.bytes_ += content->size();
    if (found.bytes_ > limits.bytes_max)
      return fail(ErrorKind::full, fmt::format("{} has more than {} bytes", folder.string(), limits.bytes_max));
    auto page = std::make_shared<Page>(Page{.content_type = *content_type,
                                            .cache_control = path.starts_with("assets/") ? kKeepForEver : kAskAgain,
                                            .etag = etag_of(*content),
                                            .content = std::make_shared<const std::string>(std::move(*content)),
                                            .location = {}});
    if (file.filename() == kIndex) put_index(path.substr(0, path.size() - kIndex.size()), page);
    put(path, std::move(page));
    return {};
  }

  // `folder_path` is empty or ends in /.
  void put_index(const std::string& folder_path, const std::shared_ptr<const Page>& page) {
    auto redirect = std::make_shared<Page>();
    redirect->location = fmt::format("{}/{}", base, folder_path);
    found.pages_[redirect->location.substr(0, redirect->location.size() - 1)] = redirect;
    put(folder_path, page);
  }

  void put(std::string_view path, std::shared_ptr<const Page> page) {
    found.pages_[fmt::format("{}/{}", base, path)] = std::move(page);
  }
};

Result<StaticFiles> StaticFiles::read(const fs::path& folder, std::string_view base, const Limits& limits) {
  Reading reading{.folder = folder, .base = base, .limits = limits};
  if (auto read = reading.read_all(); !read) return std::unexpected(read.error());
  if (reading.found.find(fmt::format("{}/", base)) == nullptr)
    return fail(ErrorKind::not_found, fmt::format("{} has no {}", folder.string(), kIndex));
  return std::move(reading.found);
}

const Page* StaticFiles::find(std::string_view path) const {
  const auto found = pages_.find(path);
  return found == pages_.end() ? nullptr : found->second.get();
}

std::vector<net::Route> StaticFiles::routes() const {
  std::vector<net::Route> routes;
  for (const auto& [path, page] : pages_)
    for (const char* method : {"GET", "HEAD"}) {
      net::Route route;
      route.method = method;
      route.path = path;
      route.handle = [page](net::HttpRequest&& request, const net::Responder& responder) {
        responder.respond(answer(*page, request.head));
      };
      routes.push_back(std::move(route));
    }
  return routes;
}

}  // namespace carillon::admin
