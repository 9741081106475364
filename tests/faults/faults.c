// Preloaded into the server by tests: makes the disk under its journal misbehave on command.
//
// Concerns every file whose path begins with $FAULTS_PATH. While $FAULTS_CONTROL/full exists, whatever
// would make such a file longer fails with ENOSPC. While $FAULTS_CONTROL/sync exists, fsync and fdatasync of such
// a file fail with EIO.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_on(const char* fault) {
  const char* control = getenv("FAULTS_CONTROL");
  char path[PATH_MAX];
  if (control == NULL) return 0;
  snprintf(path, sizeof path, "%s/%s", control, fault);
  return access(path, F_OK) == 0;
}

static int concerns(int fd) {
  const char* prefix = getenv("FAULTS_PATH");
  char link[64];
  char path[PATH_MAX];
  if (prefix == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return 0;
  path[size] = '\0';
  return strncmp(path, prefix, strlen(prefix)) == 0;
}

static int grows(int fd, off_t end) {
  struct stat status;
  return fstat(fd, &status) == 0 && end > status.st_size;
}

static int fails(int fd, const char* fault) {
  const int saved = errno;
  const int result = concerns(fd) && is_on(fault);
  errno = saved;
  return result;
}

static int no_room(int fd, off_t end) {
  if (!fails(fd, "full") || !grows(fd, end)) return 0;
  errno = ENOSPC;
  return 1;
}

static int no_sync(int fd) {
  if (!fails(fd, "sync")) return 0;
  errno = EIO;
  return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void* data, size_t size) {
  if (no_room(fd, lseek(fd, 0, SEEK_CUR) + (off_t)size)) return -1;
  return NEXT(write)(fd, data, size);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  return no_room(fd, at + (off_t)size) ? -1 : NEXT(pwrite)(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  return no_room(fd, at + (off_t)size) ? -1 : NEXT(pwrite64)(fd, data, size, at);
}

int ftruncate(int fd, off_t size) { return no_room(fd, size) ? -1 : NEXT(ftruncate)(fd, size); }

int ftruncate64(int fd, off64_t size) { return no_room(fd, size) ? -1 : NEXT(ftruncate64)(fd, size); }

int fallocate(int fd, int mode, off_t at, off_t size) {
  return no_room(fd, at + size) ? -1 : NEXT(fallocate)(fd, mode, at, size);
}

int fallocate64(int fd, int mode, off64_t at, off64_t size) {
  return no_room(fd, at + size) ? -1 : NEXT(fallocate64)(fd, mode, at, size);
}

// Returns the error instead of setting errno.
int posix_fallocate(int fd, off_t at, off_t size) {
  return no_room(fd, at + size) ? ENOSPC : NEXT(posix_fallocate)(fd, at, size);
}

int fsync(int fd) { return no_sync(fd) ? -1 : NEXT(fsync)(fd); }

int fdatasync(int fd) { return no_sync(fd) ? -1 : NEXT(fdatasync)(fd); }
