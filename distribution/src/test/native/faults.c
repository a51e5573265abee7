// A disk and a clock that misbehave on command, in front of the C library of one process (LD_PRELOAD).
//
//   FAULTS_CONTROL  a file of 4096 bytes, mapped, so that rules change while the process runs:
//                     <generation>
//                     <operation> <errno> <delay ms> <skip> <times> <part of the path>
//                   operation: write (all kinds of it), sync (fsync, fdatasync), open (for writing), create (opening
//                   what is not there), rename (by the new name), delete, mkdir, thread (its path is "-"), and any
//                   (all that changes the disk, each counted once). The first `skip` calls are spared, then `times` are
//                   hit (-1: all): first the delay, then the errno unless it is 0. The errno -1 kills the process
//                   before the call, -2 after half of a write, before any other call. A new generation begins to count
//                   anew.
//   FAULTS_TRACE    a file that gets a line "<operation> <path>" for each call that rules are asked about.
//   FAULTS_CLOCK    a file of 8 bytes, mapped: milliseconds added to the wall clock, little endian.
//   FAULTS_JOURNAL  a file that tells what a power cut would undo, for files below FAULTS_DIRECTORY: before each write
//                   {1, inode, offset, bytes there before, size before} and those bytes; after each sync that succeeded
//                   {2, inode, number of records before it began}. All numbers are of 8 bytes.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define RULES 16
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
static __typeof__(&write) next_write;
static __typeof__(&pwrite64) next_pwrite;
static __typeof__(&writev) next_writev;
static __typeof__(&fsync) next_fsync;
static __typeof__(&fdatasync) next_fdatasync;
static __typeof__(&ftruncate64) next_ftruncate;
static __typeof__(&open64) next_open;
static __typeof__(&clock_gettime) next_clock;
static __typeof__(&rename) next_rename;
static __typeof__(&unlink) next_unlink;
static __typeof__(&rmdir) next_rmdir;
static __typeof__(&mkdir) next_mkdir;
static __typeof__(&pthread_create) next_thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *control, *directory;
static const volatile int64_t *clock_offset;
static int journal = -1, trace = -1;
static int64_t records;
static long generation = -1, seen[RULES];

static void *map(const char *variable, size_t size) {
  const char *path = getenv(variable);
  int fd = path ? next_open(path, O_RDONLY | O_CLOEXEC) : -1;
  void *at = fd < 0 ? MAP_FAILED : mmap(0, size, PROT_READ, MAP_SHARED, fd, 0);
  if (fd >= 0) close(fd);
  return at == MAP_FAILED ? 0 : at;
}

__attribute__((constructor)) static void begin(void) {
  if (next_write) return;
  next_pwrite = NEXT(pwrite64), next_writev = NEXT(writev), next_fsync = NEXT(fsync);
  next_fdatasync = NEXT(fdatasync), next_ftruncate = NEXT(ftruncate64), next_open = NEXT(open64);
  next_rename = NEXT(rename), next_unlink = NEXT(unlink), next_rmdir = NEXT(rmdir), next_mkdir = NEXT(mkdir);
  next_thread = NEXT(pthread_create), next_clock = NEXT(clock_gettime), next_write = NEXT(write);
  control = map("FAULTS_CONTROL", 4096);
  clock_offset = map("FAULTS_CLOCK", 8);
  directory = getenv("FAULTS_DIRECTORY");
  const char *path = getenv("FAULTS_JOURNAL");
  if (path) journal = next_open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  path = getenv("FAULTS_TRACE");
  if (path) trace = next_open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

static int hit_path(const char *operation, const char *path) {
  if (trace >= 0 && directory && strstr(path, directory)) {
    char line[4200];
    int length = snprintf(line, sizeof line, "%s %s\n", operation, path);
    if (next_write(trace, line, length) < 0) return 0;
  }
  if (!control || !*control) return 0;
  char text[4097];
  memcpy(text, control, 4096);
  text[4096] = 0;
  int delay = 0, error = 0, rule = -1;
  char *line, *rest = text;
  pthread_mutex_lock(&lock);
  while ((line = strsep(&rest, "\n")) && *line && rule < RULES - 1) {
    if (rule++ < 0) {
      long now = atol(line);
      if (now != generation) memset(seen, 0, sizeof seen);
      generation = now;
      continue;
    }
    char name[16], part[512];
    int code, ms;
    long skip, times;
    if (sscanf(line, "%15s %d %d %ld %ld %511s", name, &code, &ms, &skip, &times, part) == 6 &&
        (!strcmp(name, operation) || (!strcmp(name, "any") && strcmp(operation, "open") && strcmp(operation, "thread"))) &&
        strstr(path, part)) {
      long number = seen[rule]++;
      if (number >= skip && (times < 0 || number < skip + times)) {
        delay = ms, error = code;
        break;
      }
    }
  }
  pthread_mutex_unlock(&lock);
  if (delay) {
    struct timespec wait = {delay / 1000, delay % 1000 * 1000000L};
    while (nanosleep(&wait, &wait) && errno == EINTR);
  }
  if (error == -1) die();
  return error;
}

static int name_of(int fd, char *path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, size - 1);
  path[length < 0 ? 0 : length] = 0;
  return path[0] == '/';
}

static int hit(const char *operation, int fd) {
  begin();
  if (trace < 0 && (!control || !*control)) return 0;
  char path[4096];
  return name_of(fd, path, sizeof path) ? hit_path(operation, path) : 0;
}

static int journalled(int fd, struct stat64 *status) {
  begin();
  char path[4096];
  return journal >= 0 && directory && name_of(fd, path, sizeof path) && strstr(path, directory) &&
         !fstat64(fd, status) && S_ISREG(status->st_mode);
}

