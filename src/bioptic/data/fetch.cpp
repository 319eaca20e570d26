#include "bioptic/data/fetch.h"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

constexpr int kIdleAttempts = 3;   // that brought nothing, one after the other
constexpr int kMostAttempts = 50;  // in all
constexpr long kConnectSeconds = 30;
constexpr long kStallSeconds = 60;  // without a byte
constexpr long kMostRedirections = 5;

// The few functions of libcurl that are used.
struct Curl {
  decltype(&::curl_easy_init) init = nullptr;
  decltype(&::curl_easy_setopt) set = nullptr;
  decltype(&::curl_easy_perform) perform = nullptr;
  decltype(&::curl_easy_getinfo) info = nullptr;
  decltype(&::curl_easy_cleanup) cleanup = nullptr;
  decltype(&::curl_easy_strerror) error_text = nullptr;

  Curl() {
    void* library = nullptr;
    for (const char* name : {"libcurl.so.4", "libcurl-gnutls.so.4"}) {
      if (library == nullptr) library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
    }
    if (library == nullptr) {
      throw Failure("fetching needs libcurl, which is not installed (Debian: libcurl4)");
    }
    load(library, "curl_easy_init", init);
    load(library, "curl_easy_setopt", set);
    load(library, "curl_easy_perform", perform);
    load(library, "curl_easy_getinfo", info);
    load(library, "curl_easy_cleanup", cleanup);
    load(library, "curl_easy_strerror", error_text);
  }

 private:
  template <typename F>
  static void load(void* library, const char* name, F& function) {
    function = reinterpret_cast<F>(::dlsym(library, name));
    if (function == nullptr) throw Failure(std::string("libcurl has no ") + name);
  }
};

std::string md5_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Failure(file.string() + ": cannot be read");
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  if (!context || EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) != 1) {
    throw Failure("MD5 is not available (libcrypto)");
  }
  std::vector<char> block(1U << 20);
  while (in) {
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    EVP_DigestUpdate(context.get(), block.data(), static_cast<std::size_t>(in.gcount()));
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &length);
  std::string text;
  for (unsigned i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

// One answer of the server, written behind what the file has.
struct Transfer {
  const Curl* curl = nullptr;
  CURL* handle = nullptr;
  int fd = -1;
  std::int64_t offset = 0;   // the file's length when the answer began
  std::int64_t written = 0;  // the file's length now
  std::int64_t most = 0;
  std::optional<std::int64_t> range_begin;  // Content-Range of the answer
  std::string refused;                      // why the transfer was ended from here
  const Progress* progress = nullptr;
  bool begun = false;
  bool spoiled = false;  // what is in the file is not this file's beginning
};

bool begin_body(Transfer& t) {
  long code = 0;
  t.curl->info(t.handle, CURLINFO_RESPONSE_CODE, &code);
  t.begun = true;
  if (code == 206 && t.range_begin == t.offset) return true;
  // The whole file from its beginning: a server without ranges, or one that gives another range.
  if (code == 206 && t.range_begin != 0) {
    t.refused = "the server sent another part of the file than was asked for";
    t.spoiled = true;
    return false;
  }
  if (::ftruncate(t.fd, 0) != 0 || ::lseek(t.fd, 0, SEEK_SET) != 0) return false;
  t.written = 0;
  return true;
}

std::size_t take_body(char* data, std::size_t, std::size_t bytes, void* state) {
  Transfer& t = *static_cast<Transfer*>(state);
  if (!t.begun && !begin_body(t)) return 0;
  if (t.written + static_cast<std::int64_t>(bytes) > t.most) {
    t.refused =
        fmt::format("the server sends more than the {} bytes that the file can have", t.most);
    t.spoiled = true;
    return 0;
  }
  for (std::size_t at = 0; at < bytes;) {
    const ssize_t n = ::write(t.fd, data + at, bytes - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      t.refused = std::string("it cannot be written: ") + std::strerror(errno);
      return 0;
    }
    at += static_cast<std::size_t>(n);
  }
  t.written += static_cast<std::int64_t>(bytes);
  return bytes;
}

// "Content-Range: bytes 100-199/200"
std::size_t take_header(char* data, std::size_t, std::size_t bytes, void* state) {
  Transfer& t = *static_cast<Transfer*>(state);
  constexpr std::string_view kName = "content-range: bytes ";
  const std::string_view line(data, bytes);
  if (line.starts_with("HTTP/")) t.range_begin.reset();  // a new answer, after a redirection
  const bool same = line.size() > kName.size() &&
                    std::equal(kName.begin(), kName.end(), line.begin(), [](char a, char b) {
                      return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b + 32) : b);
                    });
  if (same) {
    std::int64_t begin = 0;
    const auto [rest, error] =
        std::from_chars(line.data() + kName.size(), line.data() + line.size(), begin);
    if (error == std::errc{}) t.range_begin = begin;
  }
  return bytes;
}

int show_progress(void* state, curl_off_t total, curl_off_t, curl_off_t, curl_off_t) {
  const Transfer& t = *static_cast<const Transfer*>(state);
  if (*t.progress && t.begun && total > 0) {
    const std::int64_t before = t.range_begin == t.offset ? t.offset : 0;
    (*t.progress)(static_cast<std::size_t>(t.written), static_cast<std::size_t>(before + total));
  }
  return 0;
}

