// Why a file cannot be used: words for a message that begins with its name.
#pragma once

#include <stdexcept>

namespace bioptic::dicom {

struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace bioptic::dicom
