// Input that is made to do harm, given to the program: it ends within seconds, with a message that
// names the file and the reason, and leaves nothing behind.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <thread>

#include "workspace.h"
#include "zip_file.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::milliseconds;

// 20 s for what takes less than one.  In looks, not by the clock, which goes on while a whole
// container stands still.
constexpr int kLooks = 10'000;
constexpr milliseconds kLook{2};
constexpr const char* kMark = ".bioptic-tmp-";

std::vector<fs::path> temporaries(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().find(kMark) != std::string::npos) {
      found.push_back(entry.path());
    }
  }
  return found;
}

class Hostile : public Workspace {
 protected:
  // Two class folders of one image each.
  void make_source(const std::string& name) const {
    fs::remove_all(at(name));
    write_tiff(at(name) / "a/1.tif", 3, 2, 8, {1, 2, 3, 4, 5, 6});
    write_tiff(at(name) / "b/2.tif", 3, 2, 8, {6, 5, 4, 3, 2, 1});
  }
  Outcome end_of(Program& program, const std::string& what) const {
    for (int look = 0; program.running() && look < kLooks; ++look) {
      std::this_thread::sleep_for(kLook);
    }
    if (program.running()) {
      ADD_FAILURE() << what << " hangs";
      program.signal(SIGKILL);
    }
    return program.wait();
  }
  Outcome try_out(const std::string& arguments) const {
    Program program(words(arguments), folder_);
    return end_of(program, arguments);
  }
  void expect_nothing_left(const std::string& what) const {
    EXPECT_FALSE(fs::exists(fs::symlink_status(at("d")))) << what << " left a dataset";
    for (const fs::path& path : temporaries(folder_)) ADD_FAILURE() << what << " left " << path;
  }
  static void expect_said(const std::string& what, const Outcome& outcome,
                          const std::vector<std::string>& said) {
    EXPECT_EQ(outcome.code, 2) << what << "\n" << outcome.out << outcome.err;
    EXPECT_NE(outcome.err.find("bioptic: error: "), std::string::npos) << what << outcome.err;
    for (const std::string& part : said) {
      EXPECT_NE(outcome.err.find(part), std::string::npos)
          << what << ": '" << part << "' is not in: " << outcome.err;
    }
  }
  void expect_refused(const std::string& arguments, const std::vector<std::string>& said) const {
    expect_said(arguments, try_out(arguments), said);
    expect_nothing_left(arguments);
  }
  // The source holds one file more than it should: refused by its name, and left out with
  // --skip-bad.
  void expect_bad_file(const std::string& source, const std::vector<std::string>& said) const {
    expect_refused("data import @" + source + " @d", said);
    const Outcome rest = try_out("data import @" + source + " @d --skip-bad");
    EXPECT_EQ(rest.code, 0) << rest.err;
    EXPECT_NE(rest.err.find("left out: "), std::string::npos) << rest.err;
    EXPECT_NE(rest.err.find(said.front()), std::string::npos) << rest.err;
    fs::remove_all(at("d"));
  }
  void expect_images(const std::string& arguments, int images) const {
    const Outcome outcome = try_out(arguments + " --json");
    ASSERT_EQ(outcome.code, 0) << arguments << "\n" << outcome.err;
    EXPECT_EQ(json::parse(outcome.out).at("images"), images) << arguments;
    EXPECT_TRUE(temporaries(folder_).empty()) << arguments;
    fs::remove_all(at("d"));
  }
  // Whether its owner has locked a temporary folder; a file has no lock.
  static bool is_locked(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    std::error_code gone;
    if (fd < 0) return fs::is_regular_file(path, gone);
    const bool free = ::flock(fd, LOCK_EX | LOCK_NB) == 0;
    ::close(fd);
    return !free;
  }
  // Until the import of that target has begun to write; then stops it, so that the test can spoil
  // what it reads.  False when it was too fast for that.
  bool stop_while_writing(Program& import, const std::string& target) const {
    while (import.running()) {
      for (const fs::path& path : temporaries(folder_)) {
        if (path.filename().string().find("." + target + ".") != 0) continue;
        // Before it is locked a clean-up may take it, and the import makes another.
        if (!is_locked(path)) continue;
        import.signal(SIGSTOP);
        siginfo_t ended{};  // it may run on for a moment, or be done
        ::waitid(P_PID, static_cast<id_t>(import.pid()), &ended, WSTOPPED | WEXITED | WNOWAIT);
        return ended.si_code == CLD_STOPPED && !fs::exists(at(target));
      }
    }
    return false;
  }
};

