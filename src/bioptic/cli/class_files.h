// --class NAME=FILE.npy and --test-class NAME=FILE.npy.
#pragma once

#include <string>
#include <vector>

#include "bioptic/data/import.h"

namespace bioptic {

// What import_arrays takes.  Throws InputError naming the option that is not NAME=FILE.
std::vector<ClassFile> class_files(const std::vector<std::string>& classes,
                                   const std::vector<std::string>& test_classes);

}  // namespace bioptic
