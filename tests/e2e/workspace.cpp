#include "workspace.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <random>
#include <sstream>

namespace e2e {
namespace fs = std::filesystem;

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  EXPECT_TRUE(in) << file;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

void write_tiff(const fs::path& file, int width, int height, int bits,
                const std::vector<unsigned>& pixels) {
  std::string bytes;
  const auto put = [&](std::uint32_t value, int size) {
    for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 255U);
  };
  const auto tag = [&](std::uint32_t id, std::uint32_t type, std::uint32_t value) {
    put(id, 2);
    put(type, 2);  // 3 = 16 bit, 4 = 32 bit
    put(1, 4);
    put(value, 4);
  };
  constexpr std::uint32_t kTags = 9, kPixels = 8 + 2 + 12 * kTags + 4;
  const auto bytes_each = static_cast<std::uint32_t>(bits / 8);
  const auto w = static_cast<std::uint32_t>(width), h = static_cast<std::uint32_t>(height);
  bytes += "II*";
  put(0, 1);
  put(8, 4);  // where the tags begin
  put(kTags, 2);
  tag(256, 4, w);
  tag(257, 4, h);
  tag(258, 3, static_cast<std::uint32_t>(bits));
  tag(259, 3, 1);  // not compressed
  tag(262, 3, 1);  // 0 is black
  tag(273, 4, kPixels);
  tag(277, 3, 1);  // one channel
  tag(278, 4, h);  // one strip
  tag(279, 4, w * h * bytes_each);
  put(0, 4);  // no further image
  for (const unsigned p : pixels) put(p, static_cast<int>(bytes_each));
  write(file, bytes);
}

Table read_table(const fs::path& file) {
  std::istringstream lines(read(file));
  const auto split = [](const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream in(line);
    for (std::string field; std::getline(in, field, ',');) fields.push_back(field);
    return fields;
  };
  std::string line;
  std::getline(lines, line);
  const std::vector<std::string> names = split(line);
  Table table;
  while (std::getline(lines, line)) {
    std::vector<std::string> fields = split(line);
    fields.resize(names.size());
    auto& row = table.emplace_back();
    for (std::size_t i = 0; i < names.size(); ++i) row[names[i]] = fields[i];
  }
  return table;
}

Tree tree(const fs::path& folder) {
  Tree files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() != ".pdf") {
      files[fs::relative(entry.path(), folder).string()] = read(entry.path());
    }
  }
  return files;
}

std::string difference(const Tree& a, const Tree& b) {
  std::string names;
  for (const auto& [name, bytes] : a) {
    const auto other = b.find(name);
    if (other == b.end() || other->second != bytes) names += name + " ";
  }
  for (const auto& [name, bytes] : b) {
    if (!a.contains(name)) names += name + " ";
  }
  return names;
}

void Workspace::SetUp() {
  const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
  folder_ = fs::temp_directory_path() / fmt::format("bioptic-e2e-{}-{}", info->name(), ::getpid());
  fs::remove_all(folder_);
  fs::create_directories(folder_);
}

void Workspace::TearDown() {
  if (HasFailure()) {
    fmt::print(stderr, "kept: {}\n", folder_.string());
  } else {
    fs::remove_all(folder_);
  }
}

std::vector<std::string> Workspace::words(const std::string& arguments) const {
  // A word that begins with '@' is a path in this workspace.
  std::vector<std::string> list;
  std::istringstream in(arguments);
  for (std::string word; in >> word;) {
    list.push_back(word[0] == '@' ? at(word.substr(1)).string() : word);
  }
  return list;
}

Outcome Workspace::bioptic(const std::string& arguments) const {
  return run_program(words(arguments), folder_);
}

nlohmann::json Workspace::json_of(const std::string& arguments) const {
  const Outcome outcome = bioptic(arguments + " --json");
  EXPECT_EQ(outcome.code, 0) << arguments << "\n" << outcome.err;
  return nlohmann::json::parse(outcome.out);
}

nlohmann::json Workspace::status(const std::string& out) const {
  return json_of("status @" + out).at("studies").at(0);
}

void Workspace::make_images(const std::string& name, int per_class, int bits, int width) const {
  constexpr int kHeight = 24;
  std::mt19937 engine(7);
  const auto below = [&](unsigned n) { return static_cast<unsigned>(engine() % n); };
  const unsigned scale = bits == 8 ? 1 : 16;  // 16 bit: values up to some 4,000, as X-rays have
  for (const std::string split : {"train", "test"}) {
    for (const std::string kind : {"healthy", "sick"}) {
      for (int i = 0; i < (split == "train" ? per_class : per_class / 2); ++i) {
        std::vector<unsigned> pixels;
        const unsigned brighter = (kind == "sick" ? 18U : 0U) + below(24);
        for (int p = 0; p < width * kHeight; ++p) {
          const bool corner = p % width < 8 && p / width < 8;
          pixels.push_back(scale * (below(160) + (corner ? brighter : 0)));
        }
        write_tiff(at(name) / split / kind / fmt::format("person{}_{}.tiff", i / 2, i), width,
                   kHeight, bits, pixels);
      }
    }
  }
}

fs::path Workspace::make_study(const std::string& name, const std::string& extra,
                               const std::string& train) const {
  fs::path file = at(name + ".toml");
  write(file, fmt::format(R"([study]
name = "{}"
seeds = 2
{}

[data]
source = "images"
group = '(person\d+)'

[train]
model = {{ kind = "mlp", hidden = [8] }}
batch_size = 10
loss = "bce_with_logits"
optimizer = {{ kind = "adam", lr = 0.003 }}
{}

[[arm]]
name = "constant"

[[arm]]
name = "cosine"
scheduler = {{ kind = "cosine" }}
)",
                          name, extra, train));
  return file;
}

}  // namespace e2e
