#include "bioptic/data/dicom.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <optional>
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

// GDCM as Debian builds it aborts on many damaged files (its assertions are on), so that it reads
// in a process of its own, which answers through a pipe.  Nothing else of this program runs GDCM,
// so the fork copies none of its locks; that a child hangs is bounded by its alarm.
constexpr unsigned kMostSeconds = 120;

// Numbers and vectors of numbers, one after the other.
class Packer {
 public:
  template <typename T>
  void number(const T& value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  template <typename T>
  void list(const T& values) {  // a string or a vector of plain values
    number(values.size());
    bytes.append(reinterpret_cast<const char*>(values.data()),
                 values.size() * sizeof(typename T::value_type));
  }
  std::string bytes;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}
  template <typename T>
  void number(T& value) {
    take(&value, sizeof value);
  }
  template <typename T>
  void list(T& values) {
    std::size_t count = 0;
    number(count);
    if (count > rest_.size() / sizeof(typename T::value_type))
      throw Failure("DICOM: a short answer");
    values.resize(count);
    take(values.data(), count * sizeof(typename T::value_type));
  }

 private:
  void take(void* to, std::size_t bytes) {
    if (bytes > rest_.size()) throw Failure("DICOM: a short answer");
    if (bytes > 0) std::memcpy(to, rest_.data(), bytes);
    rest_.remove_prefix(bytes);
  }
  std::string_view rest_;
};

// All members of a file, by either of the two.
template <typename Wire, typename File>
void carry(Wire& wire, File& file) {
  wire.number(file.width);
  wire.number(file.height);
  wire.number(file.colour);
  wire.number(file.bits_allocated);
  wire.number(file.bits_stored);
  wire.number(file.is_signed);
  for (auto* lut : {&file.modality, &file.voi}) {
    wire.number(lut->first);
    wire.number(lut->bits);
    wire.list(lut->values);
  }
  wire.number(file.padding);
  wire.list(file.frames);
  wire.list(file.window_fault);
  wire.number(file.further_frames);
  wire.number(file.spare_bytes);
  wire.number(file.overlays);
  wire.number(file.colour_overruled);
  wire.list(file.patient_id);
  wire.list(file.study_uid);
  wire.list(file.instance_uid);
  wire.number(file.burned_in);
}

// Whole blocks through a pipe; false where the other end is gone or ended too early.
bool write_all(int pipe, const void* bytes, std::size_t count) {
  const char* at = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t n = ::write(pipe, at, count);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    count -= static_cast<std::size_t>(n);
  }
  return true;
}
bool read_all(int pipe, void* bytes, std::size_t count) {
  char* at = static_cast<char*>(bytes);
  while (count > 0) {
    const ssize_t n = ::read(pipe, at, count);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    count -= static_cast<std::size_t>(n);
  }
  return true;
}

// The sizes of an answer's two parts: what Packer made, and the pixels, which are many.
struct Sizes {
  std::size_t packed = 0, pixels = 0;
};

[[noreturn]] void answer(int pipe, decltype(&bioptic_dicom_read) read, const fs::path& path,
                         bool pixels, std::int64_t max_pixels) {
  ::alarm(kMostSeconds);
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM}) {
    ::signal(number, SIG_DFL);  // whoever handles these in this program has no business here
  }
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  const int silent = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (silent >= 0) ::dup2(silent, STDERR_FILENO);  // what GDCM prints may quote the file
  DicomFile file;
  std::string error;
  read(path.c_str(), pixels, max_pixels, &file, &error);
  Packer packer;
  packer.list(error);
  if (error.empty()) carry(packer, file);
  const Sizes sizes{packer.bytes.size(), file.pixels.size()};
  const bool written = write_all(pipe, &sizes, sizeof sizes) &&
                       write_all(pipe, packer.bytes.data(), sizes.packed) &&
                       write_all(pipe, file.pixels.data(), sizes.pixels);
  ::_exit(written ? 0 : 1);
}

// What the child wrote, its pixels in `pixels`; nullopt when it did not end by itself.
std::optional<std::string> answer_of(pid_t child, int pipe, std::vector<std::uint8_t>& pixels) {
  Sizes sizes;
  std::string bytes;
  bool whole = read_all(pipe, &sizes, sizeof sizes);
  if (whole) {
    bytes.resize(sizes.packed);
    pixels.resize(sizes.pixels);
    whole =
        read_all(pipe, bytes.data(), bytes.size()) && read_all(pipe, pixels.data(), pixels.size());
  }
  ::close(pipe);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!whole || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return {};
  return bytes;
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
  if (!in && !in.eof()) return true;  // cannot be read, which an import is to say, not to pass over
  return in.gcount() == 132 && std::memcmp(&head[128], "DICM", 4) == 0;
}

DicomReader::DicomReader() {
  const std::vector<fs::path> places = plugin_places();
  const auto found =
      std::find_if(places.begin(), places.end(), [](const fs::path& p) { return fs::exists(p); });
  if (found == places.end()) {
    throw Failure(
        "DICOM needs bioptic's plugin, which this program was built or installed without; "
        "expected " +
        (places.empty() ? std::string(kPluginName) : places.front().lexically_normal().string()) +
        ". Install the package of bioptic, or build with -DBIOPTIC_DICOM=ON (scripts/test does; "
        "Debian: libgdcm-dev, libgdcm-tools)");
  }
  library_.reset(::dlopen(found->c_str(), RTLD_NOW | RTLD_LOCAL), [](void*) {
    // Stays loaded: GDCM's own globals are not made to be unloaded.
  });
  if (!library_) {
    throw Failure(std::string("DICOM is read by GDCM, which cannot be loaded (Debian: apt install "
                              "libgdcm3.0): ") +
                  ::dlerror());
  }
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
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw Failure(std::string("DICOM: no pipe: ") + std::strerror(errno));
  }
  const pid_t child = ::fork();
  if (child == 0) answer(ends[1], read_, path, pixels, max_pixels);
  ::close(ends[1]);
  if (child < 0) {
    ::close(ends[0]);
    throw Failure(std::string("DICOM: no process: ") + std::strerror(errno));
  }
  constexpr int kBlock = 1 << 20;  // the most that a user may have by default
  ::fcntl(ends[0], F_SETPIPE_SZ, kBlock);
  const std::optional<std::string> bytes = answer_of(child, ends[0], file.pixels);
  if (!bytes) {
    throw InputError(path.string() +
                     ": is damaged in a way that GDCM cannot handle (it stopped while reading)");
  }
  Unpacker unpacker(*bytes);
  unpacker.list(error);
  if (error.empty()) carry(unpacker, file);
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
