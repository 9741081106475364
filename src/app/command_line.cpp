#include "app/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <sstream>
#include <utility>

#include "app/dev_setup.hpp"
#include "app/version.hpp"
#include "config/unit.hpp"
#include "event/position.hpp"
#include "net/address.hpp"

namespace carillon::app {
namespace {

constexpr const char* kDefaultUrl = "https://127.0.0.1:8443";

// A pending command and how to take it once the words are read.
struct Choice {
  CLI::App* words = nullptr;
  std::function<Command()> command;
};

class Grammar {
 public:
  Grammar() {
    app_.require_subcommand(1);
    app_.set_version_flag("-V,--version", "carillon " + std::string(version()));
    app_.get_formatter()->label("SUBCOMMAND", "COMMAND");
    app_.get_formatter()->label("REQUIRED", "(required)");
    app_.get_formatter()->label("Excludes", "not with");
    app_.get_formatter()->label("Needs", "with");
    app_.get_formatter()->column_width(26);
    app_.footer(
        "`carillon COMMAND --help` says more about one command.\n"
        "Exit codes: 0 done, 1 failed, 2 not a command.");
    add_serve();
    add_check_config();
    add_token();
    add_publish();
    add_tail();
    add_stats();
    add_dead_letters();
    add_version();
  }

  std::expected<Command, NoCommand> parse(std::vector<std::string> words) {
    std::ranges::reverse(words);  // CLI11 takes them from the back
    try {
      app_.parse(std::move(words));
    } catch (const CLI::ParseError& error) {
      std::ostringstream out;
      if (app_.exit(error, out, out) == 0) return std::unexpected(NoCommand{kExitOk, out.str()});
      return std::unexpected(NoCommand{kExitUsage, complaint(error)});
    }
    const auto chosen = std::ranges::find_if(choices_, [](const Choice& choice) { return choice.words->parsed(); });
    return chosen->command();
  }

 private:
  std::string complaint(const CLI::ParseError& error) const {
    // CLI11 complains of what is missing first, although a mistyped word is why.
    const std::vector<std::string> strangers = app_.remaining(true);
    const std::string what = strangers.empty() ? error.what() : "no such command or option: " + strangers.front();
    return "carillon: " + what + "\nRun with --help for more information.\n";
  }

  // CLI11 is told of a fault by an exception, which parse() catches.
  static void need(bool holds, const char* what) {
    if (!holds) throw CLI::ValidationError(what);
  }

  template <class T>
  CLI::App* add(CLI::App& parent, const char* name, const char* description, T& command) {
    CLI::App* words = parent.add_subcommand(name, description);
    choices_.push_back({words, [&command] { return Command(command); }});
    return words;
  }

  static void add_access(CLI::App* words, ServerAccess& server, const char* role) {
    words->add_option("--url", server.url, "The server")->default_val(kDefaultUrl)->type_name("URL");
    words
        ->add_option("--ca", server.ca_file,
                     "Authority that signed the server's certificate, PEM; without it .carillon/ca.pem, where that "
                     "is there, else the system's")
        ->type_name("FILE");
    auto* token = words->add_option("--token", server.token, "Bearer token; others on this machine can see it")
                      ->type_name("TOKEN");
    words
        ->add_option("--token-file", server.token_file,
                     std::string("File with the token; without it .carillon/") + role + ".token")
        ->type_name("FILE")
        ->excludes(token);
  }

  void add_serve() {
    auto* words = add(app_, "serve", "Run the server", serve_);
    auto* config = words->add_option("--config", serve_.config, "Configuration file (TOML)")->type_name("FILE");
    auto* dev = words->add_flag("--dev")->description(
        "Run with a development setup: certificates, keys and demo tokens are made where they are missing");
    words->add_option("--dir", serve_.dev_folder, "Folder of the development setup")
        ->default_val(kDevFolder)
        ->type_name("DIR")
        ->needs(dev);
    words->callback([config, dev] { need(config->count() + dev->count() == 1, "name either --config FILE or --dev"); });
  }

  void add_check_config() {
    auto* words = add(app_, "check-config", "Check a configuration and the keys it names, without starting", check_);
    words->add_option("FILE", check_.config, "Configuration file (TOML)")->required()->type_name("");
  }

  void add_token() {
    auto* words = add(app_, "token", "Mint a token for development and tests", token_);
    words->add_option("--user", token_.user, "Whose token: the claim sub")->required()->type_name("NAME");
    words
        ->add_option("--scope", token_.scope,
                     "Grants, separated by spaces: signals orders alerts publish admin; without it the token has no "
                     "scope, so the server's default grants")
        ->type_name("WORDS");
    words->add_option("--ttl", ttl_, "How long it is valid, such as 10m or 24h")
        ->default_val("1h")
        ->type_name("DURATION")
        ->check([](const std::string& text) {
          const auto ttl = config::parse_duration(text);
          const bool is_allowed = ttl && *ttl >= std::chrono::seconds{1} && *ttl <= std::chrono::hours{24 * 3650};
          return is_allowed ? std::string() : text + " is not a duration from 1s to 87600h, such as 10m";
        });
    words->add_option("--issuer", token_.issuer, "The claim iss; without it the configuration's")->type_name("TEXT");
    words->add_option("--audience", token_.audience, "The claim aud; without it the configuration's")
        ->type_name("TEXT");
    words->add_option("--kid", token_.kid, "Key id for the header")->type_name("TEXT");
    words->add_option("--algorithm", algorithm_, "Signature algorithm; without it the first that fits the key")
        ->type_name("NAME")
        ->check([](const std::string& name) {
          return auth::algorithm_from_name(name) ? std::string() : name + " is not an algorithm such as HS256 or ES256";
        });
    auto* config = words
                       ->add_option("--config", token_.config,
                                    "Take secret, claim names, issuer and audience from this configuration")
                       ->type_name("FILE");
    auto* secret = words->add_option("--secret-file", token_.secret_file, "Sign with this secret (HS256, HS384, HS512)")
                       ->type_name("FILE");
    auto* key = words->add_option("--private-key", token_.private_key, "Sign with this private key, PEM")
                    ->type_name("FILE")
                    ->excludes(secret);
    words->callback([config, secret, key] {
      need(config->count() + secret->count() + key->count() > 0, "name --config, --secret-file or --private-key");
    });
    choices_.back().command = [this] {
      token_.ttl = std::chrono::duration_cast<std::chrono::seconds>(*config::parse_duration(ttl_));
      token_.algorithm = auth::algorithm_from_name(algorithm_);
      return Command(token_);
    };
  }

