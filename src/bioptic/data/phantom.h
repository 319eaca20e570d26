// A chest radiograph by projection of simple anatomy, so that everything runs on a machine with
// nothing on it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/data/dataset.h"

namespace bioptic {

// Changes whenever the same spec would give other pixels; part of a cached phantom's name.
inline constexpr int kPhantomVersion = 2;

struct PhantomSpec {
  std::size_t train = 2000, test = 400;  // images; half of each is PNEUMONIA
  double shift = 1;  // 0 = the test split comes from the same scanner; "default" = 1
  std::uint64_t seed = 1;
  int size = 256;  // pixels, both sides, 32..1024
};

// Makes the dataset at `folder` (classes NORMAL, PNEUMONIA; splits train and test; groups =
// patients, each with several images).  `progress(done, total)` is called now and then from the
// calling thread. The same bytes for the same spec on any number of threads.
DatasetInfo make_phantom(const PhantomSpec& spec, const std::filesystem::path& folder, int threads,
                         const std::function<void(std::size_t, std::size_t)>& progress = {});

}  // namespace bioptic
