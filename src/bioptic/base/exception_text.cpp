#include "bioptic/base/exception_text.h"

#include <filesystem>
#include <new>
#include <stdexcept>

namespace bioptic {

std::string exception_text(const std::exception& exception) {
  const auto* const of_file = dynamic_cast<const std::filesystem::filesystem_error*>(&exception);
  if (of_file != nullptr && !of_file->path1().empty()) {
    return of_file->path1().string() + ": " + of_file->code().message();
  }
  if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr ||
      dynamic_cast<const std::length_error*>(&exception) != nullptr) {  // more than any memory
    return "there is not enough memory; what was finished before is kept. Use smaller images (data "
           "import --size), fewer --threads or --jobs, or a machine with more memory";
  }
  return exception.what();
}

}  // namespace bioptic
