// NumPy's .npy format, versions 1.0 to 3.0 (numpy.lib.format).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bioptic {

struct NpyHeader {
  char kind = 'u';       // 'u', 'i', 'f', 'b'; texts: 'U' (UTF-32), 'S' (bytes)
  std::size_t item = 1;  // bytes of an element
  bool big_endian = false;
  bool fortran = false;  // the first index runs fastest, not the last
  std::vector<std::size_t> shape;
  std::size_t data_offset = 0;  // where the elements begin
  std::size_t elements() const;
  std::string dtype() const;  // "uint8", "float32", ..., "text"
};

// Parses the header at the start of `data`; `bytes` is what is there of it.  `name` is for
// messages.  Throws InputError, with a remedy that keeps every value, for anything else than plain
// numbers and texts, and for a header that NumPy does not read.
NpyHeader parse_npy_header(const std::uint8_t* data, std::size_t bytes, const std::string& name);

// Throws InputError when `bytes`, the whole file's, does not hold what the header promises.
void check_npy_size(const NpyHeader& header, std::size_t bytes, const std::string& name);

// The header of an array of that type ("|u1", "<u2", "<i8") and shape, padded so that the data
// begin at a multiple of 64 bytes.  `reserve`: pad to at least this many bytes, so that a shape
// that is only known at the end can be written in place.
std::string npy_header(const std::string& descr, const std::vector<std::size_t>& shape,
                       std::size_t reserve = 0);

}  // namespace bioptic