// The lock is held until after the write: nobody else's size comes between.
static void note_write(int fd, struct stat64 *status, int64_t offset, int64_t length) {
  int64_t there = offset >= status->st_size ? 0 : status->st_size - offset;
  if (there > length) there = length;
  char *old = malloc(there + 1);
  if (there) there = pread64(fd, old, there, offset);
  int64_t header[] = {1, status->st_ino, offset, there < 0 ? 0 : there, status->st_size};
  struct iovec parts[] = {{header, sizeof header}, {old, there < 0 ? 0 : there}};
  next_writev(journal, parts, 2);
  records++;
  free(old);
}

#define WRITE(fd, offset, length, call, half)                 \
  int error = hit("write", fd);                               \
  if (error == -2) { if (half >= 0) die(); return -1; }       \
  if (error) { errno = error; return -1; }                    \
  struct stat64 status;                                       \
  if (!journalled(fd, &status)) return call;                  \
  pthread_mutex_lock(&lock);                                  \
  fstat64(fd, &status);                                       \
  note_write(fd, &status, offset, length);                    \
  __typeof__(call) done = call;                               \
  int code = errno;                                           \
  pthread_mutex_unlock(&lock);                                \
  errno = code;                                               \
  return done;

static int64_t place(int fd, struct stat64 *status) {
  return fcntl(fd, F_GETFL) & O_APPEND ? status->st_size : lseek64(fd, 0, SEEK_CUR);
}

static int64_t total(const struct iovec *parts, int count) {
  int64_t sum = 0;
  for (int i = 0; i < count; i++) sum += parts[i].iov_len;
  return sum;
}

ssize_t write(int fd, const void *bytes, size_t n) {
  WRITE(fd, place(fd, &status), n, next_write(fd, bytes, n), next_write(fd, bytes, n / 2))
}
ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) {
  WRITE(fd, at, n, next_pwrite(fd, bytes, n, at), next_pwrite(fd, bytes, n / 2, at))
}
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) { return pwrite64(fd, bytes, n, at); }
ssize_t writev(int fd, const struct iovec *parts, int count) {
  WRITE(fd, place(fd, &status), total(parts, count), next_writev(fd, parts, count),
        next_write(fd, parts[0].iov_base, parts[0].iov_len / 2))
}
int ftruncate64(int fd, off64_t size) {
  WRITE(fd, size, status.st_size > size ? status.st_size - size : 0, next_ftruncate(fd, size), 0)
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int sync_with(int fd, int (*call)(int)) {
  int error = hit("sync", fd);
  if (error == -2) die();
  if (error) {
    errno = error;
    return -1;
  }
  struct stat64 status;
  if (!journalled(fd, &status)) return call(fd);
  pthread_mutex_lock(&lock);
  int64_t before = records;
  pthread_mutex_unlock(&lock);
  int done = call(fd);
  if (!done) {
    int64_t header[] = {2, status.st_ino, before};
    pthread_mutex_lock(&lock);
    next_write(journal, header, sizeof header);
    pthread_mutex_unlock(&lock);
  }
  return done;
}
int fsync(int fd) { begin(); return sync_with(fd, next_fsync); }
int fdatasync(int fd) { begin(); return sync_with(fd, next_fdatasync); }

static int open_with(const char *path, int flags, mode_t mode) {
  begin();
  int asked = trace >= 0 || (control && *control);
  int error = asked && (flags & O_ACCMODE) != O_RDONLY ? hit_path("open", path) : 0;
  if (!error && asked && flags & O_CREAT && access(path, F_OK)) error = hit_path("create", path);
  if (error == -2) die();
  if (error) {
    errno = error;
    return -1;
  }
  return next_open(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = va_arg(more, mode_t);
  va_end(more);
  return open_with(path, flags, mode);
}
int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = va_arg(more, mode_t);
  va_end(more);
  return open_with(path, flags, mode);
}

#define CHANGE(operation, path, call)                               \
  begin();                                                          \
  int error = trace >= 0 || (control && *control) ? hit_path(operation, path) : 0; \
  if (error) { errno = error == -2 ? (die(), 0) : error; return -1; } \
  return call;

int rename(const char *from, const char *to) { CHANGE("rename", to, next_rename(from, to)) }
int unlink(const char *path) { CHANGE("delete", path, next_unlink(path)) }
int rmdir(const char *path) { CHANGE("delete", path, next_rmdir(path)) }
int remove(const char *path) {
  struct stat64 status;
  return !lstat64(path, &status) && S_ISDIR(status.st_mode) ? rmdir(path) : unlink(path);
}
int mkdir(const char *path, mode_t mode) { CHANGE("mkdir", path, next_mkdir(path, mode)) }

int pthread_create(pthread_t *thread, const pthread_attr_t *with, void *(*run)(void *), void *argument) {
  begin();
  int error = control && *control ? hit_path("thread", "-") : 0;
  return error > 0 ? error : next_thread(thread, with, run, argument);
}

int clock_gettime(clockid_t which, struct timespec *time) {
  begin();
  int done = next_clock(which, time);
  if (!done && clock_offset && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
    int64_t ms = *clock_offset;
    time->tv_sec += ms / 1000;
    time->tv_nsec += ms % 1000 * 1000000L;
    if (time->tv_nsec >= 1000000000L) time->tv_sec++, time->tv_nsec -= 1000000000L;
    if (time->tv_nsec < 0) time->tv_sec--, time->tv_nsec += 1000000000L;
  }
  return done;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec time;
  int done = clock_gettime(CLOCK_REALTIME, &time);
  now->tv_sec = time.tv_sec, now->tv_usec = time.tv_nsec / 1000;
  return done;
}
