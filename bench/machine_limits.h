// What this machine can do at most: the two limits that a training step is held against.
#pragma once

#include <cstddef>
#include <string>

#include "bioptic/base/parallel.h"

namespace bioptic::bench {

// Bytes per second of reading and writing again three float arrays of n elements each (w, m, v of
// Adam), the best of `rounds`.  24 n bytes move per round.
double read_modify_write_bandwidth(ThreadPool& pool, std::size_t n, int rounds);

// An independent measure of the same memory: a STREAM-like triad a = b + s c over arrays of n
// floats. 16 n bytes per round: two reads, one write, and the read that a write to cached memory
// causes.
double triad_bandwidth(ThreadPool& pool, std::size_t n, int rounds);

// Floating-point operations per second of fused multiply-adds on independent registers (2 per
// lane), on the widest vectors the processor has, best of `rounds`.
double multiply_add_peak(ThreadPool& pool, int rounds);

// The same peak, measured independently: operations per second (2 n^3) of one product of n x n
// matrices by OpenBLAS.  library: a shared object with NumPy's 64-bit names (scipy_cblas_sgemm64_).
// Throws InputError when it cannot be opened or lacks them.
double sgemm_speed(const std::string& library, int threads, std::size_t n);

}  // namespace bioptic::bench