TEST_F(Hostile, PipesAndDevices) {
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  for (const std::string target : {"pipe", "zero"}) {
    const fs::path special = target == "pipe" ? at("pipe") : fs::path("/dev/zero");
    for (const std::string name : {"x.png", "x.jpg", "x.tif", "x.dcm"}) {
      make_source("src");
      fs::create_symlink(special, at("src/a") / name);
      expect_bad_file("src", {name, "is not a regular file"});
    }
    make_source("src");
    fs::create_symlink(special, at("src/a/x"));  // no image by its name: not even opened
    expect_images("data import @src @d", 2);

    for (const std::string name : {"x.csv", "x.npz", "x.npy"}) {
      fs::remove(at(name));
      fs::create_symlink(special, at(name));
    }
    expect_refused("data import @x.csv @d", {"x.csv", "is not a regular file"});
    expect_refused("data import @x.npz @d", {"x.npz", "is not a regular file"});
    expect_refused(
        "data import @d --class a=" + at("x.npy").string() + " --class b=" + at("x.npy").string(),
        {"x.npy", "is not a regular file"});
    write(at("m.csv"), "path,label\nsrc/a/1.tif,a\n" + special.string() + ",b\n");
    expect_refused("data import @m.csv @d", {"m.csv:3", special.string(), "is not a file"});
    expect_refused("data audit @x.npz", {"x.npz", "is not a regular file"});

    make_source("src");
    ASSERT_EQ(try_out("data import @src @set").code, 0);
    for (const char* name : {"dataset.json", "index.csv", "labels.npy", "images.npy"}) {
      fs::rename(at("set") / name, at("kept"));
      fs::create_symlink(special, at("set") / name);
      expect_refused("data info @set", {name, "is not a regular file"});
      fs::rename(at("kept"), at("set") / name);
    }
    fs::remove_all(at("set"));
    fs::remove(at("s.toml"));
    fs::create_symlink(special, at("s.toml"));
    expect_refused("run @s.toml --out @d", {"s.toml", "is not a regular file"});
    expect_refused("eval @x.npy --data @src", {"x.npy", "is not a regular file"});
    expect_refused("compare @x.csv", {"x.csv", "is not a regular file"});
  }
}

TEST_F(Hostile, FoldersInPlaceOfFiles) {
  make_source("src");
  fs::create_directories(at("src/a/x.png/y.dcm"));
  expect_images("data import @src @d", 2);  // a folder like any other
  write_tiff(at("src/a/x.png/3.tif"), 3, 2, 8, {1, 2, 3, 4, 5, 7});
  expect_images("data import @src @d", 3);
  for (const char* name : {"x.csv", "x.npy"}) fs::create_directories(at(name));
  expect_refused("data import @x.csv @d", {"x.csv", "has no class folders"});
  expect_refused(
      "data import @d --class a=" + at("x.npy").string() + " --class b=" + at("x.npy").string(),
      {"x.npy"});
  write(at("m.csv"), "path,label\nsrc/a/1.tif,a\nsrc/a/x.png,b\n");
  expect_refused("data import @m.csv @d", {"m.csv:3", "x.png", "is not a file"});
}

TEST_F(Hostile, LinksThatGoRound) {
  make_source("src");
  fs::create_directory_symlink(at("src"), at("src/a/up"));
  fs::create_symlink("self", at("src/self"));
  fs::create_symlink("b", at("src/c"));  // a class folder may be a link
  expect_images("data import @src @d", 3);
  fs::create_symlink("two.png", at("src/a/one.png"));
  fs::create_symlink("one.png", at("src/a/two.png"));
  expect_bad_file("src", {"one.png", "cannot be opened: Too many levels of symbolic links"});
  expect_refused("data import @src/self @d", {"self", "Too many levels of symbolic links"});
  write(at("m.csv"), "path,label\nsrc/b/2.tif,a\nsrc/a/one.png,b\n");
  expect_refused("data import @m.csv @d", {"m.csv:3", "Too many levels of symbolic links"});
}

