// Loops over a fixed number of parts on a fixed set of threads.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace bioptic {

// Threads that wait between calls.  The caller's thread is one of them.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);  // threads >= 1
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;

  // Calls body(part) for every part in [0, parts), each once, and returns when all are done.  Which
  // thread runs which part is not defined; what a part computes must not depend on it.  An
  // exception of a part is thrown again here after all parts ended.  Not reentrant.
  void run(std::size_t parts, const std::function<void(std::size_t)>& body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The number of processors this process may use (respects affinity), at least 1.
int available_processors();

}  // namespace bioptic
