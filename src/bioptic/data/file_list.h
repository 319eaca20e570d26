// A source that is a list of files: where a folder or a manifest leads to.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bioptic/data/file_table.h"
#include "bioptic/data/source.h"

namespace bioptic {

// The ending of a file's name in lower case: ".csv" for "LIST.CSV".
std::string ending_of(const std::filesystem::path& path);

struct FileList {
  std::string kind;                  // "class folders", "manifest"
  std::vector<std::string> classes;  // by label
  FileTable files;                   // in the order of the dataset
  std::string groups_from;           // words for a person where items carry groups, else ""
  bool weighted = false;             // items carry weights
  std::vector<std::string> notes;    // sentences for a person
  Losses losses;                     // of the folder as a whole
  std::vector<std::string> skipped;  // what was left out under skip_bad, with the reason
};

// A folder of class folders, with or without train/ val/ test/ (see split_named in cell.h) above
// them.  Files are sorted by bytes; hidden ones and links to folders are left out.  What else is
// left out stands in the notes.  Throws InputError naming the folder.
FileList list_folder(const std::filesystem::path& folder);

// A table (see CsvTable) with the columns path and label and, where wanted, split, group and
// weight, in any order; relative paths begin at the manifest's folder; white space around a label
// is no part of it.  Other columns are left out with a note.  A row without a group (see
// is_missing) is its own; one without a label is an error, or under `skip_bad` left out.  Throws
// InputError naming the manifest's line: a file that is not there or given twice, a label that
// differs from another by case or white space alone, a split that is none, a weight that is no
// positive number, a cell that is not UTF-8.
FileList list_manifest(const std::filesystem::path& file, bool skip_bad);

// The images of those files, one per frame of a DICOM file.
// Where one is a DICOM file the source is anonymous: item() gives running numbers for names, and
// the patients are groups by group_name, unless the list names groups.
std::unique_ptr<ImageSource> open_files(FileList list, const ImportOptions& options);

}  // namespace bioptic
