// Nothing that a study leaves behind or prints says whom its DICOM files are of.
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <set>

#include "workspace.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A small grey DICOM file: Explicit VR Little Endian, not compressed.
class SmallDicom {
 public:
  SmallDicom& put(unsigned tag, const std::string& vr, std::string value) {
    if (value.size() % 2 == 1) value += vr == "UI" || vr == "OB" ? '\0' : ' ';
    for (const unsigned half : {tag >> 16, tag & 0xFFFFU}) number(half, 2);
    bytes_ += vr;
    if (vr == "OB") number(0, 2);
    number(static_cast<unsigned>(value.size()), vr == "OB" ? 4 : 2);
    bytes_ += value;
    return *this;
  }
  SmallDicom& us(unsigned tag, unsigned value) {
    return put(tag, "US", {static_cast<char>(value & 0xFFU), static_cast<char>(value >> 8)});
  }
  // 24 x 24 pixels; what comes before has smaller tags.
  SmallDicom& picture(int which) {
    us(0x00280002, 1).put(0x00280004, "CS", "MONOCHROME2");
    us(0x00280010, 24).us(0x00280011, 24).us(0x00280100, 8).us(0x00280101, 8);
    us(0x00280102, 7).us(0x00280103, 0);
    std::string pixels;
    for (int p = 0; p < 24 * 24; ++p) {
      pixels += static_cast<char>((p * (which + 3) + 31 * which) % 251);
    }
    return put(0x7FE00010, "OB", pixels);
  }
  std::string file() const {
    SmallDicom meta;
    meta.put(0x00020002, "UI", "1.2.840.10008.5.1.4.1.1.7").put(0x00020003, "UI", kInstance);
    meta.put(0x00020010, "UI", "1.2.840.10008.1.2.1").put(0x00020012, "UI", "1.2.77.88.99");
    SmallDicom length;
    length.number(static_cast<unsigned>(meta.bytes_.size()), 4);
    SmallDicom group;
    group.put(0x00020000, "UL", length.bytes_);
    return std::string(128, '\0') + "DICM" + group.bytes_ + meta.bytes_ + bytes_;
  }
  static constexpr const char* kInstance = "1.2.77.88.5551";

 private:
  void number(unsigned value, int size) {
    for (int b = 0; b < size; ++b) bytes_ += static_cast<char>(value >> (8 * b) & 0xFFU);
  }
  std::string bytes_;
};

// Pictures in a page are base64, in which any four letters occur; they lie beside it as files.
std::string without_pictures(std::string text) {
  for (std::size_t at = 0; (at = text.find(";base64,", at)) != std::string::npos;) {
    const std::size_t begin = at + std::strlen(";base64,");
    text.erase(begin, text.find('"', begin) - begin);
    at = begin;
  }
  return text;
}

class Privacy : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    write(at("key"), "0123456789abcdef0123456789abcdef\n");
  }

  fs::path write_study(const std::string& source) const {
    write(at("study.toml"), fmt::format(R"([study]
name = "study"
seeds = 2

[data]
source = "{}"
val_fraction = 0.3
test_fraction = 0.3

[train]
epochs = 2
batch_size = 2
model = {{ kind = "mlp", hidden = [32] }}
save_models = "all"

[[arm]]
name = "a"
[[arm]]
name = "b"
loss = "bce"
)",
                                        source));
    return at("study.toml");
  }

  // Everything that is left of an import and a study, and what they printed.
  std::string traces(const std::vector<Outcome>& outcomes) const {
    std::string all;
    for (const Outcome& outcome : outcomes) all += outcome.out + outcome.err;
    for (const char* place : {"dataset", "runs", "cache"}) {
      if (!fs::exists(at(place))) continue;
      for (const auto& entry : fs::recursive_directory_iterator(at(place))) {
        all += entry.path().string() + "\n";
        if (entry.is_regular_file()) all += without_pictures(read(entry.path()));
      }
    }
    return all;
  }

  // Imports @source, runs a study on it, exports it and predicts on it.
  std::string traces_of_a_study() const {
    std::vector<Outcome> outcomes;
    const auto good = [&](const std::string& arguments) {
      outcomes.push_back(bioptic(arguments));
      EXPECT_EQ(outcomes.back().code, 0) << arguments << "\n" << outcomes.back().err;
    };
    good("data import @" + kSource + " @dataset --size 24 --grey --group-key @key");
    good("data info @dataset");
    good("data audit @dataset");
    write_study("dataset");
    good("run @study.toml --out @runs");
    good("report @runs");
    good("eval @runs/study/models/a-seed0.safetensors --data @dataset --split all");
    good("data export @dataset @runs/exported");
    return traces(outcomes);
  }

  static void expect_none(const std::string& traces, const std::set<std::string>& secrets) {
    ASSERT_GT(traces.size(), 10000U);
    for (const std::string& secret : secrets) {
      const std::size_t found = traces.find(secret);
      EXPECT_EQ(found, std::string::npos)
          << "'" << secret << "' is in ..."
          << traces.substr(found < 60 ? 0 : found - 60, 120 + secret.size()) << "...";
    }
  }

  // The folder's name itself says who.
  const std::string kSource = "Doe-Jane-born-1961";
};

