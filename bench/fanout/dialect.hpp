#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fanout/server_frames.hpp"

namespace carillon::bench {

// How a peer talks to its subscribers, over WebSocket. Immutable; any thread.
class Dialect {
 public:
  // What a subscriber learns, and how it answers.
  class Ear {
   public:
    virtual void on_live() = 0;  // from now on it gets every event
    virtual void on_message(std::string_view text) = 0;
    virtual void on_fault(std::string_view what) = 0;
    virtual void say(protocol::Opcode opcode, std::string_view payload) = 0;

   protected:
    ~Ear() = default;
  };

  virtual ~Dialect() = default;
  // The path to upgrade at, and more fields for the request, each with its line end.
  struct Entrance {
    std::string path;
    std::string fields;
  };
  [[nodiscard]] virtual Entrance entrance(std::uint32_t client) const = 0;
  // Once the connection is upgraded.
  virtual void begin(Ear& ear) const = 0;
  // With each data frame; `rest` is this connection's, to keep what a frame leaves unfinished.
  virtual void hear(const ServerFrames::Frame& frame, std::string& rest, Ear& ear) const = 0;
};

// A message is a text frame, and whoever is upgraded is subscribed.
class PlainDialect : public Dialect {
 public:
  explicit PlainDialect(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] Entrance entrance(std::uint32_t) const override { return {.path = path_, .fields = {}}; }
  void begin(Ear& ear) const override { ear.on_live(); }
  void hear(const ServerFrames::Frame& frame, std::string&, Ear& ear) const override {
    if (frame.opcode != protocol::Opcode::text || !frame.is_last) return ear.on_fault("got what is no text message");
    ear.on_message(frame.payload);
  }

 private:
  std::string path_;
};

}  // namespace carillon::bench
