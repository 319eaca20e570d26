#include "bioptic/data/dicom_plugin/syntax.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <fstream>

#include "bioptic/data/dicom_plugin/refused.h"

namespace bioptic::dicom {
namespace {

constexpr const char* kRecode =
    "write it again as Explicit VR Little Endian, in the software it comes from or with pydicom "
    "(Dataset.decompress)";
constexpr const char* kElsewhere =
    "write it again as Explicit VR Little Endian, in the software it comes from";
constexpr const char* kVideo =
    "it is a film: take its frames out (ffmpeg) and import them as PNG files";
constexpr const char* kNoPixels =
    "its pixels lie on a server: fetch the file itself, with its pixels, from there";

// PS3.6, table A-1.
constexpr std::array kSyntaxes = {
    Syntax{"1.2.840.10008.1.2", "Implicit VR Little Endian", Coding::plain, nullptr},
    Syntax{"1.2.840.10008.1.2.1", "Explicit VR Little Endian", Coding::plain, nullptr},
    Syntax{"1.2.840.10008.1.2.2", "Explicit VR Big Endian", Coding::plain, nullptr},
    Syntax{"1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", Coding::deflated,
           nullptr},
    Syntax{"1.2.840.113619.5.2", "GE's private Implicit VR Big Endian", Coding::swapped, nullptr},
    Syntax{"1.2.840.10008.1.2.5", "RLE Lossless", Coding::rle, nullptr},
    Syntax{"1.2.840.10008.1.2.4.50", "JPEG Baseline", Coding::jpeg, nullptr},
    Syntax{"1.2.840.10008.1.2.4.51", "JPEG Extended", Coding::jpeg, nullptr},
    Syntax{"1.2.840.10008.1.2.4.52", "JPEG Extended (Process 3 and 5)", Coding::jpeg, nullptr},
    Syntax{"1.2.840.10008.1.2.4.53", "JPEG Spectral Selection", Coding::jpeg, nullptr},
    Syntax{"1.2.840.10008.1.2.4.55", "JPEG Full Progression", Coding::jpeg, nullptr},
    Syntax{"1.2.840.10008.1.2.4.57", "JPEG Lossless", Coding::jpeg, nullptr},
    Syntax{"1.2.840.10008.1.2.4.70", "JPEG Lossless, First-Order Prediction", Coding::jpeg,
           nullptr},
    Syntax{"1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", Coding::jpeg_ls, nullptr},
    Syntax{"1.2.840.10008.1.2.4.81", "JPEG-LS Near-Lossless", Coding::jpeg_ls, nullptr},
    Syntax{"1.2.840.10008.1.2.4.90", "JPEG 2000 Lossless", Coding::jpeg_2000, nullptr},
    Syntax{"1.2.840.10008.1.2.4.91", "JPEG 2000", Coding::jpeg_2000, nullptr},
    Syntax{"1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Lossless", Coding::jpeg_2000, nullptr},
    Syntax{"1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2", Coding::jpeg_2000, nullptr},
    Syntax{"1.2.840.10008.1.2.1.98", "Encapsulated Uncompressed Explicit VR Little Endian",
           Coding::plain, kElsewhere},
    Syntax{"1.2.840.10008.1.2.4.94", "JPIP Referenced", Coding::plain, kNoPixels},
    Syntax{"1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", Coding::plain, kNoPixels},
    Syntax{"1.2.840.10008.1.2.4.204", "JPIP HTJ2K Referenced", Coding::plain, kNoPixels},
    Syntax{"1.2.840.10008.1.2.4.205", "JPIP HTJ2K Referenced Deflate", Coding::plain, kNoPixels},
    Syntax{"1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 Lossless", Coding::plain, kRecode},
    Syntax{"1.2.840.10008.1.2.4.202", "High-Throughput JPEG 2000 Lossless with RPCL", Coding::plain,
           kRecode},
    Syntax{"1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000", Coding::plain, kRecode},
    Syntax{"1.2.840.10008.1.2.4.110", "JPEG XL Lossless", Coding::plain, kElsewhere},
    Syntax{"1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", Coding::plain, kElsewhere},
    Syntax{"1.2.840.10008.1.2.4.112", "JPEG XL", Coding::plain, kElsewhere},
    Syntax{"1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression", Coding::plain, kElsewhere},
    Syntax{"1.2.840.10008.1.2.4.100", "MPEG-2 Main Profile", Coding::plain, kVideo},
    Syntax{"1.2.840.10008.1.2.4.100.1", "MPEG-2 Main Profile, fragmentable", Coding::plain, kVideo},
    Syntax{"1.2.840.10008.1.2.4.101", "MPEG-2 High Level", Coding::plain, kVideo},
    Syntax{"1.2.840.10008.1.2.4.101.1", "MPEG-2 High Level, fragmentable", Coding::plain, kVideo},
    Syntax{"1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264", Coding::plain, kVideo},
    Syntax{"1.2.840.10008.1.2.4.102.1", "MPEG-4 AVC/H.264, fragmentable", Coding::plain, kVideo},
    Syntax{"1.2.840.10008.1.2.4.103", "MPEG-4 AVC/H.264 BD-compatible", Coding::plain, kVideo},
    Syntax{"1.2.840.10008.1.2.4.104", "MPEG-4 AVC/H.264 for 2D video", Coding::plain, kVideo},
    Syntax{"1.2.840.10008.1.2.4.105", "MPEG-4 AVC/H.264 for 3D video", Coding::plain, kVideo},
    Syntax{"1.2.840.10008.1.2.4.106", "MPEG-4 AVC/H.264 stereo", Coding::plain, kVideo},
    Syntax{"1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile", Coding::plain, kVideo},
    Syntax{"1.2.840.10008.1.2.4.108", "HEVC/H.265 Main 10 Profile", Coding::plain, kVideo}};

// Group 0002 is Explicit VR Little Endian and has no sequences; its values are short.
constexpr std::size_t kMeta = 132;  // where it begins

std::uint32_t number(const std::string& bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  if (at + count <= bytes.size()) std::memcpy(&value, bytes.data() + at, count);
  return value;
}

}  // namespace

std::string syntax_uid(const char* path) {
  constexpr std::size_t kEnough = 1U << 16;
  std::string head(kEnough, '\0');
  std::ifstream in(path, std::ios::binary);
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  if (head.size() < kMeta || head.compare(kMeta - 4, 4, "DICM") != 0) return {};
  std::size_t at = kMeta;
  while (at + 8 <= head.size() && number(head, at, 2) == 0x0002) {
    const std::string vr = head.substr(at + 4, 2);
    const bool wide = vr == "OB" || vr == "UN" || vr == "OW" || vr == "UT";
    const std::size_t value = at + (wide ? 12 : 8);
    const std::size_t length = wide ? number(head, at + 8, 4) : number(head, at + 6, 2);
    if (value > head.size() || length > head.size() - value) break;
    if (number(head, at + 2, 2) == 0x0010) {
      std::string uid = head.substr(value, length);
      while (!uid.empty() && (uid.back() == '\0' || uid.back() == ' ')) uid.pop_back();
      return uid;
    }
    at = value + length;
  }
  return {};
}

const Syntax& syntax_of(const std::string& uid) {
  const auto* const found = std::find_if(kSyntaxes.begin(), kSyntaxes.end(),
                                         [&](const Syntax& s) { return uid == s.uid; });
  if (found == kSyntaxes.end()) {
    const bool is_uid = std::all_of(
        uid.begin(), uid.end(), [](unsigned char c) { return std::isdigit(c) != 0 || c == '.'; });
    throw Refused(std::string("is stored in a transfer syntax that is not known") +
                  (is_uid && uid.size() <= 64 ? " (" + uid + ")" : std::string(" and is no UID")) +
                  ": " + kElsewhere);
  }
  if (found->remedy != nullptr) {
    throw Refused(std::string("is stored as ") + found->name + " (" + found->uid +
                  "), which is not supported: " + found->remedy);
  }
  return *found;
}

}  // namespace bioptic::dicom