TEST_F(Privacy, NoValueOfATagAndNoNameOfAFileIsLeftAnywhere) {
  std::set<std::string> secrets = {"Doe", "Jane", "born-1961", SmallDicom::kInstance, "1.2.77"};
  const auto secret = [&](const std::string& value) {
    secrets.insert(value);
    return value;
  };
  for (int i = 0; i < 24; ++i) {
    SmallDicom dicom;
    dicom.put(0x00080018, "UI", SmallDicom::kInstance + std::to_string(i));
    dicom.put(0x00080020, "DA", secret("20190823"));
    dicom.put(0x00080050, "SH", secret(fmt::format("ACC-77{}", i)));
    dicom.put(0x00080080, "LO", secret("St Elsewhere Hospital"));
    dicom.put(0x00080081, "ST", secret("12 Ashgrove Lane"));
    dicom.put(0x00080090, "PN", secret("Feelgood^Hieronymus"));
    dicom.put(0x00081030, "LO", secret("thorax after the crash"));
    dicom.put(0x00100010, "PN", secret(fmt::format("Mustermann{}^Erika", i / 2)));
    dicom.put(0x00100020, "LO", secret(fmt::format("MRN-4711-{:02}", i / 2)));
    dicom.put(0x00100030, "DA", secret("19610417"));
    dicom.put(0x00101040, "LO", secret("Moorallee 99"));
    dicom.put(0x0020000D, "UI", secret(fmt::format("1.2.77.88.6661.{}", i / 2)));
    dicom.put(0x00210010, "LO", secret("PRIVATE PACS OF OURS"));
    dicom.picture(i);
    const std::string name = secret(fmt::format("mustermann_{:02}", i));
    write(at(kSource) / (i % 2 == 0 ? "sick" : "well") / (name + ".dcm"), dicom.file());
  }
  expect_none(traces_of_a_study(), secrets);
  EXPECT_NE(read(at("dataset/index.csv")).find(",p"), std::string::npos);  // keyed groups
}

TEST_F(Privacy, AFileThatCannotBeReadIsNamedInTheErrorAlone) {
  for (int i = 0; i < 20; ++i) {
    SmallDicom dicom;
    dicom.put(0x00100010, "PN", "Mustermann^Erika");
    dicom.put(0x00100020, "LO", fmt::format("MRN-4711-{:02}", i));
    std::string bytes = dicom.picture(i).file();
    if (i == 5) bytes.resize(bytes.size() - 100);  // cut off in its pixels
    if (i == 6) bytes.resize(180);                 // and in its header
    write(at(kSource) / (i % 2 == 0 ? "sick" : "well") / fmt::format("mustermann_{:02}.dcm", i),
          bytes);
  }
  const std::set<std::string> secrets = {"Mustermann", "mustermann", "MRN", "4711", "Doe", "Jane"};
  const Outcome failed = bioptic("data import @" + kSource + " @dataset --group-key @key");
  EXPECT_EQ(failed.code, 2);
  EXPECT_NE(failed.err.find("mustermann_0"), std::string::npos) << failed.err;
  EXPECT_EQ(failed.err.find("Mustermann"), std::string::npos) << failed.err;
  EXPECT_EQ(failed.err.find("MRN"), std::string::npos) << failed.err;
  EXPECT_EQ(failed.out, "");
  EXPECT_FALSE(fs::exists(at("dataset")));

  const Outcome skipped =
      bioptic("data import @" + kSource + " @dataset --group-key @key --skip-bad");
  ASSERT_EQ(skipped.code, 0) << skipped.err;
  EXPECT_NE(skipped.err.find("mustermann_05.dcm"), std::string::npos) << skipped.err;
  EXPECT_NE(skipped.err.find("2 of 20 images were left out"), std::string::npos) << skipped.err;
  EXPECT_EQ(json::parse(read(at("dataset/dataset.json"))).at("provenance").at("skipped"), 2);
  write_study("dataset");
  const Outcome run = bioptic("run @study.toml --out @runs");
  ASSERT_EQ(run.code, 0) << run.err;
  // Only the error of the import says which file it was.
  expect_none(traces({{0, skipped.out, ""}, run}), secrets);

  // A study that is given the files themselves is refused: the error names one, no file does.
  write_study(kSource);
  const Outcome refused = bioptic("run @study.toml --out @other");
  EXPECT_EQ(refused.code, 2);
  EXPECT_FALSE(fs::exists(at("other")));
}

