// What `bioptic init` finds out about the data that a study will use.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bioptic/study/template.h"

namespace bioptic {

struct InitData {
  std::string data = "phantom";                    // DATA as given
  std::vector<std::string> classes, test_classes;  // NAME=FILE.npy; then `data` is unused
  std::optional<int> size;                         // --size
  std::string positive, group;                     // --positive, --group; "" = not given
};

struct FoundData {
  DataFacts facts;
  bool has_test = false;
  bool is_folder = false;   // images in folders, or a manifest: looked at by name alone
  std::size_t images = 0;   // where it was looked at
  std::size_t grouped = 0;  // of these, the names that the search expression finds a patient in
};

// `folder`: where the study will stand; its source is relative to it.  Arrays are imported, to
// `folder`/images, so that they are read once and checked as every dataset is.  `xrays`: where the
// file names are those of the shipped studies' X-rays, their search expression for the patient is
// taken.  Throws InputError for what no study could use.
FoundData find_data(const InitData& asked, const std::filesystem::path& folder, bool xrays);

}  // namespace bioptic
