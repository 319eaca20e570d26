#include "bioptic/study/environment.h"

#include <sys/utsname.h>

#include <fstream>

#include "bioptic/base/parallel.h"
#include "bioptic/base/version.h"

namespace bioptic {

Environment this_environment() {
  Environment e;
  e.version = kVersion;
#if defined(__clang__)
  e.compiler = "clang " __clang_version__;
#else
  e.compiler = "g++ " __VERSION__;
#endif
  e.processors = available_processors();
  utsname names{};
  if (::uname(&names) == 0) {
    e.system = std::string(names.sysname) + " " + names.release + " " + names.machine;
    e.host = names.nodename;
  }
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.starts_with("model name")) {
      e.processor = line.substr(line.find(':') + 2);
      break;
    }
  }
  return e;
}

}  // namespace bioptic
