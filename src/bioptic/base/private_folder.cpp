#include "bioptic/base/private_folder.h"

#include <cstdint>
#include <random>
#include <string>

namespace bioptic {
namespace fs = std::filesystem;
namespace {

// 64 bits of the system's own randomness: no result of a study depends on it.
std::string random_name(std::string_view what) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::random_device device;
  std::string name = std::string(what) + "-";
  for (int word = 0; word < 2; ++word) {
    std::uint32_t bits = device();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4U) name += kDigits[bits & 15U];
  }
  return name;
}

}  // namespace

PrivateFolder::PrivateFolder(std::string_view what)
    : folder_(temporary_root() / random_name(what)) {
  fs::permissions(folder_.path(), fs::perms::owner_all);
}

}  // namespace bioptic
