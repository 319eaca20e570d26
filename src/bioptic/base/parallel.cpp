#include "bioptic/base/parallel.h"

#include <sched.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace bioptic {

// A step of training is some milliseconds long and starts a new loop at once, so a waiting thread
// spins for a while before it sleeps.  It yields while it spins: on a machine with fewer processors
// than threads the thread that has work must get its turn.
struct ThreadPool::Impl {
  std::vector<std::thread> workers;
  std::mutex mutex;
  std::condition_variable wake;
  std::atomic<unsigned> generation{0};
  std::atomic<bool> stop{false};
  std::atomic<int> sleeping{0};

  const std::function<void(std::size_t)>* body = nullptr;
  std::size_t parts = 0;
  std::atomic<std::size_t> next{0};
  std::atomic<int> busy{0};
  std::exception_ptr error;

  void take_parts() {
    try {
      for (std::size_t part = next++; part < parts; part = next++) (*body)(part);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
      next = parts;
    }
  }

  void work() {
    unsigned seen = 0;
    constexpr int kSpins = 20000;
    while (true) {
      for (int spin = 0; spin < kSpins && generation == seen && !stop; ++spin) {
        if (spin % 64 == 63) {
          std::this_thread::yield();
        } else {
#if defined(__x86_64__)
          __builtin_ia32_pause();
#endif
        }
      }
      if (generation == seen && !stop) {
        std::unique_lock lock(mutex);
        ++sleeping;
        wake.wait(lock, [&] { return generation != seen || stop; });
        --sleeping;
      }
      if (stop) return;
      seen = generation;
      take_parts();
      --busy;
    }
  }
};

ThreadPool::ThreadPool(int threads) : impl_(std::make_unique<Impl>()) {
  try {
    for (int i = 1; i < threads; ++i) impl_->workers.emplace_back([this] { impl_->work(); });
  } catch (const std::system_error&) {
    // The system gives no more threads: the work is done by those there are.
  } catch (const std::bad_alloc&) {
    // Nor memory for them.
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stop = true;
  }
  impl_->wake.notify_all();
  for (std::thread& worker : impl_->workers) worker.join();
}

int ThreadPool::threads() const { return static_cast<int>(impl_->workers.size()) + 1; }

void ThreadPool::run(std::size_t parts, const std::function<void(std::size_t)>& body) {
  Impl& s = *impl_;
  s.body = &body;
  s.parts = parts;
  s.next = 0;
  if (!s.workers.empty()) {
    s.busy = static_cast<int>(s.workers.size());
    {
      const std::lock_guard lock(s.mutex);
      ++s.generation;
    }
    s.wake.notify_all();
  }
  s.take_parts();
  for (int spin = 0; s.busy != 0; ++spin) {
    if (spin % 64 == 63) std::this_thread::yield();
  }
  if (s.error) std::rethrow_exception(std::exchange(s.error, nullptr));
}

int available_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  const int count = CPU_COUNT(&set);
  return count < 1 ? 1 : count;
}

}  // namespace bioptic
