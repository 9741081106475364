#include "app/console_files.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include "telemetry/log.hpp"

namespace carillon::app {

using telemetry::Level;

namespace {

constexpr const char* kBase = "/console";

std::filesystem::path folder_beside_the_program() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "console";
}

}  // namespace

Result<std::shared_ptr<const admin::StaticFiles>> load_console(const config::Config::Console& config) {
  if (!config.enabled) return nullptr;
  const bool is_named = !config.directory.empty();
  const std::filesystem::path folder = is_named ? config.directory : folder_beside_the_program();
  std::error_code error;
  if (!is_named && !std::filesystem::exists(folder / "index.html", error)) {
    telemetry::log(Level::info, "console not served", {{"reason", "no console/index.html beside the program"}});
    return nullptr;
  }
  auto files = admin::StaticFiles::read(folder, kBase);
  if (!files) return fail(files.error().kind, "the console cannot be served: " + files.error().message);
  telemetry::log(Level::info, "console served",
                 {{"directory", folder.string()},
                  {"files", files->files()},
                  {"bytes", files->bytes()},
                  {"left_out", files->left_out()}});
  return std::make_shared<const admin::StaticFiles>(std::move(*files));
}

}  // namespace carillon::app
