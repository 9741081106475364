#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace carillon::brokers {

// A real broker for tests: its server with all its data in a temporary folder, run by the script of its name beside
// this file. Ends the server and takes the folder away with it. One thread.
class BrokerProcess {
 public:
  // `kind`: redis, kafka, rabbitmq or nats. Starts nothing yet.
  explicit BrokerProcess(std::string kind);
  ~BrokerProcess();
  BrokerProcess(const BrokerProcess&) = delete;
  BrokerProcess& operator=(const BrokerProcess&) = delete;

  // Each returns when it is done, or with what the script said. start() may be called again after stop() and kill():
  // the server comes back to its data and port. Its error is `not_found` when this broker cannot be had on this
  // machine.
  Result<> start(const std::vector<std::string>& settings = {});
  Result<> stop();
  Result<> kill();
  Result<> pause();
  Result<> resume();
  // On the log of this name, as the broker calls it (protocol 8.7).
  Result<> trim(std::string_view log, std::size_t keep);
  Result<> recreate(std::string_view log);
  Result<> put(std::string_view log, std::string_view bytes);

  // What the last start() printed as KEY=..., such as `url` and `ca`; else nothing.
  [[nodiscard]] std::string said(const std::string& key) const;
  // Any verb of the script, with its own arguments.
  Result<> run(std::string_view verb, const std::vector<std::string>& arguments, std::string_view input = {});

 private:
  std::string kind_;
  std::filesystem::path folder_;
  std::map<std::string, std::string> said_;
};

}  // namespace carillon::brokers
