#include "app/dead_letters_command.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "app/complaint.hpp"
#include "app/http_client.hpp"
#include "app/server_access.hpp"
#include "base/json.hpp"

namespace carillon::app {
namespace {

constexpr const char* kAdministrator = "admin";
constexpr std::uint32_t kListedMax = 1000;  // what the server lists and replays in one call
constexpr json::Limits kAnswerLimits{.depth_max = 8, .members_max = 64, .values_max = 64 * kListedMax};

// An administrator's calls, each answered by a JSON document or by a sentence that says why not.
class Desk {
 public:
  static Result<Desk> open(const ServerAccess& access) {
    auto resolved = resolve_access(access, kAdministrator);
    if (!resolved) return std::unexpected(resolved.error());
    return Desk(std::move(*resolved));
  }

  Result<json::Document> list(std::uint32_t limit) {
    return call({.method = "GET", .target = fmt::format("/v1/dead-letters?limit={}", limit)});
  }

  Result<json::Document> replay(const std::vector<std::string>& positions) {
    std::string body = R"({"positions":[)";
    for (const std::string& position : positions) {
      if (body.back() != '[') body += ',';
      json::append_string(body, position);
    }
    body += "]}";
    return call(
        {.method = "POST", .target = "/v1/dead-letters/replay", .content_type = "application/json", .body = body});
  }

 private:
  struct Call {
    std::string_view method;
    std::string target;
    std::string_view content_type{};
    std::string_view body{};
  };

  explicit Desk(ResolvedAccess access) : access_(std::move(access)) {}

  Result<json::Document> call(const Call& call) {
    const Interrupt interrupt;
    HttpClient client(access_.server, access_.ca_file, interrupt);
    const auto reply = client.call({call.method, call.target, access_.token, call.content_type, call.body});
    if (!reply) return std::unexpected(reply.error());
    if (reply->status != 200) return fail(ErrorKind::denied, "the server refused: " + reply->refusal());
    return json::Document::parse(reply->body, kAnswerLimits);
  }

  ResolvedAccess access_;
};

std::string show(const json::Value& object, std::string_view member) {
  return for_terminal(object.find_string(member).value_or("?"));
}

void print_letter(const json::Value& letter, bool as_json) {
  std::string line;
  if (as_json)
    letter.append_to(line);
  else
    line = fmt::format("{}  {}  {}  {}", show(letter, "position"), show(letter, "at"), show(letter, "reason"),
                       show(letter, "detail"));
  std::puts(line.c_str());
}

Result<std::vector<std::string>> all_positions(Desk& desk) {
  const auto listed = desk.list(kListedMax);
  if (!listed) return std::unexpected(listed.error());
  std::vector<std::string> positions;
  if (const auto letters = listed->root().find("dead_letters"))
    for (const json::Value letter : *letters) positions.emplace_back(letter.find_string("position").value_or(""));
  return positions;
}

int report_replay(const json::Document& answer) {
  const auto replayed = answer.root().find("replayed");
  std::printf("%s replayed\n", replayed ? std::string(replayed->text()).c_str() : "?");
  const auto refused = answer.root().find("refused");
  if (!refused || refused->size() == 0) return kExitOk;
  for (const json::Value letter : *refused) complain(show(letter, "position") + " refused: " + show(letter, "reason"));
  return kExitFailed;
}

}  // namespace

int run(const ListDeadLettersCommand& command) {
  auto desk = Desk::open(command.server);
  if (!desk) return complain(desk.error().message);
  const auto listed = desk->list(command.limit);
  if (!listed) return complain(listed.error().message);
  if (const auto letters = listed->root().find("dead_letters"))
    for (const json::Value letter : *letters) print_letter(letter, command.as_json);
  return kExitOk;
}

int run(const ReplayDeadLettersCommand& command) {
  auto desk = Desk::open(command.server);
  if (!desk) return complain(desk.error().message);
  auto positions =
      command.positions.empty() ? all_positions(*desk) : Result<std::vector<std::string>>(command.positions);
  if (!positions) return complain(positions.error().message);
  if (positions->empty()) {
    std::puts("0 replayed");
    return kExitOk;
  }
  const auto answer = desk->replay(*positions);
  if (!answer) return complain(answer.error().message);
  const int exit_code = report_replay(*answer);
  if (command.positions.empty() && positions->size() == kListedMax) std::puts("There may be more; run this again.");
  return exit_code;
}

}  // namespace carillon::app
