#include "brokers/broker_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>

#include "base/ensure.hpp"

namespace carillon::brokers {
namespace {

constexpr int kCannotBeHad = 77;

// On a disk: what a broker does to be durable belongs to what is tested.
std::filesystem::path make_folder(const std::string& kind) {
  const char* chosen = std::getenv("CARILLON_BROKER_FOLDERS");  // NOLINT(concurrency-mt-unsafe): nobody sets it here
  const std::filesystem::path parent = chosen != nullptr ? chosen : std::filesystem::temp_directory_path().string();
  std::string name = (parent / (kind + "-XXXXXX")).string();
  ensure(::mkdtemp(name.data()) != nullptr, "a temporary folder can be made");
  return name;
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Streams {
  std::filesystem::path in;
  std::filesystem::path out;
  std::filesystem::path error;
};

// Runs a program to its end and returns its exit code. Files rather than pipes, which a server that goes on would hold.
int exit_code_of(std::vector<std::string> command, const Streams& streams) {
  std::vector<char*> words;
  for (std::string& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, streams.in.c_str(), O_RDONLY, 0);
  constexpr int kAnew = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, streams.out.c_str(), kAnew, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, streams.error.c_str(), kAnew, 0600);
  pid_t pid = 0;
  const int spawned = ::posix_spawn(&pid, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (spawned != 0 || ::waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

BrokerProcess::BrokerProcess(std::string kind) : kind_(std::move(kind)), folder_(make_folder(kind_)) {
  std::filesystem::create_directory(folder_ / "server");
}

BrokerProcess::~BrokerProcess() {
  (void)kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Result<> BrokerProcess::start(const std::vector<std::string>& settings) {
  std::vector<std::string> arguments;
  for (const std::string& setting : settings) arguments.insert(arguments.end(), {"--set", setting});
  if (auto started = run("start", arguments); !started) return started;
  said_.clear();
  std::istringstream lines(content_of(folder_ / "out"));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos) said_[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return {};
}

Result<> BrokerProcess::stop() {
  return run("stop", {});
}
Result<> BrokerProcess::kill() {
  return run("kill", {});
}
Result<> BrokerProcess::pause() {
  return run("pause", {});
}
Result<> BrokerProcess::resume() {
  return run("resume", {});
}
Result<> BrokerProcess::trim(std::string_view log, std::size_t keep) {
  return run("trim", {"--log", std::string(log), "--keep", std::to_string(keep)});
}
Result<> BrokerProcess::recreate(std::string_view log) {
  return run("recreate", {"--log", std::string(log)});
}
Result<> BrokerProcess::put(std::string_view log, std::string_view bytes) {
  return run("put", {"--log", std::string(log)}, bytes);
}

std::string BrokerProcess::said(const std::string& key) const {
  const auto found = said_.find(key);
  return found == said_.end() ? std::string() : found->second;
}

Result<> BrokerProcess::run(std::string_view verb, const std::vector<std::string>& arguments, std::string_view input) {
  const std::string script = CARILLON_BROKER_SCRIPTS "/" + kind_;
  const Streams streams{folder_ / "in", folder_ / "out", folder_ / "error"};
  std::ofstream(streams.in, std::ios::binary | std::ios::trunc) << input;
  std::vector<std::string> command{script, std::string(verb), "--dir", (folder_ / "server").string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const int code = exit_code_of(std::move(command), streams);
  if (code == 0) return {};
  const std::string said = content_of(streams.out) + content_of(streams.error);
  if (code == kCannotBeHad) return fail(ErrorKind::not_found, said);
  return fail(ErrorKind::internal,
              script + " " + std::string(verb) + " ended with " + std::to_string(code) + ": " + said);
}

}  // namespace carillon::brokers
