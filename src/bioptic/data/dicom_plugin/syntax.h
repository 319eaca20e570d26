// Transfer syntaxes: how the pixels are stored, or why they cannot be read.
#pragma once

#include <string>

namespace bioptic::dicom {

enum class Coding { plain, deflated, swapped, rle, jpeg, jpeg_ls, jpeg_2000 };

struct Syntax {
  const char* uid;
  const char* name;
  Coding coding;
  const char* remedy;  // of what is not supported: what to do about it; else null
};

// TransferSyntaxUID of the file's meta information; "" where the file names none.
std::string syntax_uid(const char* path);

// Throws Refused, with name, UID and remedy, for one that is not supported or not known.
const Syntax& syntax_of(const std::string& uid);

}  // namespace bioptic::dicom
