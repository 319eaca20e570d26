// What is wrong with a dataset before anybody trains on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "bioptic/data/dataset.h"
#include "bioptic/data/import.h"
#include "bioptic/data/near_duplicates.h"
#include "bioptic/data/split.h"

namespace bioptic {

// How a study has grouped and split the images already.
enum class AuditSide : unsigned char { train, val, test, holdout };
struct AuditSplits {
  Groups groups;
  std::vector<AuditSide> sides;  // by row
};

struct AuditOptions {
  std::string group;     // search expression for the patient, as in search_groups
  SplitSpec split;       // how a study would draw what the source does not name
  double detect = 0.05;  // difference in accuracy between two arms that one wants to see
  bool near = true;      // look for near duplicates (time grows with the square of the images)
  std::string no_near_because = "not looked for";  // said where `near` is not set
  // Images, drawn at random but always the same, whose pixels are all read for what is measured
  // (intensity, saturation, trivial features); 0 = all.  The other checks look at every image.
  std::size_t sample = 0;
  const AuditSplits* splits = nullptr;  // instead of `group` and `split`
  int threads = 0;                      // 0 = all processors
};

// What only the files knew, by row of the dataset; empty where a dataset is audited.
struct Original {
  int width = 0, height = 0;
  std::string format;  // the file name's ending, in lower case
};

enum class AuditState { fine, found, not_done };
const char* name_of(AuditState);  // "fine", "found", "not done"

// One check: what it looked for, and what it saw, in a sentence with its numbers.
struct AuditCheck {
  std::string id, title;
  AuditState state = AuditState::fine;
  std::string said;
  std::vector<std::string> examples;  // at most kAuditExamples
};
inline constexpr std::size_t kAuditExamples = 10;

struct Audit {
  std::size_t images = 0;
  std::vector<AuditCheck> checks;
  std::vector<NearPair> near;  // most alike first
  bool anything() const;       // a check found something
};

// The checks, in this order; F stands for what makes one "found":
//   exact_duplicates   images with the same pixels as an earlier one (constant images apart); F:
//   any conflicting_labels the same pixels, or nearly, under two labels; F: any near_duplicates
//   find_near_duplicates; F: any split_duplicates   exact or near duplicates in two of train, val,
//   test; F: any split_groups       groups in two of train, val, test; F: any class_balance      a
//   class with less than a tenth of the largest one's images, or whose share differs
//                      between training (with validation) and test by 0.1 or more; F: any
//   intensity_drift    difference of the mean grey values of training and test images, over their
//   pooled
//                      standard deviation; F: 0.5 or more, and beyond chance (|t| > 4, Welch)
//   constant_images    one value everywhere; F: any
//   saturated_images   a quarter or more of the values at the type's largest; F: any
//   fixed_borders      rows and columns at the edge with one value in all images; F: any
//   trivial_features   mean, spread, border mean, and of the files width, height, aspect, format:
//   the
//                      largest one-against-the-rest AUROC (1/2 or above) on training and
//                      validation; F: 0.7 or more and beyond chance (its lower limit at 3.9
//                      standard errors, Hanley and McNeil 1982, is above 1/2)
//   test_size          F: fewer test groups than a paired comparison at level 0.05 with power 0.8
//   needs to
//                      see `detect`, if the arms differ on a tenth of the images:
//                      (1.96 + 0.84)^2 (0.1 - detect^2) / detect^2
// Where the source names no validation or test split, they are drawn as in a study with seed 0.
Audit audit_dataset(const Dataset& dataset, const std::vector<Original>& originals,
                    const AuditOptions& options, const Progress& progress = {});

// Imports to 256 x 256 (where sizes differ, else as they are) into `scratch`, a new folder that the
// caller removes, and keeps what the files say.  Returns the originals by row.
std::vector<Original> import_for_audit(const std::filesystem::path& source,
                                       const std::filesystem::path& scratch,
                                       const ImportOptions& options, const Progress& progress = {});

// The most alike pairs side by side, one under the other, as a PNG; at most 12.
std::string near_montage(const Dataset& dataset, const std::vector<NearPair>& pairs);

}  // namespace bioptic
