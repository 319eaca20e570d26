// What a result was made with.
#pragma once

#include <map>
#include <string>

namespace bioptic {

struct Environment {
  std::string version;  // of bioptic
  std::string compiler, processor, system, host;
  int processors = 1;
};

Environment this_environment();

}  // namespace bioptic
