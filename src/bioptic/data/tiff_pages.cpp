#include "bioptic/data/tiff_pages.h"

#include <fmt/format.h>

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/data/image_decoders.h"

namespace bioptic {
namespace {

constexpr const char* kSplit = "one image per file is expected: split it first";

// Whether the page that the file stands at is a smaller copy or a mask of another, by its tags.
bool is_copy(TIFF* file) {
  std::uint32_t kind = 0;
  std::uint16_t old_kind = 0;
  TIFFGetField(file, TIFFTAG_SUBFILETYPE, &kind);
  TIFFGetField(file, TIFFTAG_OSUBFILETYPE, &old_kind);
  return (kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) != 0 ||
         old_kind == OFILETYPE_REDUCEDIMAGE;
}

// Refuses several images behind one directory, which only words or private tags tell.
void refuse_stack(TIFF* file, const std::filesystem::path& path) {
  const char* words = nullptr;
  if (TIFFGetField(file, TIFFTAG_IMAGEDESCRIPTION, &words) == 1 && words != nullptr) {
    const std::string_view text(words);
    constexpr std::string_view kImages = "images=";
    const std::size_t at = text.starts_with("ImageJ=") ? text.find(kImages) : text.npos;
    if (at != text.npos) {
      const std::string_view rest = text.substr(at + kImages.size());
      const std::string_view number = rest.substr(0, rest.find_first_of("\r\n"));
      std::uint64_t images = 0;
      const auto end = std::from_chars(number.data(), number.data() + number.size(), images);
      if (end.ec != std::errc() || end.ptr != number.data() + number.size() || images != 1) {
        fail_image(path, fmt::format("is an ImageJ stack of {} images; {} (in ImageJ: Image > "
                                     "Stacks > Stack to Images)",
                                     number, kSplit));
      }
    }
    // tifffile, where it writes one directory for all pages.
    if (text.starts_with("{\"shape\": [") && text.find("\"truncated\": true") != text.npos) {
      fail_image(path, fmt::format("is a stack of several images in one page; {}", kSplit));
    }
  }
  constexpr std::uint32_t kMetaMorphPlanes = 33629;  // UIC2Tag: one entry for each plane
  std::uint32_t planes = 0;
  const void* values = nullptr;
  if (TIFFGetField(file, kMetaMorphPlanes, &planes, &values) == 1 && planes > 1) {
    fail_image(path, fmt::format("is a MetaMorph stack of {} images; {}", planes, kSplit));
  }
}

}  // namespace

std::uint64_t left_out_pages(TIFF* file, const std::filesystem::path& path) {
  refuse_stack(file, path);
  const bool first_is_copy = is_copy(file);
  std::uint16_t sub_images = 0;
  const std::uint64_t* places = nullptr;
  std::vector<std::uint64_t> subs;
  if (TIFFGetField(file, TIFFTAG_SUBIFD, &sub_images, &places) == 1 && places != nullptr) {
    subs.assign(places, places + sub_images);
  }
  const bool alone = subs.empty() && TIFFLastDirectory(file) != 0;
  if (alone) return 0;
  const auto pages = TIFFNumberOfDirectories(file);
  std::uint64_t copies = 0;
  TIFFSetDirectory(file, 0);
  for (unsigned page = 1; page < pages; ++page) {
    const bool read = TIFFReadDirectory(file) == 1;
    if (read && (first_is_copy || !is_copy(file))) {
      fail_image(path, fmt::format("has {} pages; {}", pages, kSplit));
    }
    ++copies;
    if (!read) break;
  }
  if (pages == 1 && subs.empty()) ++copies;  // its first directory names a second that is none
  for (const std::uint64_t place : subs) {
    if (TIFFSetSubDirectory(file, place) == 1 && !is_copy(file)) {
      fail_image(path, fmt::format("holds {} further images (SubIFDs) that are no smaller copies "
                                   "by their tags; {}",
                                   subs.size(), kSplit));
    }
    ++copies;
  }
  TIFFSetDirectory(file, 0);
  return copies;
}

}  // namespace bioptic
