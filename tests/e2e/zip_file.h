// .npy and .npz files written by hand, so that they can lie.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace e2e {

// A .npy file: type as NumPy writes it ("|u1"), shape as Python text.
std::string npy(const std::string& type, const std::string& shape, const std::string& data);

struct ZipMember {
  std::string name, data;
  std::uint64_t listed = 0;  // the size that the archive lists; 0: the truth
  bool bomb = false;         // deflated, with 64 MB of zeros behind `data`
};

// A zip archive, each size in 64 bits.
std::string zip_of(const std::vector<ZipMember>& members);

}  // namespace e2e
