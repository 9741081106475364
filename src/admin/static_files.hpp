#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "net/http_server.hpp"

namespace carillon::admin {

// What one path of the web gives: a file as it was when it was read, or the path where it is to be asked for.
struct Page {
  std::string_view content_type;
  std::string_view cache_control;
  std::string etag;                            // with its quotes
  std::shared_ptr<const std::string> content;  // null: redirects to
  std::string location;
};

// Answers GET and HEAD (200, 304 by If-None-Match, 308), or 400 where the query has a token. Every answer lets a
// browser run and load only what this server serves, and lets no other site frame or read it.
[[nodiscard]] net::HttpResponse answer(const Page& page, const net::HttpHead& head);

// A folder's files for the web, read once: no request reaches the file system. Changes no more, so any thread may use
// it. Left out are links, names with other characters than [A-Za-z0-9._~-], and kinds of file that a page has no use
// for.
class StaticFiles {
 public:
  struct Limits {
    std::size_t files_max = 256;
    std::size_t file_bytes_max = 4UL * 1024 * 1024;
    std::size_t bytes_max = 32UL * 1024 * 1024;  // of all files
  };

  // What is in `folder` under `base`, such as "/console". A folder with an index.html is its path with a / at the end;
  // without it, it redirects there. What is in the folder `assets` never changes and may be kept by browsers for ever:
  // its names have the hash of the content in them. `not_found`: no index.html; `full`: beyond a limit; `unavailable`:
  // cannot be read.
  [[nodiscard]] static Result<StaticFiles> read(const std::filesystem::path& folder, std::string_view base,
                                                const Limits& limits);
  [[nodiscard]] static Result<StaticFiles> read(const std::filesystem::path& folder, std::string_view base) {
    return read(folder, base, Limits());
  }

  // Null: there is nothing at this path.
  [[nodiscard]] const Page* find(std::string_view path) const;
  [[nodiscard]] std::size_t files() const { return files_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t left_out() const { return left_out_; }

  // For each server's own; they keep what they serve alive.
  [[nodiscard]] std::vector<net::Route> routes() const;

 private:
  struct Reading;

  std::map<std::string, std::shared_ptr<const Page>, std::less<>> pages_;  // by path
  std::size_t files_ = 0, bytes_ = 0, left_out_ = 0;
};

}  // namespace carillon::admin
