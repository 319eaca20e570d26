#include "bioptic/base/mapped_fault.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <string_view>

namespace bioptic {
namespace {

// A slot is taken by its owner (`used`), filled, and shown to the handler by setting `begin`.
struct Region {
  std::atomic<bool> used{false};
  std::atomic<std::uintptr_t> begin{0};
  std::uintptr_t end = 0;
  std::array<char, 1024> path{};
};

// A signal handler is given nothing but the address, so that this must be found without help: the
// one table of the process.
std::array<Region, kMostMappedFiles>& regions() {
  static std::array<Region, kMostMappedFiles> table;
  return table;
}

void print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Only what is allowed in a signal handler: atomics, write, _exit.
void on_fault(int signal, siginfo_t* info, void*) {
  static std::atomic_flag reported = ATOMIC_FLAG_INIT;
  const auto at = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (const Region& region : regions()) {
    const std::uintptr_t begin = region.begin.load(std::memory_order_acquire);
    if (begin == 0 || at < begin || at >= region.end) continue;
    if (reported.test_and_set()) {  // another thread is writing the message and ends us all
      while (true) ::pause();
    }
    print("\nbioptic: error: ");
    print(region.path.data());
    print(
        ": was cut off while it was read, or its disk failed; what was finished before is kept. "
        "Put the file back and run the same command again\n");
    ::_exit(1);
  }
  ::signal(signal, SIG_DFL);  // not ours: the fault comes again when this returns, and ends us
}

}  // namespace

void report_mapped_faults() {
  regions();  // made now, not by the first fault
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, nullptr);
}

void remember_mapped(const std::uint8_t* begin, std::size_t bytes, const std::string& path) {
  for (Region& region : regions()) {
    if (region.used.exchange(true)) continue;
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    region.end = reinterpret_cast<std::uintptr_t>(begin) + (bytes + page - 1) / page * page;
    const std::size_t n = std::min(path.size(), region.path.size() - 1);
    std::memcpy(region.path.data(), path.data(), n);
    region.path[n] = '\0';
    region.begin.store(reinterpret_cast<std::uintptr_t>(begin), std::memory_order_release);
    return;
  }
}

void forget_mapped(const std::uint8_t* begin) {
  for (Region& region : regions()) {
    if (region.begin.load() != reinterpret_cast<std::uintptr_t>(begin)) continue;
    region.begin.store(0);
    region.used.store(false);
    return;
  }
}

}  // namespace bioptic
