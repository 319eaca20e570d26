// Preloaded into the program (LD_PRELOAD), this makes one call to the system fail, come back short,
// or kill the process.  tools/faults.py drives it through the environment:
//   FAULT_COUNTS  a file of kKinds + 1 numbers of 64 bits: the calls of every kind, and whether the
//                 fault came.  Mapped, so that it is right however the process ends.
//   FAULT_KIND    which kind of call (the order of Kind), FAULT_AT which of them, from 1
//   FAULT_DO      fail, fail-on (it and all after it), short, kill, kill-after
//   FAULT_ERROR   errno of a failure
//   FAULT_ALLOC   allocations below this many bytes are neither counted nor failed
// Calls count from main() on, and only on files that are the program's business: no terminal, no
// shared library, nothing below /proc, /sys, /dev, /etc, /usr and /lib.  Programs that this one
// starts are left alone.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

enum Kind {
  open_,
  write_,
  sync_,
  rename_,
  truncate_,
  unlink_,
  mkdir_,
  mmap_,
  read_,
  alloc_,
  kKinds
};
enum class Do { fail, fail_on, cut_short, kill, kill_after };

std::atomic<std::uint64_t>* counts = nullptr;  // in the file; null until main() begins
int kind_wanted = -1;
std::uint64_t at_wanted = 0;
Do what = Do::fail;
int error_wanted = EIO;
std::size_t smallest = 0;

constexpr int kStreamError = 0x20;  // what ferror() asks of glibc's streams
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}
// The next definition of a function, looked up once.
#define REAL(name) static auto* const next = real<decltype(::name)>(#name)

[[noreturn]] void die() {
  ::syscall(SYS_kill, ::syscall(SYS_getpid), SIGKILL);
  while (true) {
  }
}

// Whether this call is the one.
bool hit(Kind kind) {
  if (counts == nullptr) return false;
  const std::uint64_t number = ++counts[kind];
  if (kind != kind_wanted || at_wanted == 0) return false;
  const bool now = number == at_wanted || (what == Do::fail_on && number > at_wanted);
  if (now) counts[kKinds] = 1;
  return now;
}

// A call that fails or is done: what most kinds are.
template <typename Result, typename Call>
Result guarded(Kind kind, Result failure, const Call& call) {
  if (!hit(kind)) return call();
  if (what == Do::kill) die();
  if (what != Do::kill_after) {
    errno = error_wanted;
    return failure;
  }
  call();
  die();
}

// A transfer of `size` bytes, which may also come back short.  A kill leaves half of it done.
template <typename Result, typename Call>
Result transfer(Kind kind, std::size_t size, Result failure, const Call& call) {
  if (!hit(kind)) return call(size);
  const std::size_t half = size > 1 ? size / 2 : size;
  if (what == Do::cut_short) return call(half);
  if (what == Do::kill || what == Do::kill_after) {
    call(what == Do::kill ? half : size);
    die();
  }
  errno = error_wanted;
  return failure;
}

bool ours(const char* path) {
  for (const char* begin : {"/proc", "/sys", "/dev/null", "/dev/urandom", "/etc", "/usr", "/lib"}) {
    if (std::strncmp(path, begin, std::strlen(begin)) == 0) return false;
  }
  return true;
}
std::array<std::atomic<bool>, 1024> others;  // by file descriptor
int opened(int fd, bool is_ours) {
  if (fd >= 0 && static_cast<std::size_t>(fd) < others.size()) {
    others[static_cast<std::size_t>(fd)] = !is_ours;
  }
  return fd;
}
std::FILE* opened(std::FILE* stream, bool is_ours) {
  if (stream != nullptr) opened(::fileno(stream), is_ours);
  return stream;
}

bool ours(int fd) {
  const auto place = static_cast<std::size_t>(fd);
  return fd > STDERR_FILENO && !(place < others.size() && others[place]);
}
bool ours(std::FILE* stream) { return ours(::fileno(stream)); }

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

void begin() {
  ::unsetenv("LD_PRELOAD");
  const char* file = std::getenv("FAULT_COUNTS");
  if (file == nullptr) return;
  kind_wanted = static_cast<int>(number("FAULT_KIND", kKinds));
  at_wanted = number("FAULT_AT", 0);
  error_wanted = static_cast<int>(number("FAULT_ERROR", EIO));
  smallest = number("FAULT_ALLOC", 0);
  const char* text = std::getenv("FAULT_DO");
  if (text != nullptr) {
    what = std::strcmp(text, "fail-on") == 0      ? Do::fail_on
           : std::strcmp(text, "short") == 0      ? Do::cut_short
           : std::strcmp(text, "kill") == 0       ? Do::kill
           : std::strcmp(text, "kill-after") == 0 ? Do::kill_after
                                                  : Do::fail;
  }
  const auto fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, file, O_RDWR));
  if (fd < 0) return;
  const long map = ::syscall(SYS_mmap, nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::syscall(SYS_close, fd);
  // A forked child shares the page, but not this process's number.
  ::pthread_atfork(nullptr, nullptr, [] { counts = nullptr; });
  if (map > 0 || map < -4096) counts = reinterpret_cast<std::atomic<std::uint64_t>*>(map);
}

