// A dataset for other programs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bioptic/data/dataset.h"
#include "bioptic/data/import.h"

namespace bioptic {

// MedMNIST's layout: train_images (N, H, W) or (N, H, W, 3) in the dataset's element type,
// train_labels (N, 1) uint8 (int64 above 256 classes), and val_..., test_... where the dataset has
// those splits; images of no named split go to train.  The same bytes for the same dataset.
// Both functions write beside `target` first and rename; both throw InputError when `target` is
// there already.  Return what is lost or was decided, in sentences.
std::vector<std::string> export_npz(const Dataset& dataset, const std::filesystem::path& target,
                                    const Progress& progress = {});

// target/SPLIT/CLASS/ID.png (target/CLASS/ID.png where no split is named), and manifest.csv with
// path, label, split, group and weight as far as the dataset has them, which `data import` reads.
std::vector<std::string> export_png(const Dataset& dataset, const std::filesystem::path& target,
                                    int threads, const Progress& progress = {});

}  // namespace bioptic
