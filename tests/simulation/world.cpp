#include "simulation/world.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace carillon::simulation {

namespace {

Grants draw_grants(Random& random) {
  Grants grants;
  const bool has_all = random.percent(60);
  for (const Grant grant : {Grant::signals, Grant::orders, Grant::alerts})
    if (has_all || random.percent(50)) grants.add(grant);
  return grants;
}

}  // namespace

World::World(std::uint64_t seed, Options options, Coverage& coverage)
    : coverage_(coverage),
      random_(seed),
      scenario_(Scenario::draw(random_)),
      breakage_(options.broken, seed),
      traces_(options.traces),
      log_(scenario_, breakage_, 1 + static_cast<std::uint32_t>(random_.below(300))),
      writer_(scenario_, log_, random_),
      nodes_(scenario_.nodes),
      clients_(scenario_.clients) {
  for (Client& client : clients_) {
    client.user = random_.below(scenario_.users);
    client.grants = draw_grants(random_);
  }
  for (std::size_t written = random_.below(30); written > 0; --written) write();
  for (std::size_t node = 0; node < nodes_.size(); ++node) start(node);
}

std::optional<std::string> World::run() {
  for (step_ = 1; !failure_ && step_ <= scenario_.steps; ++step_) act();
  if (!failure_) come_to_rest();
  const auto& entries = log_.truth().entries();
  coverage_.add(Seen::records, entries.size());
  coverage_.add(Seen::withheld,
                entries.size() - static_cast<std::size_t>(std::ranges::count_if(entries, &Entry::is_published)));
  if (failure_)
    failure_ = "step " + std::to_string(step_) + " of " + std::to_string(scenario_.steps) + ": " + *failure_;
  return failure_;
}

void World::act() {
  struct Action {
    std::size_t weight;
    void (World::*take)();
  };
  static constexpr Action kActions[] = {
      {160, &World::write_some},   {170, &World::follow_some}, {240, &World::turn_some},  {180, &World::read_some},
      {90, &World::let_one_in},    {20, &World::change_pace},  {20, &World::cut_one},     {10, &World::refresh_one},
      {50, &World::pass_a_moment}, {12, &World::pass_seconds}, {6, &World::pass_minutes}, {10, &World::trim},
      {6, &World::crash_one},      {24, &World::start_one},    {2, &World::recreate},
  };
  static constexpr std::size_t kWeights = [] {
    std::size_t sum = 0;
    for (const Action& action : kActions) sum += action.weight;
    return sum;
  }();
  if (nodes_that(true).empty() && random_.percent(30)) return start_one();
  std::size_t chance = random_.below(kWeights);
  for (const Action& action : kActions) {
    if (chance < action.weight) return (this->*action.take)();
    chance -= action.weight;
  }
}

void World::write_some() {
  for (std::size_t count = 1 + random_.below(3); count > 0; --count) write();
}

void World::follow_some() {
  const auto up = nodes_that(true);
  if (!up.empty()) follow(random_.pick(up), 1 + random_.below(12));
}

void World::turn_some() {
  const auto up = nodes_that(true);
  for (std::size_t count = up.empty() ? 0 : 1 + random_.below(3); count > 0 && !failure_; --count) {
    Node& node = *nodes_[random_.pick(up)];
    turn(*node.shards()[random_.below(node.shards().size())], false);
  }
}

void World::read_some() {
  for (std::size_t count = 1 + random_.below(3); count > 0 && !failure_; --count) {
    Client& client = any_client();
    if (client.takes) read(client, random_.percent(70) ? 1'000'000 : 1 + random_.below(600));
  }
}

void World::let_one_in() {
  const auto away = std::ranges::find_if(clients_, [](const Client& client) { return client.connection == nullptr; });
  if (away != clients_.end()) connect(*away, false);
}

void World::change_pace() {
  Client& client = any_client();
  client.takes = !client.takes;
}

void World::crash_one() {
  const auto up = nodes_that(true);
  if (!up.empty()) crash(random_.pick(up));
}

void World::start_one() {
  const auto down = nodes_that(false);
  if (!down.empty()) start(random_.pick(down));
}

