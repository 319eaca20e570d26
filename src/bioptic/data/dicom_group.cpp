#include <fcntl.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/sha256.h"
#include "bioptic/data/dicom.h"
#include "bioptic/data/warning.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kShortestKey = 16;

fs::path users_key() {
  const auto folder = [](const char* name) -> fs::path {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  fs::path config = folder("XDG_CONFIG_HOME");
  if (config.empty() && !folder("HOME").empty()) config = folder("HOME") / ".config";
  if (config.empty()) {
    throw InputError(
        "the key of the patients' group names has no place: neither XDG_CONFIG_HOME nor HOME is "
        "set; name a file with --group-key");
  }
  return config / "bioptic" / "group-key";
}

// 32 random bytes as hex digits, readable by the owner alone.  A second program that makes the key
// at the same time wins or loses as a whole: link() does not replace.
void make_key(const fs::path& file) {
  std::array<std::uint8_t, 32> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
    throw Failure("no random numbers for a key (libcrypto)");
  }
  const std::string text = sha256_hex({reinterpret_cast<const char*>(random.data()), 32}) + "\n";
  fs::create_directories(file.parent_path());
  remove_stale_beside(file);
  const fs::path temporary = temporary_beside(file);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written = fd >= 0 &&
                       ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  int error = errno;
  if (fd >= 0) ::close(fd);
  bool placed = false;
  if (written) {
    placed = ::link(temporary.c_str(), file.c_str()) == 0 || errno == EEXIST;
    error = errno;
  }
  ::unlink(temporary.c_str());
  if (!placed) {
    throw Failure(file.string() + ": the key of the patients' group names cannot be written (" +
                  std::strerror(error) + "); name a file with --group-key");
  }
}

// The program's own file is closed to all but its owner.
void keep_from_others(const fs::path& file) {
  std::error_code error;
  const fs::perms others = fs::perms::group_all | fs::perms::others_all;
  if ((fs::status(file, error).permissions() & others) == fs::perms::none) return;
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write, error);
}

}  // namespace

std::string group_key(const fs::path& file) {
  const fs::path place = file.empty() ? users_key() : file;
  if (!fs::exists(place)) {
    if (!file.empty()) {
      throw InputError(file.string() +
                       ": does not exist; --group-key names a file with a secret of at least 16 "
                       "bytes, such as another person's ~/.config/bioptic/group-key");
    }
    make_key(place);
  }
  if (!fs::is_regular_file(place)) throw InputError(place.string() + ": is not a file");
  if (file.empty()) keep_from_others(place);
  std::string key = read_file(place);
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
  if (key.size() < kShortestKey || key.size() > (1U << 16)) {
    throw InputError(place.string() + ": holds " + std::to_string(key.size()) +
                     " bytes; a key has at least 16 and is a short file");
  }
  return key;
}

std::string open_key_note(const fs::path& file) {
  std::error_code error;
  const fs::perms everybody = fs::perms::others_read | fs::perms::others_write;
  if (file.empty() || (fs::status(file, error).permissions() & everybody) == fs::perms::none) {
    return {};
  }
  return kWarning + std::string(
                        "everybody on this machine can read the key of the patients' "
                        "groups, and with it tell which patient a group is: chmod o-rwx " +
                        file.filename().string() + " closes it.");
}

std::string group_name(std::string_view key, std::string_view identity) {
  return "p" + hmac_sha256_hex(key, identity).substr(0, 16);
}

}  // namespace bioptic
