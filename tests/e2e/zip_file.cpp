#include "zip_file.h"

#include <cstddef>

namespace e2e {
namespace {

std::string little(std::uint64_t value, int bytes) {
  std::string out;
  for (int b = 0; b < bytes; ++b) out += static_cast<char>(value >> (8 * b) & 0xFF);
  return out;
}

std::uint32_t crc32(const std::string& data) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : data) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0);
  }
  return ~crc;
}

// RFC 1951: `data` in a stored block, then zeros, 258 at a time, in one with the fixed codes.
std::string deflated_bomb(const std::string& data) {
  constexpr int kCopies = (64 << 20) / 258;
  std::string out = std::string(1, '\0') + little(data.size(), 2) + little(~data.size(), 2) + data;
  std::uint32_t held = 0;
  int bits = 0;
  const auto put = [&](std::uint32_t value, int count) {  // the lowest bit first
    held |= value << bits;
    for (bits += count; bits >= 8; bits -= 8, held >>= 8) out += static_cast<char>(held & 0xFF);
  };
  const auto code = [&](std::uint32_t value, int count) {  // a Huffman code: the highest first
    for (int bit = count - 1; bit >= 0; --bit) put(value >> bit & 1U, 1);
  };
  put(1, 1);
  put(1, 2);
  code(0b00110000, 8);  // a zero
  for (int i = 0; i < kCopies; ++i) {
    code(0b11000101, 8);  // 258 bytes
    code(0, 5);           // from one byte before
  }
  code(0, 7);  // the end
  put(0, 7);
  return out;
}

}  // namespace

std::string npy(const std::string& type, const std::string& shape, const std::string& data) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header.resize(117, ' ');
  header += '\n';
  return "\x93NUMPY" + std::string("\1\0", 2) + little(header.size(), 2) + header + data;
}

std::string zip_of(const std::vector<ZipMember>& members) {
  std::string out, directory;
  for (const ZipMember& member : members) {
    const std::string stored = member.bomb ? deflated_bomb(member.data) : member.data;
    const std::uint64_t listed = member.listed > 0 ? member.listed : member.data.size();
    const std::string sizes =
        little(1, 2) + little(16, 2) + little(listed, 8) + little(stored.size(), 8);
    // Version 4.5, no flags, method, time, CRC, sizes elsewhere, lengths of the name and `sizes`.
    const std::string common = little(45, 2) + little(0, 2) + little(member.bomb ? 8 : 0, 2) +
                               little(0x00210000, 4) + little(crc32(member.data), 4) +
                               std::string(8, '\xFF') + little(member.name.size(), 2) +
                               little(sizes.size(), 2);
    directory += "PK\1\2" + little(45, 2) + common + std::string(10, '\0') + little(out.size(), 4) +
                 member.name + sizes;
    out += "PK\3\4" + common + member.name + sizes + stored;
  }
  const std::size_t at = out.size();
  out += directory + "PK\5\6" + little(0, 4) + little(members.size(), 2) +
         little(members.size(), 2) + little(directory.size(), 4) + little(at, 4) + little(0, 2);
  return out;
}

}  // namespace e2e