void World::write() {
  writer_.write(clock_.wall_now());
  if (!traces_) return;
  const Entry& entry = log_.truth().entries().back();
  const Meaning& meaning = entry.meaning;
  std::string text = entry.name + " is written: ";
  if (!meaning.is_valid) return trace(text + "nonsense");
  text += to_string(meaning.kind);
  if (meaning.kind == EventKind::order_update)
    text += " of " + std::string(kUsers.at(meaning.user)) + "'s order " + std::to_string(meaning.order) + ", " +
            std::string(to_string(meaning.status)) + " " + std::to_string(meaning.filled);
  trace(text + (entry.is_published() ? "" : ", told to nobody: " + std::string(entry.reason)));
}

void World::pass(milliseconds time) {
  trace("time passes: " + std::to_string(time.count()) + " ms");
  clock_.advance(time);
  for (Client& client : clients_) {
    if (client.connection == nullptr) continue;
    client.connection->session->on_timer();
    if (client.connection->session->was_impatient() && !breakage_.is_active())
      fail(name(client) + ": its session counts the time of what does not wait for it");
  }
}

void World::start(std::size_t node) {
  trace("node " + std::to_string(node) + " starts");
  coverage_.add(Seen::restarts, step_ > 0 ? 1 : 0);
  coverage_.add(Seen::kept_records, log_.kept().size());
  nodes_[node] = std::make_unique<Node>(node, scenario_, breakage_, log_, random_, clock_);
}

void World::crash(std::size_t node) {
  trace("node " + std::to_string(node) + " crashes");
  for (Client& client : clients_)
    if (client.connection != nullptr && &client.connection->node == nodes_[node].get()) cut(client);
  nodes_[node].reset();
}

void World::follow(std::size_t node, std::size_t records_max) {
  const std::size_t before = nodes_[node]->read_entries().size();
  const auto wrong = nodes_[node]->follow(records_max);
  const std::size_t taken = nodes_[node]->read_entries().size() - before;
  if (traces_ && taken > 0) trace("node " + std::to_string(node) + " takes " + std::to_string(taken) + " records");
  if (wrong) fail("node " + std::to_string(node) + ": " + *wrong);
}