  void add_publish() {
    auto* words = add(app_, "publish", "Publish events: one envelope (JSON) a line", publish_);
    add_access(words, publish_.server, "agent");
    words->add_option("FILE", publish_.input, "File with the envelopes; - or nothing: standard input")
        ->default_val("-")
        ->type_name("");
    words->footer(
        "An envelope without id gets one, so that repeating after a lost connection makes no second event.\n"
        "Refused lines are named on standard error, and the exit code is 1; the others are published.");
  }

  void add_tail() {
    auto* words = add(app_, "tail", "Connect as a client and print what arrives", tail_);
    add_access(words, tail_.server, "alice");
    words->add_flag("--json", tail_.as_json, "Print each notification as it came, one a line");
    words->add_option("--carrier", carrier_, "How the token travels: header, subprotocol or message")
        ->default_val("header")
        ->check(CLI::IsMember({"header", "subprotocol", "message"}))
        ->type_name("WORD");
    words->add_option("--from", tail_.from, "Resume: print what came after this position, the `id` of a notification")
        ->check([](const std::string& text) {
          return is_position(text) ? std::string() : text + " is not a position such as j1.42";
        })
        ->type_name("POSITION");
    auto* no_snapshot = words->add_flag("--no-snapshot")
                            ->description("Begin with what is new: leave out open orders and active alerts");
    words->footer("Reconnects until Ctrl-C. No colour where the output is not a terminal or NO_COLOR is set.");
    choices_.back().command = [this, no_snapshot] {
      tail_.wants_snapshot = no_snapshot->count() == 0;
      tail_.carrier = carrier_ == "header"        ? websocket::Carrier::header
                      : carrier_ == "subprotocol" ? websocket::Carrier::subprotocol
                                                  : websocket::Carrier::first_message;
      return Command(tail_);
    };
  }

  void add_stats() {
    auto* words = add(app_, "stats", "Print how long a running server's deliveries take, and what it withheld", stats_);
    auto* config = words->add_option("--config", stats_.config, "The server's configuration, which names its port")
                       ->type_name("FILE");
    words->add_option("--admin", stats_.admin, "The server's administrator's port")
        ->check([](const std::string& text) {
          return net::Endpoint::parse(text) ? std::string() : text + " is not an address such as 127.0.0.1:8444";
        })
        ->type_name("HOST:PORT")
        ->excludes(config);
    words->add_flag("--json", stats_.as_json, "Print one JSON object");
    words->footer(
        "Without either the port is that of .carillon/carillon.toml, where that is there, else 127.0.0.1:8444.\n"
        "Times are the upper bounds of a histogram's buckets; in JSON they are seconds, null where none was counted "
        "or\n"
        "where they are beyond the last bucket.");
  }

  void add_dead_letters() {
    auto* words = app_.add_subcommand("dead-letters", "Records of the log that were no valid events");
    words->require_subcommand(1);
    auto* list = add(*words, "list", "List them, newest first", list_);
    add_access(list, list_.server, "admin");
    list->add_option("--limit", list_.limit, "How many at most")
        ->default_val(100)
        ->check(CLI::Range(1, 1000))
        ->type_name("N");
    list->add_flag("--json", list_.as_json, "Print each as JSON, with its record, one a line");
    auto* replay = add(*words, "replay", "Publish them again, now that they may be valid", replay_);
    add_access(replay, replay_.server, "admin");
    auto* positions = replay->add_option("POSITION", replay_.positions, "Which, as `list` shows them")->type_name("");
    auto* all = replay->add_flag("--all")->description("All of them");
    replay->callback(
        [positions, all] { need((positions->count() > 0) != (all->count() > 0), "name either positions or --all"); });
  }

  void add_version() { add(app_, "version", "Print the version", version_); }

  CLI::App app_{"Carillon pushes the events of a trading system to the people who trade.", "carillon"};
  std::vector<Choice> choices_;
  ServeCommand serve_;
  CheckConfigCommand check_;
  TokenCommand token_;
  PublishCommand publish_;
  TailCommand tail_;
  StatsCommand stats_;
  ListDeadLettersCommand list_;
  ReplayDeadLettersCommand replay_;
  VersionCommand version_;
  std::string ttl_;
  std::string algorithm_;
  std::string carrier_;
};

}  // namespace

std::expected<Command, NoCommand> parse_command_line(std::vector<std::string> words) {
  return Grammar().parse(std::move(words));
}

}  // namespace carillon::app
