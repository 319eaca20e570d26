// Images of a TIFF file beside its first.
#pragma once

#include <tiffio.h>

#include <cstdint>
#include <filesystem>

namespace bioptic {

// Smaller copies and masks of the first image, by their tags, and pages that cannot be read: their
// number.  Throws InputError where the file holds further images: pages, a stack in one page
// (ImageJ, tifffile, MetaMorph), or sub-images that are no smaller copies.  The file stands at its
// first page before and after.
std::uint64_t left_out_pages(TIFF* file, const std::filesystem::path& path);

}  // namespace bioptic