// What a loop does from one wait to the next: takes in, lets clients act, delivers, and gives turns to those who rest.
void World::turn(Shard& shard, bool is_hurried) {
  shard.receive(clock_.mono_now(), is_hurried ? 1'000 : random_.below(4));
  while (!is_hurried && random_.percent(30)) act_within_turn(shard);
  if (failure_) return;
  while (shard.hub().deliver(clock_.mono_now()) && is_hurried) {
  }
  for (Client& client : clients_) {
    Connection* const connection = client.connection.get();
    if (connection == nullptr || &connection->shard != &shard || !connection->session->wants_turn()) continue;
    if (is_hurried || random_.percent(80)) connection->session->pump();
  }
}

void World::act_within_turn(Shard& shard) {
  Client& client = any_client();
  if (client.connection == nullptr) return connect(client, false);
  if (&client.connection->shard != &shard) return;
  const std::size_t chance = random_.below(100);
  if (chance < 50) {
    if (client.takes) read(client, 1 + random_.below(5'000));
  } else if (chance < 80) {
    client.connection->session->pump();
  } else if (chance < 90) {
    client.connection->session->beat();
  } else {
    cut(client);
  }
}

// Nothing leaves the log that a running node has not seen; nor an event whose repeat stays, for a node that begins with
// the repeat can only take it for the event.
void World::trim() {
  const auto& entries = log_.truth().entries();
  std::size_t end = entries.size();
  const auto up = nodes_that(true);
  if (up.empty()) return;
  for (const std::size_t node : up) end = std::min(end, nodes_[node]->first_unread());
  const bool is_by_size = !scenario_.is_broker && random_.percent(40);
  const WallTime since = clock_.wall_now() - scenario_.retention;
  std::size_t first = log_.first();
  const std::size_t size_end = first + random_.below(end - first + 1);
  while (first < end && (entries[first].logged_at < since || (is_by_size && first < size_end))) ++first;
  for (std::size_t entry = entries.size(); entry-- > first;)
    if (entries[entry].repeats) first = std::min(first, *entries[entry].repeats);
  coverage_.add(Seen::trims, first > log_.first() ? 1 : 0);
  log_.trim(std::max(first, log_.first()), clock_.wall_now());
  trace("the log now begins at entry " + std::to_string(first) + " and keeps " + std::to_string(log_.kept().size()));
}

void World::recreate() {
  if (!scenario_.changes_epoch) return;
  coverage_.add(Seen::new_logs);
  trace("the log is another one");
  for (const std::size_t node : nodes_that(true)) crash(node);
  log_.recreate();
}

void World::connect(Client& client, bool is_plain) {
  std::vector<Node*> ready;
  for (const auto& node : nodes_)
    if (node != nullptr && node->is_ready()) ready.push_back(node.get());
  if (ready.empty()) return;
  Node& node = *random_.pick(ready);
  Shard& shard = *node.shards()[random_.below(node.shards().size())];
  Asked asked = draw_asked(client);
  if (is_plain) asked = {.resume = client.position.empty() ? std::nullopt : std::optional(client.position)};
  if (traces_)
    trace(name(client) + " connects to node " + std::to_string(node.index()) +
          (asked.resume ? " at '" + asked.resume->substr(0, 40) + "'" : "") +
          (asked.wants_snapshot ? "" : " without snapshot"));

  auto connection = std::make_unique<Connection>(node, shard, scenario_.socket_room);
  coverage_.add(Seen::connections);
  connection->audit = std::make_unique<Audit>(Audit::Beginning{.truth = log_.truth(),
                                                               .scenario = scenario_,
                                                               .node = node,
                                                               .user = client.user,
                                                               .grants = client.grants,
                                                               .asked = asked,
                                                               .at = clock_.wall_now(),
                                                               .shard_has = published_up_to(shard)},
                                              coverage_);
  Grants grants = client.grants;
  if (breakage_.strikes(Broken::ignore_grants, 100))
    for (const Grant grant : kGrants) grants.add(grant);
  connection->session = std::make_unique<Session>(Session::Surroundings{.node = node,
                                                                        .shard = shard,
                                                                        .scenario = scenario_,
                                                                        .breakage = breakage_,
                                                                        .log = log_,
                                                                        .clock = clock_,
                                                                        .socket = connection->socket},
                                                  client.user, grants);
  const bool leaks = breakage_.strikes(Broken::leave_old_bytes, 100);
  connection->session->begin(asked, leaks ? std::exchange(client.left, {}) : std::string{});
  client.connection = std::move(connection);
}

// Mostly where it was; and what else clients come up with.
Asked World::draw_asked(const Client& client) {
  Asked asked{.resume = std::nullopt, .wants_snapshot = random_.percent(80)};
  const std::size_t chance = random_.below(100);
  const auto& entries = log_.truth().entries();
  if (chance < 70) {
    if (!client.position.empty()) asked.resume = client.position;
  } else if (chance < 80 && !entries.empty()) {
    asked.resume = draw_place();
  } else if (chance < 92) {
    asked.resume = draw_odd_position();
  }
  return asked;
}

// One that a client could be at, and in several lanes one that no node ever was at.
std::string World::draw_place() {
  const Truth& truth = log_.truth();
  Lanes place = truth.begin();
  for (std::size_t lane = 0; lane < place.size(); ++lane)
    if (const auto& entries = truth.lanes()[lane]; !entries.empty())
      place[lane] = truth.entries()[random_.pick(entries)].offset;
  return truth.position_of(place);
}

Lanes World::published_up_to(const Shard& shard) const {
  return log_.truth().read(shard.published_up_to().text).value();
}

std::string World::draw_odd_position() {
  const Truth& truth = log_.truth();
  const std::size_t chance = random_.below(3);
  if (chance == 0) {
    Lanes place = truth.end();
    place[random_.below(place.size())] += 1 + random_.below(9);
    return truth.position_of(place);
  }
  if (chance == 1) {
    const Truth other(scenario_, truth.epoch() + 1 - 2 * static_cast<std::uint32_t>(random_.below(2)));
    return other.position_of(Lanes(scenario_.lanes, random_.below(9)));
  }
  const std::string own = truth.position_of(truth.end());
  return random_.pick<std::string>({own + ".1",
                                    own + "%00",
                                    "",
                                    ".",
                                    ".1",
                                    "s",
                                    "s.",
                                    "s.1",
                                    "s1.",
                                    "s1.-1",
                                    "s1.01",
                                    "s01.1",
                                    "sg.1",
                                    "j" + own.substr(1),
                                    "S" + own.substr(1),
                                    "null",
                                    truth.position_of(truth.begin()) + "99999999999999999999",
                                    std::string(10'240, '7'),
                                    "s" + std::string(511, '1'),
                                    "s" + std::string(512, '1')});
}

void World::read(Client& client, std::size_t bytes_max) {
  Connection* const connection = client.connection.get();
  if (connection == nullptr) return;
  connection->input.append(connection->socket.read(bytes_max));
  std::string_view bytes = connection->input;
  while (const auto size = frame_size(bytes)) {
    const ServerFrame frame = read_frame(bytes.substr(0, *size));
    if (traces_) trace(name(client) + " gets " + describe(frame));
    const auto wrong = connection->audit->take(frame, connection->session->is_behind());
    if (wrong) return fail(name(client) + ": " + *wrong);
    bytes.remove_prefix(*size);
  }
  connection->input.erase(0, connection->input.size() - bytes.size());
  if (!connection->audit->position().empty()) client.position = connection->audit->position();
  connection->session->on_room();
  const bool is_over = !connection->session->is_open() && !connection->session->wants_turn();
  if (is_over && connection->socket.is_empty()) cut(client);
}

// Not within a snapshot, of which some was shown under the old grants.
void World::refresh(Client& client) {
  Connection* const connection = client.connection.get();
  if (connection == nullptr || !connection->session->is_open() || !connection->session->has_position()) return;
  client.grants = draw_grants(random_);
  connection->session->refresh(client.grants);
  connection->audit->refreshed(client.grants, published_up_to(connection->shard));
  trace(name(client) + " has other grants");
}

// Some of what is under way may still arrive.
void World::cut(Client& client) {
  if (client.connection == nullptr) return;
  if (client.connection->session->is_open() && random_.percent(50)) {
    read(client, 1 + random_.below(2'000));
    if (client.connection == nullptr) return;
  }
  coverage_.add(Seen::cuts);
  trace(name(client) + " is cut off");
  if (breakage_.is_active()) client.left = client.connection->input + client.connection->socket.left();
  client.connection.reset();
}

// All works again, and nothing new happens.
void World::come_to_rest() {
  for (const std::size_t node : nodes_that(false)) start(node);
  for (Client& client : clients_) client.takes = true;
  settle_down();
  if (failure_) return;
  for (Client& client : clients_) client.connection->session->beat();
  for (const auto& node : nodes_)
    for (const auto& shard : node->shards())
      while (shard->hub().deliver(clock_.mono_now())) {
      }
  for (Client& client : clients_) client.connection->session->pump();
  settle_down();
  for (const Client& client : clients_) {
    if (failure_) return;
    if (const auto wrong = client.connection->audit->finish()) return fail(name(client) + ": " + *wrong);
    if (!client.connection->audit->was_told_all())
      return fail(name(client) + ": the last heartbeat is not at the end of the log");
  }
}

void World::settle_down() {
  constexpr int kRoundsMax = 10'000;
  for (int round = 0; !is_at_rest(); ++round) {
    if (round == kRoundsMax) return fail("it never comes to rest");
    pass(milliseconds{50});
    for (const auto& node : nodes_) {
      follow(node->index(), 1'000);
      for (const auto& shard : node->shards()) turn(*shard, true);
    }
    for (Client& client : clients_) {
      if (client.connection == nullptr) connect(client, true);
      read(client, 1'000'000);
      if (failure_) return;
    }
  }
}

bool World::is_at_rest() const {
  const std::size_t end = log_.truth().entries().size();
  for (const auto& node : nodes_) {
    if (node->first_unread() < end) return false;
    for (const auto& shard : node->shards())
      if (!shard->is_idle()) return false;
  }
  return std::ranges::all_of(clients_, [](const Client& client) {
    const Connection* const connection = client.connection.get();
    return connection != nullptr && connection->session->is_open() && !connection->session->wants_turn() &&
           connection->socket.is_empty();
  });
}

std::vector<std::size_t> World::nodes_that(bool are_up) const {
  std::vector<std::size_t> found;
  for (std::size_t node = 0; node < nodes_.size(); ++node)
    if ((nodes_[node] != nullptr) == are_up) found.push_back(node);
  return found;
}

std::string World::name(const Client& client) const {
  const auto index = &client - clients_.data();
  return "client " + std::to_string(index) + " (" + std::string(kUsers.at(client.user)) + ")";
}

void World::fail(const std::string& what) {
  if (!failure_) failure_ = what;
}

void World::trace(std::string_view what) const {
  if (traces_) std::printf("%5zu  %.*s\n", step_, static_cast<int>(what.size()), what.data());
}

}  // namespace carillon::simulation
