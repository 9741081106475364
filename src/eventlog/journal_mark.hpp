#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace carillon::eventlog {

// How far a journal has answered its callers.
struct Acknowledged {
  std::uint32_t epoch = 0;
  std::uint64_t sequence = 0;  // of the last record that was answered for
};

// The small file beside a journal, PATH-mark: one process's hold on the journal, and how far that journal has answered.
//
// SQLite recovers in silence to the last transaction that is whole, whether the one after it was torn by a crash or was
// answered and damaged later. The mark tells the two apart. It is written after a commit and before its answers, and
// not synced: kept by the system when the process dies, and at worst too old when the machine does, never too new.
class JournalMark {
 public:
  // Takes the lock, which the process holds until the mark is gone. `unavailable` when another process has it or the
  // file cannot be made.
  [[nodiscard]] static Result<JournalMark> take(const std::string& journal_path);
  ~JournalMark();
  JournalMark(JournalMark&& other) noexcept;
  JournalMark& operator=(JournalMark&&) = delete;

  // What the last process left here; nothing when the file is new or not readable as a mark.
  [[nodiscard]] const std::optional<Acknowledged>& found() const { return found_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  // A write that fails leaves an older mark, which is true as well.
  void write(const Acknowledged& acknowledged);

 private:
  JournalMark(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  std::string path_;
  int descriptor_;
  std::optional<Acknowledged> found_;
};

}  // namespace carillon::eventlog
