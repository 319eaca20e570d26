// Answers of an HTTP server: a server on loopback sends the input, and `fetch_file` asks it, once
// for a whole file and once to go on from a part.  The input's parts, divided by kEnd, are the
// answers to the first, second, ... connection; the last one is sent to all that follow.  Every
// host that an answer redirects to is reached through this server, too (it is set as the proxy), so
// that nothing else is ever spoken to.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "bioptic/data/fetch.h"
#include "fuzz_file.h"

namespace {

constexpr std::string_view kEnd = "\n====\n";
constexpr std::string_view kPart = "0123456789";  // begins the file

class Server {
 public:
  Server() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket_, 64) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      std::abort();
    }
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
    for (const char* name : {"http_proxy", "https_proxy", "all_proxy"}) {
      ::setenv(name, url_.c_str(), 1);
    }
    ::unsetenv("no_proxy");
    ::unsetenv("NO_PROXY");
    std::thread([this] { serve(); }).detach();
  }
  const std::string& url() const { return url_; }
  void answer_with(std::string_view input) {
    const std::lock_guard lock(mutex_);
    answers_.clear();
    next_ = 0;
    while (true) {
      const std::size_t end = input.find(kEnd);
      answers_.emplace_back(input.substr(0, end));
      if (end == std::string_view::npos) return;
      input.remove_prefix(end + kEnd.size());
    }
  }

 private:
  [[noreturn]] void serve() {
    while (true) {
      const int client = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      std::string request, answer;
      char block[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t n = ::recv(client, block, sizeof block, 0);
        if (n <= 0) break;
        request.append(block, static_cast<std::size_t>(n));
      }
      {
        const std::lock_guard lock(mutex_);
        if (!answers_.empty()) answer = answers_[std::min(next_++, answers_.size() - 1)];
      }
      std::size_t sent = 0;
      while (sent < answer.size()) {
        const ssize_t n = ::send(client, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += static_cast<std::size_t>(n);
      }
      ::shutdown(client, SHUT_WR);
      while (::recv(client, block, sizeof block, 0) > 0) {
      }
      ::close(client);
    }
  }
  int socket_;
  std::string url_;
  std::mutex mutex_;
  std::vector<std::string> answers_;
  std::size_t next_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Server& server = *new Server;
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("bioptic-fuzz-http-" + std::to_string(::getpid()));
  const std::filesystem::path target = folder / "x.npz";
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  // The MD5 is that of "0123456789abcdefghij".
  const bioptic::Download download = {server.url() + "x.npz", "644be06dfc54061fd1e67f5ebbabcd58",
                                      1000};
  for (const bool part : {false, true}) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    if (part) std::ofstream(target.string() + ".part") << kPart;
    server.answer_with(input);
    bioptic::fuzz([&] { bioptic::fetch_file(download, target); });
    // Entirely or not at all, and never more than was allowed.
    if (std::filesystem::exists(target)) {
      if (std::filesystem::file_size(target) != 20) std::abort();
    } else if (std::filesystem::exists(target.string() + ".part") &&
               std::filesystem::file_size(target.string() + ".part") > 1000) {
      std::abort();
    }
  }
  return 0;
}
