// Recovery of a journal whose files were changed by anything (eventlog/journal.hpp): it is refused by name, or it gives
// the records that were put there and goes on as a journal.
//
// The input is a list of changes, eight bytes each, to the files of a journal that was killed while it had records in
// the file and in the write-ahead log, deleted ones before them of which some are kept, and a dead letter.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/ensure.hpp"
#include "eventlog/journal.hpp"
#include "eventlog/temp_folder.hpp"
#include "telemetry/log.hpp"

namespace {

using carillon::ensure;
using carillon::Result;
using carillon::WallTime;
using carillon::eventlog::Appended;
using carillon::eventlog::DeadLetter;
using carillon::eventlog::Journal;
using carillon::eventlog::Record;
using carillon::eventlog::StoredRecord;

constexpr std::uint64_t kLow = 21;
constexpr std::uint64_t kNext = 101;
// Of the deleted ones; one is longer than a page.
constexpr std::array<std::uint64_t, 2> kKept = {7, 16};
constexpr WallTime kNow{carillon::milliseconds{1'795'348'800'000}};
constexpr WallTime kLongAgo = kNow - std::chrono::hours{100};

// The journal's file, its write-ahead log, its mark.
using Files = std::array<std::string, 3>;
constexpr std::array<const char*, 3> kSuffixes = {"", "-wal", "-mark"};

Record record(std::uint64_t sequence) {
  // Some longer than a page.
  const std::size_t size = sequence % 16 == 0 ? 9000 : 300;
  return {"id-" + std::to_string(sequence), "envelope " + std::to_string(sequence) + std::string(size, '.')};
}

void append(Journal& journal, std::uint64_t next, WallTime now) {
  while (journal.next_sequence() < next) {
    const std::vector<Record> call{record(journal.next_sequence())};
    ensure(journal.begin() && journal.append(call, now) && journal.commit(), "the first journal takes records");
  }
}

Files make_files() {
  const carillon::eventlog::TempFolder folder;
  const std::string path = folder.file("journal.db");
  {
    Result<std::unique_ptr<Journal>> journal = Journal::open(path, {});
    append(**journal, kLow, kLongAgo);
    append(**journal, 80, kNow);
    const DeadLetter letter{(*journal)->positions().of(30), kNow, "missing", "/payload", "a dead letter"};
    ensure((*journal)->begin() && (*journal)->put_dead_letter(letter) && (*journal)->commit(), "a letter is put");
    (*journal)->settle({79, {{kKept[0], 0, false}, {kKept[1], 0, false}}});
    ensure((*journal)->trim(kNow)->records == kLow - 1, "the old records go");
    (*journal)->close_in_order();
  }
  Result<std::unique_ptr<Journal>> journal = Journal::open(path, {});
  append(**journal, kNext, kNow);
  Files files;
  for (std::size_t i = 0; i < files.size(); ++i) files[i] = carillon::eventlog::read_file(path + kSuffixes[i]);
  return files;
}

struct Change {
  std::uint8_t what;
  std::uint8_t file;
  std::uint16_t value;
  std::uint32_t place;
};

void make(const Change& change, Files& files) {
  std::string& file = files[change.file % files.size()];
  if (file.empty()) return;
  const std::size_t at = change.place % file.size();
  const std::size_t size = std::min<std::size_t>(change.value, file.size() - at);
  switch (change.what % 7) {
    case 0:
      file[at] = static_cast<char>(file[at] ^ (1 << change.value % 8));
      return;
    case 1:
      file[at] = static_cast<char>(change.value);
      return;
    case 2:
      file.replace(at, size, std::string(size, '\0'));
      return;
    case 3:
      file.resize(at);
      return;
    case 4:
      file += std::string(change.value, static_cast<char>(change.place));
      return;
    // A page in the place of another, as a disk does that writes where it should not.
    case 5:
      file.replace(at / 4096 * 4096, 4096, file, change.value % (file.size() / 4096 + 1) * 4096, 4096);
      return;
    default:
      file.erase(at, size);
      return;
  }
}

void write_files(const Files& files, const std::string& path) {
  for (std::size_t i = 0; i < files.size(); ++i) carillon::eventlog::write_file(path + kSuffixes[i], files[i]);
}

// Every record is the one that was put there.
std::size_t check_records(Journal& journal) {
  std::vector<StoredRecord> records;
  ensure(journal.read(journal.low_sequence(), SIZE_MAX, SIZE_MAX, records).has_value(), "what was opened can be read");
  std::uint64_t sequence = journal.low_sequence();
  for (const StoredRecord& stored : records) {
    ensure(stored.position == journal.positions().of(sequence), "positions are in order");
    ensure(stored.bytes == record(sequence++).bytes, "a record is the one that was put there");
  }
  ensure(sequence == journal.next_sequence(), "no record is missing");
  std::vector<StoredRecord> kept;
  ensure(journal.read_kept(1, SIZE_MAX, SIZE_MAX, kept).has_value(), "what was opened can be read");
  ensure(kept.size() == kKept.size(), "no kept step is missing");
  for (std::size_t i = 0; i < kept.size(); ++i) {
    ensure(kept[i].ordinal == kKept[i] && kept[i].bytes == record(kKept[i]).bytes, "a kept step is what it was");
  }
  return records.size();
}

// Whether it took another record. It may find damage on the way, but then it says so.
bool goes_on(Journal& journal) {
  const std::vector<Record> call{record(journal.next_sequence())};
  if (!journal.begin()) return false;
  const Result<Appended> appended = journal.append(call, kNow);
  if (!appended || !journal.commit()) return false;
  ensure(appended->accepted == 1, "a new id is new");
  journal.settle({std::min(journal.next_sequence() - 1, journal.low_sequence() + 9), {}});
  return journal.trim(kNow + std::chrono::hours{100}).has_value() && journal.list_dead_letters(10).has_value();
}

void check_open(const std::string& path, bool mark_is_whole) {
  std::uint64_t next = 0;
  {
    const Result<std::unique_ptr<Journal>> opened = Journal::open(path, {});
    if (!opened) {
      ensure(opened.error().message.find(path) != std::string::npos, "a refusal names the file");
      return;
    }
    Journal& journal = **opened;
    if (mark_is_whole) ensure(journal.next_sequence() >= kNext, "what was acknowledged is there");
    check_records(journal);
    if (!goes_on(journal)) return;
    next = journal.next_sequence();
  }
  const Result<std::unique_ptr<Journal>> again = Journal::open(path, {});
  if (!again) return;
  ensure((*again)->next_sequence() == next, "what was appended is there");
  check_records(**again);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  carillon::telemetry::configure_log(carillon::telemetry::LogFormat::text, carillon::telemetry::Level::error);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Files whole = make_files();
  static const carillon::eventlog::TempFolder folder;
  Files files = whole;
  for (; size >= sizeof(Change); data += sizeof(Change), size -= sizeof(Change)) {
    Change change{};
    std::memcpy(&change, data, sizeof change);
    make(change, files);
  }
  const std::string path = folder.file("journal.db");
  write_files(files, path);
  check_open(path, files[2] == whole[2]);
  return 0;
}
