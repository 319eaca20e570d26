#include "bioptic/data/fetch.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <set>
#include <thread>

#include "bioptic/base/files.h"
#include "bioptic/data/test_images.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

// An HTTP server on loopback that gives each request, one after the other, the bytes that `answer`
// makes of it, and then closes the connection.
class Server {
 public:
  using Answer = std::function<std::string(int number, const std::string& request)>;
  explicit Server(Answer answer) : answer_(std::move(answer)) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(socket_, 8), 0);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  std::string url(const std::string& file) const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/" + file;
  }
  int requests() const { return requests_; }

 private:
  void serve() {
    while (true) {
      const int client = ::accept(socket_, nullptr, nullptr);
      if (client < 0) return;
      std::string request;
      char block[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t n = ::recv(client, block, sizeof block, 0);
        if (n <= 0) break;
        request.append(block, static_cast<std::size_t>(n));
      }
      const std::string answer = answer_(requests_++, request);
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
  Answer answer_;
  std::atomic<int> requests_{0};
  int socket_ = -1, port_ = 0;
  std::thread thread_;
};

std::string header(const std::string& status, std::size_t length, const std::string& more = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(length) + "\r\n" + more +
         "Connection: close\r\n\r\n";
}

// What a request asks to go on from; 0 when it asks for all.
std::size_t asked_from(const std::string& request) {
  const std::size_t at = request.find("Range: bytes=");
  return at == std::string::npos ? 0 : std::stoul(request.substr(at + 13));
}

std::string part(const std::string& content, std::size_t from) {
  return header("206 Partial Content", content.size() - from,
                "Content-Range: bytes " + std::to_string(from) + "-" +
                    std::to_string(content.size() - 1) + "/" + std::to_string(content.size()) +
                    "\r\n") +
         content.substr(from);
}

class Fetch : public ::testing::Test {
 protected:
  Fetch() {
    for (int i = 0; i < 100000; ++i) content_ += static_cast<char>(std::int64_t{i} * i % 251);
  }
  // The content's MD5, from md5sum.
  Download download(const Server& server) const {
    return {server.url("x.npz"), "594e9a33fbebff2f4fc2a92aca2030cc", 200000};
  }
  std::string failure(const Download& what) const {
    try {
      fetch_file(what, folder_ / "x.npz");
    } catch (const Failure& e) {
      return e.what();
    }
    return "";
  }
  bool part_is_left() const { return fs::exists(folder_ / "x.npz.part"); }
  void expect_fetched() const {
    EXPECT_TRUE(fs::exists(folder_ / "x.npz") && read_file(folder_ / "x.npz") == content_);
    EXPECT_FALSE(part_is_left());
  }
  std::string content_;
  TestFolder folder_;
};

TEST_F(Fetch, AWholeFileIsFetchedOnce) {
  const Server server(
      [&](int, const std::string&) { return header("200 OK", content_.size()) + content_; });
  EXPECT_TRUE(fetch_file(download(server), folder_ / "x.npz"));
  expect_fetched();
  EXPECT_FALSE(fetch_file(download(server), folder_ / "x.npz"));
  EXPECT_EQ(server.requests(), 1);
  write_bytes(folder_ / "x.npz", "other", 5);
  EXPECT_NE(error_of([&] { fetch_file(download(server), folder_ / "x.npz"); }).find("another file"),
            std::string::npos);
  EXPECT_EQ(read_file(folder_ / "x.npz"), "other");
}

TEST_F(Fetch, ACutConnectionIsGoneOnFromWhereItBroke) {
  std::vector<std::size_t> asked;
  const Server server([&](int number, const std::string& request) {
    asked.push_back(asked_from(request));
    const std::string whole = asked.back() == 0 ? header("200 OK", content_.size()) + content_
                                                : part(content_, asked.back());
    return number < 2 ? whole.substr(0, 40000) : whole;
  });
  EXPECT_TRUE(fetch_file(download(server), folder_ / "x.npz"));
  expect_fetched();
  ASSERT_EQ(asked.size(), 3U);
  EXPECT_EQ(asked[0], 0U);
  EXPECT_GT(asked[1], 39000U);
  EXPECT_GT(asked[2], asked[1]);
}

TEST_F(Fetch, ALaterCallGoesOn) {
  write_bytes(folder_ / "x.npz.part", content_.data(), 70000);
  const Server server(
      [&](int, const std::string& request) { return part(content_, asked_from(request)); });
  EXPECT_TRUE(fetch_file(download(server), folder_ / "x.npz"));
  expect_fetched();
}

TEST_F(Fetch, AServerWithoutRangesBeginsAgain) {
  write_bytes(folder_ / "x.npz.part", "something else altogether", 25);
  const Server server(
      [&](int, const std::string&) { return header("200 OK", content_.size()) + content_; });
  EXPECT_TRUE(fetch_file(download(server), folder_ / "x.npz"));
  expect_fetched();
}

TEST_F(Fetch, APartThatIsWholeIsTaken) {
  write_bytes(folder_ / "x.npz.part", content_.data(), content_.size());
  const Server server(
      [&](int, const std::string&) { return header("416 Range Not Satisfiable", 0); });
  EXPECT_TRUE(fetch_file(download(server), folder_ / "x.npz"));
  expect_fetched();
}

TEST_F(Fetch, WrongBytesAreNotKept) {
  std::string wrong = content_;
  wrong[5000] ^= 1;
  const Server server(
      [&](int, const std::string&) { return header("200 OK", wrong.size()) + wrong; });
  EXPECT_NE(failure(download(server)).find("nothing was kept"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_ / "x.npz"));
  EXPECT_FALSE(part_is_left());
}

TEST_F(Fetch, LiesAboutTheLength) {
  {
    // more promised than sent, again and again: ends, and keeps what came
    const Server server([&](int, const std::string& request) {
      return asked_from(request) == 0 ? header("200 OK", 2 * content_.size()) + content_
                                      : std::string();
    });
    EXPECT_NE(failure(download(server)).find("are kept"), std::string::npos);
    EXPECT_TRUE(part_is_left());
    fs::remove(folder_ / "x.npz.part");
  }
  {
    // less promised than sent: the file ends where the header says
    const Server server([&](int, const std::string&) { return header("200 OK", 1000) + content_; });
    EXPECT_NE(failure(download(server)).find("MD5"), std::string::npos);
    EXPECT_FALSE(part_is_left());
  }
  {
    // no length, and no end before the limit
    const Server server([&](int, const std::string&) {
      return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + content_ + content_ + content_;
    });
    EXPECT_NE(failure(download(server)).find("more than the 200000 bytes"), std::string::npos);
    EXPECT_FALSE(part_is_left());
  }
  {
    // another range than was asked for
    write_bytes(folder_ / "x.npz.part", content_.data(), 500);
    const Server server([&](int, const std::string&) { return part(content_, 700); });
    EXPECT_NE(failure(download(server)).find("another part"), std::string::npos);
    EXPECT_FALSE(part_is_left());
  }
}

TEST_F(Fetch, ErrorsOfTheServer) {
  for (const char* status : {"404 Not Found", "500 Internal Server Error", "403 Forbidden"}) {
    const Server server([&](int, const std::string&) { return header(status, 3) + "no\n"; });
    EXPECT_NE(failure(download(server)).find(std::string(status).substr(0, 3)), std::string::npos);
    EXPECT_FALSE(part_is_left());
  }
  for (const std::string& answer :
       {std::string("no HTTP at all"), std::string(), std::string(100000, 'x')}) {
    const Server server([&](int, const std::string&) { return answer; });
    EXPECT_FALSE(failure(download(server)).empty());
    EXPECT_FALSE(fs::exists(folder_ / "x.npz"));
  }
  {
    const Server server([&](int, const std::string&) {
      return "HTTP/1.1 302 Found\r\nLocation: /x.npz\r\nContent-Length: 0\r\nConnection: "
             "close\r\n\r\n";
    });
    EXPECT_FALSE(failure(download(server)).empty());  // round and round
  }
  Download nowhere = {"http://127.0.0.1:1/x.npz", "x", 1000};
  EXPECT_FALSE(failure(nowhere).empty());
}

TEST(PublicSets, AreNamedOnceWithTheirSums) {
  std::set<std::string_view> names, sums;
  for (const PublicSet& set : public_sets()) {
    names.insert(set.name);
    for (const std::string_view md5 : set.md5) {
      EXPECT_EQ(md5.size(), 32U);
      EXPECT_EQ(md5.find_first_not_of("0123456789abcdef"), std::string_view::npos);
      sums.insert(md5);
    }
  }
  EXPECT_EQ(names.size(), 12U);
  EXPECT_EQ(sums.size(), 48U);
  EXPECT_EQ(public_file(public_set("pathmnist"), 28), "pathmnist.npz");
  EXPECT_EQ(public_file(public_set("pathmnist"), 224), "pathmnist_224.npz");
  EXPECT_NE(error_of([] { public_set("pneumonia_mnist"); }).find("pneumoniamnist"),
            std::string::npos);
  EXPECT_NE(error_of([] { public_file(public_set("pathmnist"), 32); }).find("28, 64"),
            std::string::npos);
}

}  // namespace
}  // namespace bioptic
