#include "bioptic/cli/class_files.h"

#include <fmt/format.h>

#include "bioptic/base/error.h"

namespace bioptic {
namespace {

ClassFile class_file(const std::string& text, const char* option, const std::string& split) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) {
    throw InputError(fmt::format("{} {}: expected NAME=FILE.npy", option, text));
  }
  return {text.substr(0, equals), text.substr(equals + 1), split};
}

}  // namespace

std::vector<ClassFile> class_files(const std::vector<std::string>& classes,
                                   const std::vector<std::string>& test_classes) {
  std::vector<ClassFile> files;
  const std::string split = test_classes.empty() ? "" : "train";
  for (const std::string& text : classes) files.push_back(class_file(text, "--class", split));
  for (const std::string& text : test_classes) {
    files.push_back(class_file(text, "--test-class", "test"));
  }
  return files;
}

}  // namespace bioptic