using Main = int(int, char**, char**);
Main* program = nullptr;
int counted_main(int argc, char** argv, char** environment) {
  begin();
  return program(argc, argv, environment);
}

mode_t mode_of(int flags, va_list arguments) {
  if ((flags & (O_CREAT | O_TMPFILE)) == 0) return 0;
  return static_cast<mode_t>(va_arg(arguments, int));
}

}  // namespace

extern "C" {

int __libc_start_main(Main* main, int argc, char** argv, void (*init)(), void (*fini)(),
                      void (*rtld_fini)(), void* stack) {
  using Start = int(Main*, int, char**, void (*)(), void (*)(), void (*)(), void*);
  program = main;
  return real<Start>("__libc_start_main")(counted_main, argc, argv, init, fini, rtld_fini, stack);
}

#define OPEN(name, path, ...)                                                           \
  REAL(name);                                                                           \
  va_list arguments;                                                                    \
  va_start(arguments, flags);                                                           \
  const mode_t mode = mode_of(flags, arguments);                                        \
  va_end(arguments);                                                                    \
  const auto call = [&] { return opened(next(__VA_ARGS__, flags, mode), ours(path)); }; \
  return ours(path) ? guarded(open_, -1, call) : call()

int open(const char* path, int flags, ...) { OPEN(open, path, path); }
int open64(const char* path, int flags, ...) { OPEN(open64, path, path); }
int openat(int folder, const char* path, int flags, ...) { OPEN(openat, path, folder, path); }
int openat64(int folder, const char* path, int flags, ...) { OPEN(openat64, path, folder, path); }

#define OPEN_STREAM(name)                                                 \
  REAL(name);                                                             \
  const auto call = [&] { return opened(next(path, mode), ours(path)); }; \
  return ours(path) ? guarded(open_, static_cast<std::FILE*>(nullptr), call) : call()

std::FILE* fopen(const char* path, const char* mode) { OPEN_STREAM(fopen); }
std::FILE* fopen64(const char* path, const char* mode) { OPEN_STREAM(fopen64); }
int mkostemp(char* name, int flags) {
  REAL(mkostemp);
  return guarded(open_, -1, [&] { return opened(next(name, flags), true); });
}
int mkostemp64(char* name, int flags) {
  REAL(mkostemp64);
  return guarded(open_, -1, [&] { return opened(next(name, flags), true); });
}
int mkstemp(char* name) {
  REAL(mkstemp);
  return guarded(open_, -1, [&] { return opened(next(name), true); });
}
int mkstemp64(char* name) {
  REAL(mkstemp64);
  return guarded(open_, -1, [&] { return opened(next(name), true); });
}

ssize_t write(int fd, const void* bytes, size_t size) {
  REAL(write);
  if (!ours(fd)) return next(fd, bytes, size);
  return transfer(write_, size, ssize_t{-1}, [&](size_t n) { return next(fd, bytes, n); });
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  REAL(pwrite);
  return transfer(write_, size, ssize_t{-1}, [&](size_t n) { return next(fd, bytes, n, at); });
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  REAL(pwrite64);
  return transfer(write_, size, ssize_t{-1}, [&](size_t n) { return next(fd, bytes, n, at); });
}
ssize_t writev(int fd, const struct iovec* pieces, int count) {
  REAL(writev);
  if (!ours(fd)) return next(fd, pieces, count);
  return guarded(write_, ssize_t{-1}, [&] { return next(fd, pieces, count); });
}
size_t fwrite(const void* bytes, size_t size, size_t count, std::FILE* stream) {
  REAL(fwrite);
  if (!ours(stream)) return next(bytes, size, count, stream);
  const size_t done =
      transfer(write_, count, size_t{0}, [&](size_t n) { return next(bytes, size, n, stream); });
  if (done < count) stream->_flags |= kStreamError;
  return done;
}
int fflush(std::FILE* stream) {
  REAL(fflush);
  if (stream == nullptr || !ours(stream)) return next(stream);
  return guarded(write_, EOF, [&] { return next(stream); });
}
int fclose(std::FILE* stream) {
  REAL(fclose);
  if (!ours(stream)) return next(stream);
  if (hit(write_)) {
    if (what == Do::kill) die();
    next(stream);  // closed all the same
    if (what == Do::kill_after) die();
    errno = error_wanted;
    return EOF;
  }
  return next(stream);
}

ssize_t read(int fd, void* bytes, size_t size) {
  REAL(read);
  if (!ours(fd)) return next(fd, bytes, size);
  return transfer(read_, size, ssize_t{-1}, [&](size_t n) { return next(fd, bytes, n); });
}
ssize_t pread(int fd, void* bytes, size_t size, off_t at) {
  REAL(pread);
  return transfer(read_, size, ssize_t{-1}, [&](size_t n) { return next(fd, bytes, n, at); });
}
ssize_t pread64(int fd, void* bytes, size_t size, off64_t at) {
  REAL(pread64);
  return transfer(read_, size, ssize_t{-1}, [&](size_t n) { return next(fd, bytes, n, at); });
}
// A stream that is cut short has failed or ended, so there is no short read of it.
size_t fread(void* bytes, size_t size, size_t count, std::FILE* stream) {
  REAL(fread);
  if (!ours(stream)) return next(bytes, size, count, stream);
  const size_t done = guarded(read_, size_t{0}, [&] {
    const size_t n = next(bytes, size, count, stream);
    return n == 0 ? kNone : n;  // to be told from a failure
  });
  if (done == 0) stream->_flags |= kStreamError;
  return done == kNone ? 0 : done;
}

int fsync(int fd) {
  REAL(fsync);
  return guarded(sync_, -1, [&] { return next(fd); });
}
int fdatasync(int fd) {
  REAL(fdatasync);
  return guarded(sync_, -1, [&] { return next(fd); });
}
int syncfs(int fd) {
  REAL(syncfs);
  return guarded(sync_, -1, [&] { return next(fd); });
}

int rename(const char* from, const char* to) {
  REAL(rename);
  return guarded(rename_, -1, [&] { return next(from, to); });
}

int ftruncate(int fd, off_t size) {
  REAL(ftruncate);
  return guarded(truncate_, -1, [&] { return next(fd, size); });
}
int ftruncate64(int fd, off64_t size) {
  REAL(ftruncate64);
  return guarded(truncate_, -1, [&] { return next(fd, size); });
}
int truncate(const char* path, off_t size) {
  REAL(truncate);
  return guarded(truncate_, -1, [&] { return next(path, size); });
}
int truncate64(const char* path, off64_t size) {
  REAL(truncate64);
  return guarded(truncate_, -1, [&] { return next(path, size); });
}
int posix_fallocate(int fd, off_t at, off_t size) {
  REAL(posix_fallocate);
  return guarded(truncate_, error_wanted, [&] { return next(fd, at, size); });
}
int posix_fallocate64(int fd, off64_t at, off64_t size) {
  REAL(posix_fallocate64);
  return guarded(truncate_, error_wanted, [&] { return next(fd, at, size); });
}

int unlink(const char* path) {
  REAL(unlink);
  return guarded(unlink_, -1, [&] { return next(path); });
}
int unlinkat(int folder, const char* path, int flags) {
  REAL(unlinkat);
  return guarded(unlink_, -1, [&] { return next(folder, path, flags); });
}
int remove(const char* path) {
  REAL(remove);
  return guarded(unlink_, -1, [&] { return next(path); });
}
int rmdir(const char* path) {
  REAL(rmdir);
  return guarded(unlink_, -1, [&] { return next(path); });
}
int mkdir(const char* path, mode_t mode) {
  REAL(mkdir);
  return guarded(mkdir_, -1, [&] { return next(path, mode); });
}

void* mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) {
  REAL(mmap);
  const auto call = [&] { return next(at, size, protection, flags, fd, offset); };
  return fd < 0 ? call() : guarded(mmap_, MAP_FAILED, call);
}
void* mmap64(void* at, size_t size, int protection, int flags, int fd, off64_t offset) {
  REAL(mmap64);
  const auto call = [&] { return next(at, size, protection, flags, fd, offset); };
  return fd < 0 ? call() : guarded(mmap_, MAP_FAILED, call);
}

// The allocators by glibc's own names: dlsym() itself may allocate.
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

#define ALLOCATE(bytes, ...)                  \
  if ((bytes) < smallest) return __VA_ARGS__; \
  return guarded(alloc_, static_cast<void*>(nullptr), [&] { return __VA_ARGS__; })

void* malloc(size_t size) { ALLOCATE(size, __libc_malloc(size)); }
void* calloc(size_t count, size_t size) { ALLOCATE(count * size, __libc_calloc(count, size)); }
void* realloc(void* block, size_t size) { ALLOCATE(size, __libc_realloc(block, size)); }
void* memalign(size_t alignment, size_t size) { ALLOCATE(size, __libc_memalign(alignment, size)); }
void* aligned_alloc(size_t alignment, size_t size) {
  ALLOCATE(size, __libc_memalign(alignment, size));
}
int posix_memalign(void** block, size_t alignment, size_t size) {
  const auto call = [&] {
    *block = __libc_memalign(alignment, size);
    return *block == nullptr ? ENOMEM : 0;
  };
  return size < smallest ? call() : guarded(alloc_, ENOMEM, call);
}

}  // extern "C"