// Asks once for what is missing.  Returns libcurl's code; `http` is the answer's status.
CURLcode ask(const Curl& curl, const Download& download, Transfer& t, long& http) {
  const std::unique_ptr<CURL, decltype(curl.cleanup)> handle(curl.init(), curl.cleanup);
  if (!handle) throw Failure("libcurl cannot be started");
  t.handle = handle.get();
  curl.set(t.handle, CURLOPT_URL, download.url.c_str());
  const char* protocols = download.url.starts_with("http://") ? "http,https" : "https";
  curl.set(t.handle, CURLOPT_PROTOCOLS_STR, protocols);
  curl.set(t.handle, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
  curl.set(t.handle, CURLOPT_FOLLOWLOCATION, 1L);
  curl.set(t.handle, CURLOPT_MAXREDIRS, kMostRedirections);
  curl.set(t.handle, CURLOPT_FAILONERROR, 1L);
  curl.set(t.handle, CURLOPT_NOSIGNAL, 1L);
  curl.set(t.handle, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl.set(t.handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl.set(t.handle, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  curl.set(t.handle, CURLOPT_USERAGENT, "bioptic");
  curl.set(t.handle, CURLOPT_WRITEFUNCTION, take_body);
  curl.set(t.handle, CURLOPT_WRITEDATA, &t);
  curl.set(t.handle, CURLOPT_HEADERFUNCTION, take_header);
  curl.set(t.handle, CURLOPT_HEADERDATA, &t);
  curl.set(t.handle, CURLOPT_NOPROGRESS, 0L);
  curl.set(t.handle, CURLOPT_XFERINFOFUNCTION, show_progress);
  curl.set(t.handle, CURLOPT_XFERINFODATA, &t);
  if (t.offset > 0) curl.set(t.handle, CURLOPT_RESUME_FROM_LARGE, curl_off_t{t.offset});
  const CURLcode code = curl.perform(t.handle);
  curl.info(t.handle, CURLINFO_RESPONSE_CODE, &http);
  return code;
}

// A file that is open for writing at its end.
class PartFile {
 public:
  explicit PartFile(const fs::path& path) : path_(path) {
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd_ < 0) throw Failure(path.string() + ": cannot be written: " + std::strerror(errno));
  }
  ~PartFile() { ::close(fd_); }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  int fd() const { return fd_; }
  std::int64_t end() const { return ::lseek(fd_, 0, SEEK_END); }
  void clear() const {
    if (::ftruncate(fd_, 0) != 0) throw Failure(path_.string() + ": cannot be emptied");
  }

 private:
  fs::path path_;
  int fd_;
};

// Fills the part file; throws Failure when that does not succeed.
void fill(const Curl& curl, const Download& download, const PartFile& part, const fs::path& target,
          const Progress& progress) {
  int idle = 0, attempts = 0;
  bool asked_again = false;
  while (true) {
    Transfer t;
    t.curl = &curl;
    t.fd = part.fd();
    t.offset = t.written = part.end();
    t.most = download.most_bytes;
    t.progress = &progress;
    long http = 0;
    const CURLcode code = ask(curl, download, t, http);
    if (code == CURLE_OK) return;
    if (!t.refused.empty()) {
      if (t.spoiled) part.clear();
      throw Failure(target.string() + ": " + t.refused);
    }
    if (http == 416 && t.offset > 0 && !asked_again) {
      // Nothing behind what is there: it is whole, or it is not this file's beginning.
      if (md5_of(target.string() + ".part") == download.md5) return;
      part.clear();
      asked_again = true;
      continue;
    }
    if (code == CURLE_RANGE_ERROR && t.offset > 0 && !asked_again) {
      part.clear();  // a server that gives no part, or another one
      asked_again = true;
      continue;
    }
    if (code == CURLE_HTTP_RETURNED_ERROR) {
      throw Failure(fmt::format("{}: the server answered {}", download.url, http));
    }
    const bool broken = code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR ||
                        code == CURLE_GOT_NOTHING || code == CURLE_OPERATION_TIMEDOUT;
    idle = t.written > t.offset ? 0 : idle + 1;
    if (!broken || idle >= kIdleAttempts || ++attempts >= kMostAttempts) {
      const bool kept = part.end() > 0;
      throw Failure(
          fmt::format("{}: {}{}", download.url, curl.error_text(code),
                      kept ? fmt::format("; the {} bytes that arrived are kept: run the same "
                                         "command again to go on",
                                         part.end())
                           : ""));
    }
  }
}

}  // namespace

bool fetch_file(const Download& download, const fs::path& target, const Progress& progress) {
  if (fs::exists(target)) {
    if (md5_of(target) == download.md5) return false;
    throw InputError(target.string() +
                     ": exists already and is another file (by its MD5); remove it first, or give "
                     "another name");
  }
  const Curl curl;
  if (target.has_parent_path()) fs::create_directories(target.parent_path());
  const fs::path part_name = target.string() + ".part";
  {
    const PartFile part(part_name);
    try {
      fill(curl, download, part, target, progress);
    } catch (const Failure&) {
      if (part.end() == 0) fs::remove(part_name);
      throw;
    }
  }
  const std::string md5 = md5_of(part_name);
  if (md5 != download.md5) {
    fs::remove(part_name);
    throw Failure(
        fmt::format("{}: what the server sent has the MD5 {} and not the published {}; "
                    "nothing was kept",
                    download.url, md5, download.md5));
  }
  commit_rename(part_name, target);
  return true;
}

}  // namespace bioptic
