// Public data sets over HTTPS, through libcurl, which is opened when it is first needed.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/data/import.h"

namespace bioptic {

// One of MedMNIST's 2-D sets, as its authors publish it (medmnist 3.0.2, Zenodo record 10519652).
struct PublicSet {
  std::string_view name, task;
  int labels = 0, channels = 1;
  std::int64_t images = 0;  // train, val and test together
  std::string_view licence;
  std::array<std::string_view, 4> md5;  // of the file for each of kPublicSizes
};
inline constexpr std::array<int, 4> kPublicSizes = {28, 64, 128, 224};
inline constexpr std::string_view kPublicPlace = "https://zenodo.org/records/10519652/files";
inline constexpr std::string_view kPublicCitation =
    "Yang J, Shi R, Wei D, et al. MedMNIST v2 - a large-scale lightweight benchmark for 2D and 3D "
    "biomedical image classification. Scientific Data 2023;10:41.";

const std::vector<PublicSet>& public_sets();
// Throws InputError with the nearest name.
const PublicSet& public_set(std::string_view name);
// "NAME.npz" for 28 pixels, "NAME_64.npz", ...  Throws InputError when there is no such size.
std::string public_file(const PublicSet& set, int size);
std::string_view public_md5(const PublicSet& set, int size);
// More bytes than the file can have: its arrays, not packed, and a little for names.
std::int64_t public_most_bytes(const PublicSet& set, int size);

// What is to be fetched, and how it is known to be right.
struct Download {
  std::string url;              // http or https; redirections only to https, but for http urls
  std::string md5;              // of the whole file, 32 lower-case hex digits
  std::int64_t most_bytes = 0;  // a server that sends more is cut off
};

// Fetches to `target` by way of "target.part", which stays when the connection fails and from which
// the next call goes on; a file that is there already is checked and kept.  A broken connection is
// tried again as long as bytes arrive (50 times at most, 3 without any).  Throws InputError where
// target exists with other content, and Failure for what the network or the server did: not
// reachable, an HTTP error, too many bytes, a wrong MD5 (then nothing is kept). Returns false when
// the file was there already.
bool fetch_file(const Download& download, const std::filesystem::path& target,
                const Progress& progress = {});

}  // namespace bioptic