// tests/golden/dicom_identifiers.py: every identifying value of the files that pydicom ships.
TEST_F(Privacy, NoValueOfPydicomsTestFilesIsLeftAnywhere) {
  const char* set = std::getenv("BIOPTIC_DICOM_DIR");
  const fs::path folder = set != nullptr
                              ? fs::path(set)
                              : fs::path("/usr/lib/python3/dist-packages/pydicom/data/test_files");
  if (!fs::exists(folder)) {
    GTEST_SKIP() << "pydicom's test files are not there (python3-pydicom, or BIOPTIC_DICOM_DIR)";
  }
  std::set<std::string> secrets = {"Doe-Jane", "dicomdirtests"};
  std::size_t files = 0;
  const json identifiers = json::parse(read("tests/golden/dicom_identifiers.json"));
  for (const auto& [name, values] : identifiers.at("files").items()) {
    if (!fs::exists(folder / name)) continue;  // another version of pydicom ships other files
    const fs::path target = at(kSource) / (files % 2 == 0 ? "even" : "odd") / name;
    fs::create_directories(target.parent_path());
    fs::copy_file(folder / name, target);
    secrets.insert(name);
    const std::string stem = fs::path(name).stem().string();
    if (stem.size() > 5) secrets.insert(stem);  // "6154" stands in many files by chance
    for (const json& value : values) secrets.insert(value.get<std::string>());
    ++files;
  }
  ASSERT_GE(files, 20U);
  ASSERT_GE(secrets.size(), 150U);
  expect_none(traces_of_a_study(), secrets);
}

TEST_F(Privacy, GroupsThatAManifestNamesAreHashedToo) {
  std::string list = "path,label,group\n";
  for (int i = 0; i < 4; ++i) {
    SmallDicom dicom;
    dicom.put(0x00100020, "LO", "MRN").picture(i);
    write(at(fmt::format("{}.dcm", i)), dicom.file());
    list += fmt::format("{}.dcm,{},Mustermann^Erika{}\n", i, i % 2 == 0 ? "sick" : "well", i / 2);
  }
  write(at("list.csv"), list);
  const Outcome import = bioptic("data import @list.csv @dataset --group-key @key");
  ASSERT_EQ(import.code, 0) << import.err;
  EXPECT_EQ(traces({import}).find("Mustermann"), std::string::npos);
  std::set<std::string> groups;
  for (const auto& row : read_table(at("dataset/index.csv"))) groups.insert(row.at("group"));
  EXPECT_EQ(groups.size(), 2U);
}

// The model's window is taken for files that are not imported yet, and another one is told.
TEST_F(Privacy, EvalPreparesDicomFilesAsTheModelsWere) {
  ASSERT_EQ(::setenv("XDG_CONFIG_HOME", at("config").c_str(), 1), 0);
  for (int i = 0; i < 24; ++i) {
    SmallDicom dicom;
    dicom.put(0x00100020, "LO", std::to_string(i)).picture(i);
    write(at(kSource) / (i % 2 == 0 ? "sick" : "well") / fmt::format("{}.dcm", i), dicom.file());
  }
  ASSERT_EQ(bioptic("data import @" + kSource + " @dataset --window=20:90").code, 0);
  ASSERT_EQ(bioptic("data import @" + kSource + " @other").code, 0);
  write_study("dataset");
  ASSERT_EQ(bioptic("run @study.toml --out @runs").code, 0);
  const std::string eval =
      "eval @runs/study/models/a-seed0.safetensors --split all --json --data @";
  const json made = json_of(eval + "dataset");
  const Outcome raw = bioptic(eval + kSource);
  EXPECT_EQ(raw.err, "");
  EXPECT_EQ(json::parse(raw.out).at("loss"), made.at("loss"));
  const Outcome other = bioptic(eval + "other");
  EXPECT_NE(other.err.find("DICOM window: 20.0 to 90.0 in training, file here"), std::string::npos)
      << other.err;
  EXPECT_NE(json::parse(other.out).at("loss"), made.at("loss"));
  ::unsetenv("XDG_CONFIG_HOME");
}

}  // namespace
}  // namespace e2e