// The program run as somebody who may not read everything, which root may.  Returns the outcome, or
// nothing where the program itself cannot be run so.
std::optional<Outcome> run_unprivileged(const std::vector<std::string>& arguments,
                                        const fs::path& scratch) {
  const fs::path errors = scratch / "unprivileged.txt";
  const char* other = std::getenv("BIOPTIC_E2E_PROGRAM");
  std::vector<std::string> words = {other != nullptr ? other : BIOPTIC_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    if (std::freopen(errors.c_str(), "w", stderr) == nullptr) ::_exit(126);
    constexpr unsigned kNobody = 65534;
    if (::getuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) ::_exit(126);
    ::alarm(60);
    ::execv(argv[0], argv.data());
    ::_exit(126);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 126) return {};
  return Outcome{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), "",
                 read(errors)};
}

TEST_F(Hostile, WhatMayNotBeRead) {
  fs::permissions(folder_, fs::perms::all);
  make_source("src");
  write(at("m.csv"), "path,label\nsrc/a/1.tif,a\nsrc/b/2.tif,b\n");
  fs::create_directories(at("src/a/deep/deeper"));
  fs::create_directories(at("shut"));
  if (!run_unprivileged({"--version"}, folder_)) {
    GTEST_SKIP() << "the program cannot be run as nobody here";
  }
  const auto import = [&](const std::string& arguments) {
    const std::optional<Outcome> outcome = run_unprivileged(words(arguments), folder_);
    expect_nothing_left(arguments);
    return outcome.value_or(Outcome{});
  };
  const std::string denied = "Permission denied";
  for (const char* name : {"src/a/1.tif", "src/b", "src/a/deep/deeper", "src"}) {
    const fs::perms before = fs::status(at(name)).permissions();
    fs::permissions(at(name), fs::perms::none);
    expect_said(name, import("data import @src @d"), {at(name).string(), denied});
    fs::permissions(at(name), before);
  }
  fs::permissions(at("src/a"), fs::perms::owner_read | fs::perms::others_read);  // names alone
  expect_said("names alone", import("data import @src @d"), {at("src/a").string(), denied});
  expect_said("manifest", import("data import @m.csv @d"), {"m.csv:2", "src/a/1.tif", denied});
  fs::permissions(at("src/a"), fs::perms::all);
  fs::permissions(at("m.csv"), fs::perms::none);
  expect_said("manifest", import("data import @m.csv @d"), {"m.csv", denied});

  fs::permissions(at("shut"), fs::perms::owner_read | fs::perms::others_read);
  const Outcome target = import("data import @src @shut/d");
  EXPECT_EQ(target.code, 1) << target.err;
  EXPECT_NE(target.err.find("/shut/"), std::string::npos) << target.err;
  EXPECT_NE(target.err.find(denied), std::string::npos) << target.err;

  fs::permissions(at("src/a/1.tif"), fs::perms::none);
  const std::optional<Outcome> rest =
      run_unprivileged(words("data import @src @d --skip-bad"), folder_);
  EXPECT_EQ(rest->code, 2) << rest->err;  // the class has no other image
  EXPECT_NE(rest->err.find("1.tif: cannot be opened: " + denied), std::string::npos) << rest->err;
  fs::permissions(at("shut"), fs::perms::all);
}

