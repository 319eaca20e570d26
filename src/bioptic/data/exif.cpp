#include <algorithm>
#include <cstring>

#include "bioptic/data/image_decoders.h"

namespace bioptic {

int exif_orientation(const MappedFile& file) {
  const std::uint8_t* d = file.data();
  const std::size_t size = file.size();
  const auto big = [&](std::size_t at) { return d[at] << 8U | d[at + 1]; };
  std::size_t at = 2;                                             // behind the start of the image
  while (at + 4 <= size && d[at] == 0xFF && d[at + 1] != 0xDA) {  // up to the scan
    const std::size_t end = at + 2 + static_cast<std::size_t>(big(at + 2));
    constexpr std::size_t kBefore = 10;  // marker, length, "Exif", two zeros
    if (end > size) return 1;
    if (d[at + 1] == 0xE1 && end - at >= kBefore + 8 && std::memcmp(d + at + 4, "Exif\0", 6) == 0) {
      const std::uint8_t* tiff = d + at + kBefore;
      const std::size_t length = end - at - kBefore;
      const bool little = tiff[0] == 'I';
      const auto number = [&](std::size_t place, std::size_t bytes) {
        std::size_t value = 0;
        for (std::size_t b = 0; b < bytes; ++b) {
          value |= std::size_t{tiff[place + b]} << 8 * (little ? b : bytes - 1 - b);
        }
        return value;
      };
      const std::size_t directory = number(4, 4);
      if (directory > length || length - directory < 2) return 1;
      const std::size_t entries = std::min(number(directory, 2), (length - directory - 2) / 12);
      for (std::size_t e = 0; e < entries; ++e) {
        const std::size_t entry = directory + 2 + 12 * e;
        constexpr std::size_t kOrientation = 0x0112;
        if (number(entry, 2) != kOrientation) continue;
        const std::size_t value = number(entry + 8, 2);
        return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
      }
      return 1;
    }
    at = end;
  }
  return 1;
}

}  // namespace bioptic
