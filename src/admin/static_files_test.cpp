#include "admin/static_files.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <string>

namespace carillon::admin {
namespace {

namespace fs = std::filesystem;

class StaticFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string made = (fs::temp_directory_path() / "carillon-pages-XXXXXX").string();
    ASSERT_NE(::mkdtemp(made.data()), nullptr);
    folder_ = made;
    write("index.html", "<p>home</p>");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, std::string_view content) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  [[nodiscard]] StaticFiles read() const {
    auto files = StaticFiles::read(folder_, "/console");
    EXPECT_TRUE(files.has_value());
    return files ? std::move(*files) : StaticFiles();
  }
  [[nodiscard]] std::set<std::string> paths() const {
    std::set<std::string> paths;
    for (const net::Route& route : read().routes()) paths.insert(route.method + ' ' + route.path);
    return paths;
  }
  [[nodiscard]] ErrorKind failure(const StaticFiles::Limits& limits = {}) const {
    const auto files = StaticFiles::read(folder_, "/console", limits);
    EXPECT_FALSE(files.has_value());
    return files ? ErrorKind::internal : files.error().kind;
  }

  static std::string field(const net::HttpResponse& response, std::string_view name) {
    for (const auto& [each, value] : response.fields)
      if (each == name) return value;
    return {};
  }
  static net::HttpResponse ask(const Page& page, std::string query = {}, std::string if_none_match = {}) {
    net::HttpHead head;
    head.query = std::move(query);
    if (!if_none_match.empty()) head.fields.emplace_back("if-none-match", std::move(if_none_match));
    return answer(page, head);
  }

  fs::path folder_;
};

TEST_F(StaticFilesTest, EachFileHasOnePathAndAFolderItsIndex) {
  write("reference/index.html", "<p>reference</p>");
  write("assets/app-1a2b.js", "1");
  EXPECT_EQ(paths(),
            (std::set<std::string>{"GET /console", "HEAD /console", "GET /console/", "HEAD /console/",
                                   "GET /console/index.html", "HEAD /console/index.html", "GET /console/reference",
                                   "HEAD /console/reference", "GET /console/reference/", "HEAD /console/reference/",
                                   "GET /console/reference/index.html", "HEAD /console/reference/index.html",
                                   "GET /console/assets/app-1a2b.js", "HEAD /console/assets/app-1a2b.js"}));
  const StaticFiles files = read();
  EXPECT_EQ(files.files(), 3U);
  EXPECT_EQ(files.bytes(), 28U);
  EXPECT_EQ(ask(*files.find("/console/")).shared_body, ask(*files.find("/console/index.html")).shared_body);
  EXPECT_EQ(*ask(*files.find("/console/reference/")).shared_body, "<p>reference</p>");
  EXPECT_EQ(field(ask(*files.find("/console")), "Location"), "/console/");
  EXPECT_EQ(field(ask(*files.find("/console/reference")), "Location"), "/console/reference/");
  EXPECT_EQ(ask(*files.find("/console")).status, 308);
}

TEST_F(StaticFilesTest, LeavesOutLinksOddNamesAndOtherKinds) {
  fs::create_directory(folder_ / "inside");
  fs::create_symlink("/etc/hostname", folder_ / "link.txt");
  fs::create_directory_symlink("/etc", folder_ / "etc");
  fs::create_symlink("index.html", folder_ / "home.html");
  write("a b.js", "1");
  write("\xc3\xa4.js", "1");
  write("run.sh", "1");
  write("noextension", "1");
  const StaticFiles files = read();
  EXPECT_EQ(files.files(), 1U);
  EXPECT_EQ(files.left_out(), 7U);
  EXPECT_EQ(paths().size(), 6U);
}

TEST_F(StaticFilesTest, ReadsOnceAndThenNoMore) {
  const StaticFiles files = read();
  write("index.html", "<p>later</p>");
  fs::remove_all(folder_);
  EXPECT_EQ(*ask(*files.find("/console/")).shared_body, "<p>home</p>");
}

TEST_F(StaticFilesTest, IsAFolderWithAnIndexAndWithinItsBounds) {
  write("more.txt", "123456");
  EXPECT_EQ(failure({.files_max = 1}), ErrorKind::full);
  EXPECT_EQ(failure({.file_bytes_max = 10}), ErrorKind::full);
  EXPECT_EQ(failure({.bytes_max = 16}), ErrorKind::full);
  EXPECT_TRUE(StaticFiles::read(folder_, "/console", {.files_max = 2, .file_bytes_max = 11, .bytes_max = 17}));
  fs::remove(folder_ / "index.html");
  EXPECT_EQ(failure(), ErrorKind::not_found);
  fs::remove_all(folder_);
  EXPECT_EQ(failure(), ErrorKind::unavailable);
}

TEST_F(StaticFilesTest, SaysWhatItIsAndHowLongItMayBeKept) {
  write("assets/app-1a2b.css", "p{}");
  const StaticFiles files = read();
  const auto home = ask(*files.find("/console/"));
  EXPECT_EQ(home.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(home.cache_control, "no-cache");
  const auto style = ask(*files.find("/console/assets/app-1a2b.css"));
  EXPECT_EQ(style.content_type, "text/css; charset=utf-8");
  EXPECT_EQ(style.cache_control, "public, max-age=31536000, immutable");
  EXPECT_NE(field(style, "ETag"), field(home, "ETag"));
  for (const auto& response : {home, style, ask(*files.find("/console")), ask(*files.find("/console/"), "token=x")}) {
    EXPECT_TRUE(field(response, "Content-Security-Policy").starts_with("default-src 'none'; script-src 'self';"));
    EXPECT_EQ(field(response, "Referrer-Policy"), "no-referrer");
    EXPECT_EQ(field(response, "Cross-Origin-Opener-Policy"), "same-origin");
    EXPECT_EQ(field(response, "Cross-Origin-Resource-Policy"), "same-origin");
  }
}

TEST_F(StaticFilesTest, AnswersThatNothingHasChanged) {
  const StaticFiles files = read();
  const Page& home = *files.find("/console/");
  for (const std::string& list : {home.etag, "W/" + home.etag, "\"x\" ,\t" + home.etag, std::string("*")})
    EXPECT_EQ(ask(home, {}, list).status, 304) << list;
  EXPECT_EQ(field(ask(home, {}, home.etag), "ETag"), home.etag);
  for (const std::string& list : {std::string("\"x\""), std::string(","), home.etag.substr(1), "x" + home.etag})
    EXPECT_EQ(ask(home, {}, list).status, 200) << list;
}

TEST_F(StaticFilesTest, RefusesATokenInTheQuery) {
  const StaticFiles files = read();
  for (const char* path : {"/console", "/console/"})
    for (const char* query : {"token=a", "x=1&access_token=a", "%74oken=a"}) {
      EXPECT_EQ(ask(*files.find(path), query).status, 400);
      EXPECT_EQ(field(ask(*files.find(path), query), "Location"), "");
    }
  EXPECT_EQ(ask(*files.find("/console/"), "tokens=a").status, 200);
}

}  // namespace
}  // namespace carillon::admin