TEST_F(Hostile, PathsOfManifests) {
  make_source("src");
  fs::create_directories(at("lists"));
  const auto manifest = [&](const std::string& path, const std::string& label = "b") {
    write(at("lists/m.csv"), "path,label\n../src/a/1.tif,a\n" + path + "," + label + "\n");
  };
  // Where a manifest leads is its owner's choice; nothing is written there.
  manifest("../src/../src/b/2.tif");
  expect_images("data import @lists/m.csv @d", 2);
  manifest(at("src/b/2.tif").string());
  expect_images("data import @lists/m.csv @d", 2);

  const auto refused = [&](const std::string& path, const std::string& why) {
    manifest(path);
    expect_refused("data import @lists/m.csv @d", {"m.csv:3", why});
  };
  refused("../src/a/../a/1.tif", "is listed already in line 2");
  refused("../../nowhere.png", "does not exist");
  refused("/nowhere/x.png", "does not exist");
  refused("/etc", "is not a file");
  refused("..", "is not a file");
  refused(std::string(300, 'x') + ".png", "File name too long");
  refused(std::string(5000, 'x') + ".png", "File name too long");
  refused("../src/b/2.tif" + std::string(1, '\0') + ".png", "zero byte");
  manifest("/etc/passwd");
  expect_refused("data import @lists/m.csv @d", {"/etc/passwd: is not a JPEG, PNG or TIFF image"});

  // A class's name becomes a folder's only where an export makes it one.
  manifest("../src/b/2.tif", "../../../escaped");
  ASSERT_EQ(try_out("data import @lists/m.csv @set").code, 0);
  ASSERT_EQ(try_out("data export @set @out/pictures").code, 0);
  manifest("../src/b/2.tif", std::string(10'000, 'y'));
  ASSERT_EQ(try_out("data import @lists/m.csv @long").code, 0);
  ASSERT_EQ(try_out("data export @long @out/long").code, 0);
  // Nor do a damaged index.csv's numbers and splits.
  const std::string index = read(at("set/index.csv"));
  std::string changed = index;
  changed.replace(changed.find("\n000001,") + 1, 6, "../../../escaped");
  write(at("set/index.csv"), changed);
  ASSERT_EQ(try_out("data export @set @out/numbers").code, 0);
  changed = index;
  changed.replace(changed.rfind(",,"), 2, ",../../../escaped,");
  write(at("set/index.csv"), changed);
  expect_refused("data export @set @out/splits", {"index.csv:3", "'../../../escaped' is no split"});
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    EXPECT_EQ(entry.path().filename().string().find("escaped"), std::string::npos) << entry;
  }
}

TEST_F(Hostile, NamesThatAreTooLong) {
  make_source("src");
  const std::string name(255, 'x');  // leaves no place for a temporary name
  const Outcome outcome = try_out("data import @src @" + name);
  EXPECT_NE(outcome.code, 0);
  EXPECT_NE(outcome.err.find("File name too long"), std::string::npos) << outcome.err;
  fs::create_directories(at("src") / name);
  write_tiff(at("src") / name / "3.tif", 3, 2, 8, {1, 2, 3, 4, 5, 7});
  expect_images("data import @src @d", 3);
}

TEST_F(Hostile, Archives) {
  const std::string images = npy("|u1", "(2, 1, 2)", "abcd");
  const std::string labels = npy("|u1", "(2, 1)", std::string("\0\1", 2));
  const std::vector<ZipMember> good = {{"train_images.npy", images}, {"train_labels.npy", labels}};
  const auto refused = [&](const std::vector<ZipMember>& members,
                           const std::vector<std::string>& said) {
    write(at("x.npz"), zip_of(members));
    expect_refused("data import @x.npz @d", said);
  };
  write(at("x.npz"), zip_of(good));
  expect_images("data import @x.npz @d", 2);

  // Members that would be written elsewhere are never unpacked.
  std::vector<ZipMember> more = good;
  const std::string elsewhere = at("escaped.npy").string();
  more.push_back({"../escaped.npy", images});
  more.push_back({elsewhere, images});
  more.push_back({"../train_images.npy", images});
  write(at("x.npz"), zip_of(more));
  expect_images("data import @x.npz @d", 2);
  EXPECT_FALSE(fs::exists(elsewhere));
  refused({{"../train_images.npy", images}, {"../train_labels.npy", labels}}, {"holds none of"});

  // An archive in an archive.
  const std::string inner = zip_of(good);
  refused({{"inner.npz", inner}}, {"x.npz", "holds none of"});
  refused({{"train_images.npy", inner}, {"train_labels.npy", labels}},
          {"x.npz:train_images", "is not a .npy file"});

  // Bombs.  10^16 bytes that both headers promise; a small header before much data; and headers
  // that do not agree.
  const std::string huge = npy("|u1", "(10000000, 100000, 10000)", "");
  const std::uint64_t listed = huge.size() + 10'000'000'000'000'000U;
  refused({{"train_images.npy", huge, listed, true}, {"train_labels.npy", labels}},
          {"x.npz:train_images", "10000000000000128 bytes", "has room for"});
  refused({{"train_images.npy", npy("|u1", "(99999, 1000, 1000)", "abcd")}},
          {"x.npz:train_images", "promises 99999000128 bytes, the archive lists 132"});
  refused({{"train_images.npy", images + std::string(5'000'000, 'x')}},
          {"x.npz:train_images", "promises 132 bytes, the archive lists 5000132"});
  refused({{"train_images.npy", images, 132, true}, {"train_labels.npy", labels}},
          {"x.npz:train_images", "unpacks to more than"});
  refused({{"train_images.npy", npy("|u1", "(4294967296, 4294967296, 4)", "")}},
          {"x.npz:train_images", "larger than any file"});
  refused({{"train_images.npy", images},
           {"train_labels.npy", npy("|u1", "(9000000,)", std::string(9'000'000, '\1'))}},
          {"x.npz:train_labels", "9000000 labels of 2 images"});
}

TEST_F(Hostile, NestedDescriptions) {
  make_source("src");
  ASSERT_EQ(try_out("data import @src @set").code, 0);
  json description = json::parse(read(at("set/dataset.json")));
  description["provenance"] = "HERE";
  std::string text = description.dump();
  const std::string deep = std::string(3'000'000, '[') + std::string(3'000'000, ']');
  text.replace(text.find("\"HERE\""), 6, deep);
  write(at("set/dataset.json"), text);
  expect_refused("data info @set", {"dataset.json", "nested too deeply"});
}

// Files that are replaced between the look at their headers and the reading of their pixels.
TEST_F(Hostile, ImagesThatChangeWhileTheyAreRead) {
  make_source("src");
  for (int i = 0; i < 5000; ++i) {
    write_tiff(at(fmt::format("src/b/{:05}.tif", i)), 3, 2, 8, {6, 5, 4, 3, 2, 1});
  }
  const auto change = [&](const std::function<void(const fs::path&)>& spoil,
                          const std::string& why) {
    const fs::path last = at("src/b/2.tif");  // sorted behind the others
    Outcome outcome;
    for (int attempt = 0; attempt < 10; ++attempt) {  // until it is met in the middle
      write_tiff(last, 3, 2, 8, {6, 5, 4, 3, 2, 1});
      Program import(words("data import @src @d --threads 1"), folder_);
      if (stop_while_writing(import, "d")) spoil(last);
      import.signal(SIGCONT);
      outcome = end_of(import, why);
      if (outcome.code != 0) break;
      fs::remove_all(at("d"));
    }
    expect_said(why, outcome, {last.string(), why});
    expect_nothing_left(why);
  };
  change([](const fs::path& file) { fs::resize_file(file, 0); }, "is empty");
  change([](const fs::path& file) { fs::resize_file(file, 60); }, "TIFF");
  change([](const fs::path& file) { fs::remove(file); }, "No such file");
  change(
      [](const fs::path& file) {
        write_tiff(file, 2, 2, 8, {1, 2, 3, 4});
      },
      "was changed while it was read");
  change(
      [](const fs::path& file) {
        write_tiff(file, 3, 2, 16, {1, 2, 3, 4, 5, 6});
      },
      "was changed while it was read");
}

TEST_F(Hostile, ATiffThatIsCutOffWhileItIsRead) {
  make_source("src");
  const fs::path file = at("src/a/1.tif");
  Outcome outcome;
  for (int attempt = 0; attempt < 10; ++attempt) {  // until it is met in the middle
    write_tiff(file, 2000, 2000, 8, std::vector<unsigned>(2000 * 2000, 7));
    Program import(words("data import @src @d --threads 1 --size 8"), folder_);
    if (stop_while_writing(import, "d")) fs::resize_file(file, 200);
    import.signal(SIGCONT);
    outcome = end_of(import, "TIFF");
    if (outcome.code != 0) break;
    fs::remove_all(at("d"));
  }
  expect_said("TIFF", outcome, {file.string(), "cut off"});
  expect_nothing_left("TIFF");
}

TEST_F(Hostile, ArraysThatAreCutOffWhileTheyAreRead) {
  constexpr std::uintmax_t kImages = 15'000;
  const std::string head = npy("|u1", fmt::format("({}, 32, 32)", kImages), "");
  for (const char* name : {"a.npy", "b.npy"}) {
    write(at(name), head);
    fs::resize_file(at(name), head.size() + kImages * 32 * 32);  // holes: no disk is taken
  }
  const std::string arguments = fmt::format("--threads 1 --class a={} --class b={}",
                                            at("a.npy").string(), at("b.npy").string());
  Program import(words("data import @d " + arguments), folder_);
  ASSERT_TRUE(stop_while_writing(import, "d"));
  fs::resize_file(at("b.npy"), 4096);
  import.signal(SIGCONT);
  const Outcome outcome = end_of(import, "arrays");
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_NE(outcome.err.find(at("b.npy").string() + ": was cut off while it was read"),
            std::string::npos)
      << outcome.err;
  EXPECT_FALSE(fs::exists(at("d")));
  // It ends as if it were killed; the next import clears up.
  EXPECT_EQ(temporaries(folder_).size(), 1U);
  make_source("src");
  ASSERT_EQ(try_out("data import @src @other").code, 0);
  EXPECT_TRUE(temporaries(folder_).empty());
}

// What a killed import leaves goes with the next one; what a living one writes stays.
TEST_F(Hostile, KilledImportsAreClearedAway) {
  constexpr std::uintmax_t kImages = 15'000;
  const std::string head = npy("|u1", fmt::format("({}, 32, 32)", kImages), "");
  for (const char* name : {"a.npy", "b.npy"}) {
    write(at(name), head);
    fs::resize_file(at(name), head.size() + kImages * 32 * 32);
  }
  const std::string arguments = fmt::format("--threads 1 --class a={} --class b={}",
                                            at("a.npy").string(), at("b.npy").string());
  make_source("src");

  Program killed(words("data import @d " + arguments), folder_);
  ASSERT_TRUE(stop_while_writing(killed, "d"));
  killed.signal(SIGKILL);
  EXPECT_EQ(killed.wait().code, 128 + SIGKILL);
  ASSERT_EQ(temporaries(folder_).size(), 1U);
  EXPECT_FALSE(fs::exists(at("d")));
  ASSERT_EQ(try_out("data import @src @d").code, 0);  // the same place
  EXPECT_TRUE(temporaries(folder_).empty());
  fs::remove_all(at("d"));

  Program alive(words("data import @d " + arguments), folder_);
  ASSERT_TRUE(stop_while_writing(alive, "d"));
  ASSERT_EQ(try_out("data import @src @other").code, 0);  // beside it
  EXPECT_EQ(temporaries(folder_).size(), 1U);
  EXPECT_EQ(try_out("data import @src @third").code, 0);
  alive.signal(SIGCONT);
  const Outcome outcome = end_of(alive, "the import that was stopped");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(temporaries(folder_).empty());
  EXPECT_EQ(try_out("data info @d --verify").code, 0);
  fs::remove_all(at("d"));

  // An archive is unpacked before the dataset is begun.
  write(at("x.npz"), zip_of({{"train_images.npy", npy("|u1", "(2, 1, 2)", "abcd")},
                             {"train_labels.npy", npy("|u1", "(2, 1)", std::string("\0\1", 2))}}));
  Program unpacking(words("data import @x.npz @d"), folder_);
  const bool stopped = stop_while_writing(unpacking, "d");
  unpacking.signal(SIGKILL);
  unpacking.wait();
  fs::remove_all(at("d"));
  EXPECT_TRUE(!stopped || !temporaries(folder_).empty());
  ASSERT_EQ(try_out("data import @x.npz @d").code, 0);
  EXPECT_TRUE(temporaries(folder_).empty());
}

// A killed export leaves nothing under its name, and the same command then writes what it would
// have.
TEST_F(Hostile, KilledExportsAreClearedAway) {
  constexpr std::uintmax_t kImages = 400;
  const std::string head = npy("|u1", fmt::format("({}, 32, 32)", kImages), "");
  for (const char* name : {"a.npy", "b.npy"}) {
    write(at(name), head);
    fs::resize_file(at(name), head.size() + kImages * 32 * 32);
  }
  ASSERT_EQ(try_out(fmt::format("data import @d --class a={} --class b={}", at("a.npy").string(),
                                at("b.npy").string()))
                .code,
            0);
  for (const std::string target : {"x.npz", "folder"}) {
    bool stopped = false;
    for (int attempt = 0; attempt < 100 && !stopped; ++attempt) {  // it is done in milliseconds
      fs::remove_all(at(target));
      for (const fs::path& path : temporaries(folder_)) fs::remove_all(path);
      Program killed(words("data export @d @" + target), folder_);
      stopped = stop_while_writing(killed, target);
      killed.signal(SIGKILL);
      killed.wait();
    }
    ASSERT_TRUE(stopped) << target;
    EXPECT_FALSE(fs::exists(at(target)));
    EXPECT_EQ(temporaries(folder_).size(), 1U);
    ASSERT_EQ(try_out("data export @d @" + target).code, 0);
    EXPECT_TRUE(temporaries(folder_).empty());
    const std::string source = target == "folder" ? "folder/manifest.csv" : target;
    const Outcome again = try_out("data import @" + source + " @again --json");
    ASSERT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(json::parse(again.out).at("images"), 2 * kImages);
    fs::remove_all(at("again"));
  }
}

}  // namespace
}  // namespace e2e
