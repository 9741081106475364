// The disk of the fault tests, and that it does what it says.

#include "eventlog/faulty_disk.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/ensure.hpp"
#include "eventlog/temp_folder.hpp"

namespace carillon::eventlog {
namespace {

constexpr std::uint64_t kNever = UINT64_MAX;

// A write or, without data, a truncation.
struct Change {
  std::size_t offset = 0;
  std::optional<std::string> data;

  void apply_to(std::string& content) const {
    if (!data) return content.resize(offset);
    if (content.size() < offset + data->size()) content.resize(offset + data->size());
    content.replace(offset, data->size(), *data);
  }
};

struct FileHistory {
  std::string synced;
  std::vector<Change> since;
};

}  // namespace

struct FaultyDisk::State {
  sqlite3_vfs* real = nullptr;
  sqlite3_vfs vfs{};
  mutable std::mutex mutex;
  std::uint64_t operations = 0;
  std::uint64_t full_from = kNever, sync_fails_from = kNever, stopped_from = kNever;
  std::map<std::string, FileHistory> files;

  // Counts one operation; an SQLite code.
  int begin(std::uint64_t& fails_from, int code) {
    const std::uint64_t operation = operations++;
    if (operation >= stopped_from) return SQLITE_IOERR;
    return operation >= fails_from ? code : SQLITE_OK;
  }
};

namespace {

FaultyDisk::State* the_disk = nullptr;

struct File {
  sqlite3_file base;
  const char* path;  // SQLite keeps it as long as the file is open
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File& file_of(sqlite3_file* file) {
  return *reinterpret_cast<File*>(file);
}
sqlite3_file* real_of(sqlite3_file* file) {
  return file_of(file).real();
}

int close_file(sqlite3_file* file) {
  return real_of(file)->pMethods->xClose(real_of(file));
}

int read_bytes(sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
  return real_of(file)->pMethods->xRead(real_of(file), data, size, offset);
}

int write_bytes(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  const std::lock_guard lock(the_disk->mutex);
  if (const int code = the_disk->begin(the_disk->full_from, SQLITE_FULL); code != SQLITE_OK) return code;
  std::string bytes(static_cast<const char*>(data), static_cast<std::size_t>(size));
  the_disk->files[file_of(file).path].since.push_back({static_cast<std::size_t>(offset), std::move(bytes)});
  return real_of(file)->pMethods->xWrite(real_of(file), data, size, offset);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  const std::lock_guard lock(the_disk->mutex);
  std::uint64_t never = kNever;
  if (const int code = the_disk->begin(never, SQLITE_OK); code != SQLITE_OK) return code;
  the_disk->files[file_of(file).path].since.push_back({static_cast<std::size_t>(size), std::nullopt});
  return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

int sync_file(sqlite3_file* file, int /*flags*/) {
  const std::lock_guard lock(the_disk->mutex);
  const int code = the_disk->begin(the_disk->sync_fails_from, SQLITE_IOERR_FSYNC);
  FileHistory& history = the_disk->files[file_of(file).path];
  if (code == SQLITE_IOERR_FSYNC) {
    // As Linux has it: what could not be written will never be, and the next sync succeeds all the same.
    history.since.clear();
    the_disk->sync_fails_from = kNever;
  }
  if (code != SQLITE_OK) return code;
  for (const Change& change : history.since) change.apply_to(history.synced);
  history.since.clear();
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return real_of(file)->pMethods->xFileSize(real_of(file), size);
}
int lock_file(sqlite3_file* file, int level) {
  return real_of(file)->pMethods->xLock(real_of(file), level);
}
int unlock_file(sqlite3_file* file, int level) {
  return real_of(file)->pMethods->xUnlock(real_of(file), level);
}
int check_lock(sqlite3_file* file, int* held) {
  return real_of(file)->pMethods->xCheckReservedLock(real_of(file), held);
}
int control_file(sqlite3_file* file, int operation, void* argument) {
  return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}
int sector_size(sqlite3_file* file) {
  return real_of(file)->pMethods->xSectorSize(real_of(file));
}
int characteristics(sqlite3_file* file) {
  return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

// Version 1: no shared memory and no memory map, neither of which the journal may want.
constexpr sqlite3_io_methods kMethods = {
    1,         close_file,  read_bytes, write_bytes,  truncate_file, sync_file,       file_size,
    lock_file, unlock_file, check_lock, control_file, sector_size,   characteristics, nullptr,
    nullptr,   nullptr,     nullptr,    nullptr,      nullptr,
};

int open_file(sqlite3_vfs* /*vfs*/, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  File& opened = file_of(file);
  opened.base.pMethods = nullptr;
  opened.path = path;
  const int code = the_disk->real->xOpen(the_disk->real, path, opened.real(), flags, out_flags);
  if (code != SQLITE_OK) return code;
  opened.base.pMethods = &kMethods;
  const std::lock_guard lock(the_disk->mutex);
  the_disk->files.try_emplace(path, FileHistory{read_file(path), {}});
  return SQLITE_OK;
}

int remove_file(sqlite3_vfs* /*vfs*/, const char* path, int sync_folder) {
  const std::lock_guard lock(the_disk->mutex);
  if (the_disk->operations >= the_disk->stopped_from) return SQLITE_IOERR_DELETE;
  the_disk->files.erase(path);
  return the_disk->real->xDelete(the_disk->real, path, sync_folder);
}

}  // namespace

FaultyDisk::FaultyDisk() : state_(std::make_unique<State>()) {
  ensure(the_disk == nullptr, "there is one faulty disk at a time");
  sqlite3_initialize();
  state_->real = sqlite3_vfs_find(nullptr);
  state_->vfs = *state_->real;
  state_->vfs.zName = "faulty";
  state_->vfs.szOsFile = static_cast<int>(sizeof(File)) + state_->real->szOsFile;
  state_->vfs.xOpen = open_file;
  state_->vfs.xDelete = remove_file;
  the_disk = state_.get();
  sqlite3_vfs_register(&state_->vfs, 1);
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(&state_->vfs);
  sqlite3_vfs_register(state_->real, 1);
  the_disk = nullptr;
}

std::uint64_t FaultyDisk::operations() const {
  const std::lock_guard lock(state_->mutex);
  return state_->operations;
}

void FaultyDisk::be_full_from(std::uint64_t operation) {
  const std::lock_guard lock(state_->mutex);
  state_->full_from = operation;
}

void FaultyDisk::fail_sync_from(std::uint64_t operation) {
  const std::lock_guard lock(state_->mutex);
  state_->sync_fails_from = operation;
}

void FaultyDisk::stop_at(std::uint64_t operation) {
  const std::lock_guard lock(state_->mutex);
  state_->stopped_from = operation;
}

void FaultyDisk::heal() {
  const std::lock_guard lock(state_->mutex);
  state_->full_from = state_->sync_fails_from = state_->stopped_from = kNever;
}

void FaultyDisk::lose_power(std::uint64_t seed) {
  const std::lock_guard lock(state_->mutex);
  std::mt19937_64 random(seed);
  for (auto& [path, history] : state_->files) {
    std::string content = history.synced;
    for (Change& change : history.since) {
      const std::uint64_t fate = random() % 4;
      if (fate == 0) continue;
      if (fate == 1 && change.data) change.data->resize(change.data->size() / 2);
      change.apply_to(content);
    }
    if (std::filesystem::exists(path)) write_file(path, content);
    history = {content, {}};
  }
}

namespace {

class FaultyDiskTest : public testing::Test {
 protected:
  FaultyDiskTest() { EXPECT_EQ(sqlite3_open(folder_.file("x.db").c_str(), &connection_), SQLITE_OK); }
  ~FaultyDiskTest() override { sqlite3_close(connection_); }
  int run(const char* sql) {
    sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr);
    return sqlite3_extended_errcode(connection_);
  }
  void reopen() {
    sqlite3_close(connection_);
    ASSERT_EQ(sqlite3_open(folder_.file("x.db").c_str(), &connection_), SQLITE_OK);
  }

  TempFolder folder_;
  FaultyDisk disk_;
  sqlite3* connection_ = nullptr;
};

TEST_F(FaultyDiskTest, CountsAndFails) {
  EXPECT_EQ(run("CREATE TABLE t(a)"), SQLITE_OK);
  EXPECT_GT(disk_.operations(), 0u);
  disk_.be_full_from(disk_.operations());
  EXPECT_EQ(run("INSERT INTO t VALUES(1)"), SQLITE_FULL);
  disk_.heal();
  disk_.fail_sync_from(disk_.operations());
  EXPECT_EQ(run("INSERT INTO t VALUES(1)"), SQLITE_IOERR_FSYNC);
  EXPECT_EQ(run("INSERT INTO t VALUES(1)"), SQLITE_OK);
}

TEST_F(FaultyDiskTest, KeepsWhatWasSyncedWhenThePowerGoes) {
  EXPECT_EQ(run("CREATE TABLE t(a)"), SQLITE_OK);
  EXPECT_EQ(run("PRAGMA synchronous=OFF; INSERT INTO t VALUES(zeroblob(100000))"), SQLITE_OK);
  sqlite3_close(connection_);
  connection_ = nullptr;
  const std::string before = read_file(folder_.file("x.db"));
  disk_.lose_power(1);
  const std::string after = read_file(folder_.file("x.db"));
  EXPECT_NE(before, after);
  EXPECT_TRUE(after.starts_with("SQLite format 3"));
}

}  // namespace
}  // namespace carillon::eventlog
