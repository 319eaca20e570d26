#include "bioptic/data/dicom.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <fstream>
#include <vector>

#include "bioptic/base/error.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

constexpr char kPluginName[] = "bioptic-dicom.so";

// Where the plugin lies, seen from the folder of the program: installed, and in the build folder.
std::vector<fs::path> plugin_places() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path();
  if (error) return {};
  return {program / ".." / BIOPTIC_LIBDIR / "bioptic" / kPluginName,
          program / "../../../lib/bioptic" / kPluginName};
}

}  // namespace

bool is_dicom_file(const fs::path& path) {
  std::string name = path.filename().string();
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name == "dicomdir") return false;
  if (name.ends_with(".dcm") || name.ends_with(".dicom")) return true;
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return false;
  std::ifstream in(path, std::ios::binary);
  std::array<char, 132> head{};
  in.read(head.data(), head.size());
  return in.gcount() == 132 && std::memcmp(&head[128], "DICM", 4) == 0;
}

DicomReader::DicomReader() {
  const std::vector<fs::path> places = plugin_places();
  const auto found =
      std::find_if(places.begin(), places.end(), [](const fs::path& p) { return fs::exists(p); });
  if (found == places.end()) {
    throw Failure(
        std::string("DICOM needs bioptic's plugin, which is not installed; expected ") +
        (places.empty() ? std::string(kPluginName) : places.front().lexically_normal().string()));
  }
  library_.reset(::dlopen(found->c_str(), RTLD_NOW | RTLD_LOCAL), [](void*) {
    // Stays loaded: GDCM's own globals are not made to be unloaded.
  });
  if (!library_) throw Failure(std::string("DICOM's plugin cannot be loaded: ") + ::dlerror());
  const auto interface = reinterpret_cast<decltype(&bioptic_dicom_interface)>(
      ::dlsym(library_.get(), "bioptic_dicom_interface"));
  read_ = reinterpret_cast<decltype(&bioptic_dicom_read)>(
      ::dlsym(library_.get(), "bioptic_dicom_read"));
  if (interface == nullptr || read_ == nullptr || std::strcmp(interface(), kDicomInterface) != 0) {
    throw Failure(found->lexically_normal().string() +
                  ": belongs to another version of bioptic; install both together");
  }
}

DicomFile DicomReader::call(const fs::path& path, bool pixels, std::int64_t max_pixels) const {
  DicomFile file;
  std::string error;
  std::error_code status;
  if (!fs::is_regular_file(path, status)) {
    throw InputError(path.string() + ": is not a regular file, or cannot be seen");
  }
  read_(path.c_str(), pixels, max_pixels, &file, &error);
  if (!error.empty()) throw InputError(path.string() + ": " + error);
  return file;
}

DicomFile DicomReader::read_header(const fs::path& path, std::int64_t max_pixels) const {
  return call(path, false, max_pixels);
}

DicomFile DicomReader::read(const fs::path& path, std::int64_t max_pixels) const {
  return call(path, true, max_pixels);
}

}  // namespace bioptic
