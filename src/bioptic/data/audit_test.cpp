#include "bioptic/data/audit.h"

#include <gtest/gtest.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <set>

#include "bioptic/base/random.h"
#include "bioptic/data/phantom.h"
#include "bioptic/data/resize.h"
#include "bioptic/data/test_images.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;
using Pixels = std::vector<std::uint8_t>;

const AuditCheck& check(const Audit& audit, const std::string& id) {
  const auto found = std::find_if(audit.checks.begin(), audit.checks.end(),
                                  [&](const AuditCheck& c) { return c.id == id; });
  if (found == audit.checks.end()) throw std::runtime_error("no check " + id);
  return *found;
}

// The faults that people plant without knowing.
Pixels jpeg_of_quality_50(const Pixels& pixels, int side) {
  unsigned char* buffer = nullptr;
  unsigned long bytes = 0;
  tjhandle handle = tjInitCompress();
  tjCompress2(handle, pixels.data(), side, 0, side, TJPF_GRAY, &buffer, &bytes, TJSAMP_GRAY, 50, 0);
  tjDestroy(handle);
  Pixels out(pixels.size());
  handle = tjInitDecompress();
  tjDecompress2(handle, buffer, bytes, out.data(), side, 0, side, TJPF_GRAY, 0);
  tjDestroy(handle);
  tjFree(buffer);
  return out;
}

Image image_of(const Pixels& pixels, int side) {
  return {side, side, 1, 8, {pixels.begin(), pixels.end()}};
}
Pixels pixels_of(const Image& image) { return {image.pixels.begin(), image.pixels.end()}; }

Pixels half_and_back(const Pixels& pixels, int side) {
  return pixels_of(resample(resample(image_of(pixels, side), side / 2, side / 2), side, side));
}

Pixels brighter(const Pixels& pixels, double factor) {
  Pixels out = pixels;
  for (std::uint8_t& v : out) v = static_cast<std::uint8_t>(std::min(255.0, factor * v + 0.5));
  return out;
}

// `lost` of the width and height go, from the left and top as many as `left` and `top` say.
Pixels cropped(const Pixels& pixels, int side, int lost, int left, int top) {
  Image image{side - lost, side - lost, 1, 8, {}};
  for (int y = 0; y < side - lost; ++y) {
    for (int x = 0; x < side - lost; ++x) {
      image.pixels.push_back(pixels[static_cast<std::size_t>((y + top) * side + x + left)]);
    }
  }
  return pixels_of(resample(image, side, side));
}

struct Planted {
  Dataset dataset;
  std::vector<std::uint32_t> originals;  // by copy, in the order of the copies
  std::size_t clean = 0;                 // copies begin here
};

// The dataset with copies of some of its images behind it.
Planted plant(const Dataset& dataset, const fs::path& folder, std::size_t copies,
              const std::function<Pixels(const Pixels&, std::size_t k)>& change) {
  Planted planted;
  DatasetInfo info = dataset.info();
  DatasetWriter writer(folder, info);
  for (std::size_t row = 0; row < dataset.size(); ++row)
    writer.add(dataset.image8(row), dataset.record(row));
  planted.clean = dataset.size();
  for (std::size_t k = 0; k < copies; ++k) {
    const auto row = static_cast<std::uint32_t>(k * dataset.size() / copies);
    const Pixels original(dataset.image8(row).begin(), dataset.image8(row).end());
    ImageRecord record = dataset.record(row);
    record.group = "";
    const Pixels copy = change(original, k);
    writer.add(std::span<const std::uint8_t>(copy), record);
    planted.originals.push_back(row);
  }
  writer.finish();
  planted.dataset = Dataset::open(folder);
  return planted;
}

class AuditFaults : public ::testing::Test {
 protected:
  static constexpr std::size_t kCopies = 20;

  static void SetUpTestSuite() {
    folder_ = new TestFolder;
    PhantomSpec spec;
    spec.train = 240;
    spec.test = 60;
    spec.size = 128;
    make_phantom(spec, *folder_ / "phantom", 0 + available_processors());
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static Dataset phantom() { return Dataset::open(*folder_ / "phantom"); }

  // Recall of at least 0.9, and at most one pair per 1,000 images that was not planted.
  void expect_found(const char* name,
                    const std::function<Pixels(const Pixels&, std::size_t)>& change) {
    const Planted planted = plant(phantom(), *folder_ / name, kCopies, change);
    const Audit audit = audit_dataset(planted.dataset, {}, {});
    std::size_t found = 0, wrong = 0;
    for (const NearPair& pair : audit.near) {
      const bool right = pair.second >= planted.clean &&
                         planted.originals[pair.second - planted.clean] == pair.first;
      found += right ? 1U : 0U;
      wrong += right ? 0U : 1U;
    }
    EXPECT_GE(found, 18U) << name;
    EXPECT_EQ(wrong, 0U) << name;
    EXPECT_EQ(check(audit, "near_duplicates").state, AuditState::found) << name;
    RecordProperty(name, static_cast<int>(found));
  }

 private:
  static TestFolder* folder_;
};
TestFolder* AuditFaults::folder_ = nullptr;

constexpr int kSide = 128;

TEST_F(AuditFaults, NothingIsFoundInCleanData) {
  const Audit audit = audit_dataset(phantom(), {}, {});
  EXPECT_TRUE(audit.near.empty());
  for (const char* id :
       {"exact_duplicates", "near_duplicates", "conflicting_labels", "split_duplicates",
        "constant_images", "saturated_images", "fixed_borders", "class_balance"}) {
    EXPECT_EQ(check(audit, id).state, AuditState::fine) << id << ": " << check(audit, id).said;
  }
}

TEST_F(AuditFaults, ExactCopies) {
  const Planted planted =
      plant(phantom(), fs::temp_directory_path() / ("bioptic-exact-" + std::to_string(::getpid())),
            kCopies, [](const Pixels& p, std::size_t) { return p; });
  const Audit audit = audit_dataset(planted.dataset, {}, {});
  EXPECT_NE(check(audit, "exact_duplicates").said.find("20 images repeat"), std::string::npos);
  EXPECT_EQ(check(audit, "exact_duplicates").state, AuditState::found);
  fs::remove_all(planted.dataset.folder());
}

TEST_F(AuditFaults, StoredAgainAsJpeg) {
  expect_found("jpeg", [](const Pixels& p, std::size_t) { return jpeg_of_quality_50(p, kSide); });
}
TEST_F(AuditFaults, HalfTheSizeAndBack) {
  expect_found("half", [](const Pixels& p, std::size_t) { return half_and_back(p, kSide); });
}
TEST_F(AuditFaults, Brighter) {
  expect_found("brighter",
               [](const Pixels& p, std::size_t k) { return brighter(p, k % 2 == 0 ? 1.1 : 0.9); });
}
TEST_F(AuditFaults, EdgesCutOff) {
  // 3 % of width and height (4 of 128), from anywhere; and 3 % from each side
  expect_found("cropped", [](const Pixels& p, std::size_t k) {
    return cropped(p, kSide, 4, static_cast<int>(k % 5), static_cast<int>(k / 5 % 5));
  });
  expect_found("cropped_all_around",
               [](const Pixels& p, std::size_t) { return cropped(p, kSide, 8, 4, 4); });
}

// --------------------------------------------------------------- faults in a set of a study's size

class AuditStudySize : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kTrain = 2000, kTest = 400, kEach = 20;

  static void SetUpTestSuite() {
    folder_ = new TestFolder;
    PhantomSpec spec;  // 2,000 and 400 images
    spec.size = 128;
    spec.seed = 79;  // in which two exposures of some patients are very alike
    spec.shift = 0;  // else the test images are from another scanner, which is found
    make_phantom(spec, *folder_ / "phantom", available_processors());
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static Dataset phantom() { return Dataset::open(*folder_ / "phantom"); }
  // As a careful study splits: by patient.  The phantom's test split has some 200 patients.
  static AuditOptions by_patient() {
    AuditOptions options;
    options.split.split_by = SplitBy::group;
    options.detect = 0.07;
    return options;
  }
  static TestFolder* folder_;
};
TestFolder* AuditStudySize::folder_ = nullptr;

TEST_F(AuditStudySize, NothingAtAllIsFoundInACleanSet) {
  const Audit audit = audit_dataset(phantom(), {}, by_patient());
  for (const AuditCheck& c : audit.checks) {
    EXPECT_EQ(c.state, AuditState::fine) << c.id << ": " << c.said;
  }
  EXPECT_FALSE(audit.anything());
  EXPECT_TRUE(audit.near.empty());
}

TEST_F(AuditStudySize, EveryPatientOnBothSidesIsFound) {
  // Twenty test images, each said to be of a training patient of its own.
  const Dataset clean = phantom();
  DatasetWriter writer(*folder_ / "patients", clean.info());
  std::set<std::string> planted;
  std::uint32_t from = 0;
  for (std::uint32_t row = 0; row < clean.size(); ++row) {
    ImageRecord record = clean.record(row);
    if (record.split == "test" && row % 20 == 0) {
      while (planted.contains(std::string(clean.record(from).group))) from += 37;
      record.group = clean.record(from).group;
      planted.emplace(record.group);
    }
    writer.add(clean.image8(row), record);
  }
  writer.finish();
  ASSERT_EQ(planted.size(), kEach);
  AuditOptions options = by_patient();
  options.near = false;
  const Audit audit = audit_dataset(Dataset::open(*folder_ / "patients"), {}, options);
  for (const AuditCheck& c : audit.checks) {
    if (c.id == "near_duplicates") continue;
    EXPECT_EQ(c.state, c.id == "split_groups" ? AuditState::found : AuditState::fine)
        << c.id << ": " << c.said;
  }
  const AuditCheck& groups = check(audit, "split_groups");
  EXPECT_NE(groups.said.find(" 20 have images in training or validation and in the source's test "
                             "split, 0 in training and in"),
            std::string::npos)
      << groups.said;
  for (const std::string& example : groups.examples) {
    EXPECT_TRUE(planted.contains(example.substr(0, example.find(':')))) << example;
  }
}

// Twenty of each fault at once among 2,400 images: recall of at least 0.9 each, at most one pair
// per 1,000 images that was not planted.
TEST_F(AuditStudySize, EveryKindOfCopyIsFound) {
  using Change = std::function<Pixels(const Pixels&, std::size_t)>;
  const std::vector<std::pair<const char*, Change>> faults = {
      {"exact", [](const Pixels& p, std::size_t) { return p; }},
      {"jpeg", [](const Pixels& p, std::size_t) { return jpeg_of_quality_50(p, kSide); }},
      {"half", [](const Pixels& p, std::size_t) { return half_and_back(p, kSide); }},
      {"brightness",
       [](const Pixels& p, std::size_t k) { return brighter(p, k % 2 == 0 ? 1.1 : 0.9); }},
      {"crop", [](const Pixels& p, std::size_t k) {
         return cropped(p, kSide, 4, static_cast<int>(k % 5), static_cast<int>(k / 5 % 5));
       }}};
  const Planted planted =
      plant(phantom(), *folder_ / "copies", faults.size() * kEach,
            [&](const Pixels& p, std::size_t k) { return faults[k / kEach].second(p, k); });
  const Audit audit = audit_dataset(planted.dataset, {}, by_patient());
  std::vector<std::size_t> found(faults.size());
  std::size_t wrong = 0;
  for (const NearPair& pair : audit.near) {
    const bool copy = pair.second >= planted.clean &&
                      planted.originals[pair.second - planted.clean] == pair.first;
    if (copy) {
      ++found[(pair.second - planted.clean) / kEach];
    } else {
      ++wrong;
    }
  }
  EXPECT_NE(check(audit, "exact_duplicates").said.find("20 images repeat"), std::string::npos);
  for (std::size_t f = 1; f < faults.size(); ++f) {
    EXPECT_GE(found[f], 18U) << faults[f].first;
    RecordProperty(faults[f].first, static_cast<int>(found[f]));
  }
  EXPECT_LE(wrong, 2U);
  RecordProperty("wrong", static_cast<int>(wrong));
}

// What is measured in a sample is said to be, and the other checks still look at every image.
TEST_F(AuditStudySize, ASampleIsSaidToBeOne) {
  const Planted planted =
      plant(phantom(), *folder_ / "sampled", kEach, [](const Pixels& p, std::size_t) { return p; });
  AuditOptions options = by_patient();
  options.near = false;
  options.no_near_because = "left out";
  options.sample = 300;
  const Audit audit = audit_dataset(planted.dataset, {}, options);
  EXPECT_NE(check(audit, "exact_duplicates").said.find("20 images repeat"), std::string::npos);
  EXPECT_EQ(check(audit, "near_duplicates").said, "left out");
  EXPECT_EQ(check(audit, "near_duplicates").state, AuditState::not_done);
  for (const char* id : {"intensity_drift", "saturated_images", "trivial_features"}) {
    EXPECT_TRUE(check(audit, id).said.starts_with("in a sample of 300 of the 2420 images, "))
        << check(audit, id).said;
    EXPECT_EQ(check(audit, id).state, AuditState::fine) << check(audit, id).said;
  }
}

// A study's own groups and splits are taken as they are; its hold-out counts neither as training
// nor as test.
TEST_F(AuditStudySize, TheSplitsOfAStudyAreTaken) {
  const Dataset dataset = phantom();
  AuditSplits splits;
  splits.groups = find_groups(dataset, "");
  for (std::uint32_t row = 0; row < dataset.size(); ++row) {
    splits.sides.push_back(row < 1500     ? AuditSide::train
                           : row < kTrain ? AuditSide::holdout
                                          : AuditSide::test);
  }
  splits.groups.names[10] = splits.groups.names[1600];
  splits.groups.names[11] = splits.groups.names[2100];
  AuditOptions options = by_patient();
  options.near = false;
  options.splits = &splits;
  const Audit audit = audit_dataset(dataset, {}, options);
  EXPECT_EQ(check(audit, "split_groups").state, AuditState::found);
}

// ------------------------------------------------------------------------------- the other checks

// Noise images with what `change` makes of them.
Dataset noise(
    const fs::path& folder, std::size_t count,
    const std::function<void(std::size_t i, Pixels& pixels, ImageRecord& record)>& change) {
  DatasetInfo info;
  info.height = info.width = 20;
  info.classes = {"a", "b"};
  info.groups_from = "the test";
  DatasetWriter writer(folder, info);
  RandomStream stream(5, "audit test");
  for (std::size_t i = 0; i < count; ++i) {
    Pixels pixels(400);
    for (std::uint8_t& v : pixels) v = static_cast<std::uint8_t>(60 + 100 * stream.uniform());
    const std::string group = "g" + std::to_string(i), source = "i" + std::to_string(i);
    ImageRecord record{
        {}, source, static_cast<std::int64_t>(i % 2), i % 4 < 2 ? "train" : "test", group};
    change(i, pixels, record);
    writer.add(std::span<const std::uint8_t>(pixels), record);
  }
  writer.finish();
  return Dataset::open(folder);
}

class AuditChecks : public ::testing::Test {
 protected:
  // Only this check finds something.
  void expect_only(const char* id, const std::string& said,
                   const std::function<void(std::size_t, Pixels&, ImageRecord&)>& change,
                   const std::set<std::string>& besides = {}) {
    const Dataset dataset = noise(folder_ / id, 1600, change);
    AuditOptions options;
    options.near = false;
    const Audit audit = audit_dataset(dataset, {}, options);
    for (const AuditCheck& c : audit.checks) {
      if (c.id == id) {
        EXPECT_EQ(c.state, AuditState::found) << c.id << ": " << c.said;
        EXPECT_NE(c.said.find(said), std::string::npos) << c.said;
      } else if (!besides.contains(c.id)) {
        EXPECT_NE(c.state, AuditState::found) << id << " also set " << c.id << ": " << c.said;
      }
    }
  }
  TestFolder folder_;
};

TEST_F(AuditChecks, CleanNoiseHasNothing) {
  const Dataset dataset = noise(folder_ / "clean", 1600, [](std::size_t, Pixels&, ImageRecord&) {});
  const Audit audit = audit_dataset(dataset, {}, {});
  for (const AuditCheck& c : audit.checks)
    EXPECT_EQ(c.state, AuditState::fine) << c.id << ": " << c.said;
  EXPECT_FALSE(audit.anything());
}

TEST_F(AuditChecks, EachFaultByItself) {
  expect_only("split_groups", "20 have images", [](std::size_t i, Pixels&, ImageRecord& r) {
    if (i < 40) r.group = i % 4 < 2 ? i / 4 % 2 == 0 ? "x" : "y" : r.group;
    if (i >= 100 && i < 180) {
      static std::string name;
      name = "shared" + std::to_string(i / 4);
      r.group = name;
    }
  });
  expect_only("constant_images", "2 images have", [](std::size_t i, Pixels& p, ImageRecord&) {
    if (i == 3 || i == 8) std::fill(p.begin(), p.end(), std::uint8_t{110});
  });
  expect_only("saturated_images", "1 image has", [](std::size_t i, Pixels& p, ImageRecord&) {
    if (i == 3) std::fill(p.begin(), p.begin() + 100, std::uint8_t{255});
  });
  expect_only("fixed_borders", "2 rows at the top, 0 at the bottom, 1 columns at the left",
              [](std::size_t, Pixels& p, ImageRecord&) {
                std::fill(p.begin(), p.begin() + 40, std::uint8_t{7});
                for (std::size_t y = 0; y < 20; ++y) p[20 * y] = 9;
              });
  expect_only("intensity_drift", "standard deviations apart",
              [](std::size_t, Pixels& p, ImageRecord& r) {
                if (r.split == "test") {
                  for (std::uint8_t& v : p) v = static_cast<std::uint8_t>(v + 2);
                }
              });
  expect_only("trivial_features", "mean grey value", [](std::size_t, Pixels& p, ImageRecord& r) {
    if (r.label == 1) {
      for (std::uint8_t& v : p) v = static_cast<std::uint8_t>(v + 2);
    }
  });
  expect_only("class_balance", "points between training and test",
              [](std::size_t i, Pixels&, ImageRecord& r) {
                if (r.split == "test" && i % 8 < 4) r.label = 0;
              });
  expect_only("exact_duplicates", "1 image repeats", [](std::size_t i, Pixels& p, ImageRecord&) {
    if (i == 2 || i == 6) {
      std::fill(p.begin(), p.end(), std::uint8_t{110});
      p[399] = 9;
    }
  });
}

TEST_F(AuditChecks, DuplicatesAcrossSplitsAndLabels) {
  const auto same = [](std::size_t i, Pixels& p, ImageRecord&) {
    if (i == 4 || i == 7) {
      std::fill(p.begin(), p.end(), std::uint8_t{110});
      p[399] = 9;
    }
  };
  expect_only("split_duplicates", "1 pair", same, {"exact_duplicates", "conflicting_labels"});
  expect_only("conflicting_labels", "1 pair", same, {"exact_duplicates", "split_duplicates"});
}

TEST_F(AuditChecks, ATestSetThatIsTooSmall) {
  const Dataset dataset = noise(folder_ / "small", 400, [](std::size_t, Pixels&, ImageRecord&) {});
  AuditOptions options;
  options.near = false;
  const Audit audit = audit_dataset(dataset, {}, options);
  EXPECT_EQ(check(audit, "test_size").state, AuditState::found);
  // (1.959964 + 0.841621)^2 (0.1 - 0.0025) / 0.0025 = 306.1
  const std::string& said = check(audit, "test_size").said;
  EXPECT_NE(said.find("takes 307"), std::string::npos) << said;
  // It knows neither seeds nor arms, so that a run's own plan is no contradiction.
  EXPECT_NE(said.find("one training each"), std::string::npos) << said;
  EXPECT_NE(said.find("the comparisons of a run say"), std::string::npos) << said;
}

TEST_F(AuditChecks, FilesTellTheLabel) {
  for (int i = 0; i < 80; ++i) {
    const int side = i % 2 == 0 ? 20 : 24;
    const Pixels pixels = ramp<std::uint8_t>(side, side, 1, 3 + static_cast<unsigned>(i));
    const std::string name = std::to_string(i);
    if (i % 2 == 0) {
      write_png(folder_ / "src" / "a" / (name + ".PNG"), side, side, 1, pixels);
    } else {
      write_jpeg(folder_ / "src" / "b" / (name + ".jpg"), side, side, 1, pixels);
    }
  }
  const std::vector<Original> originals = import_for_audit(folder_ / "src", folder_ / "out", {});
  AuditOptions options;
  options.near = false;
  const Audit audit = audit_dataset(Dataset::open(folder_ / "out"), originals, options);
  std::string all;
  for (const std::string& e : check(audit, "trivial_features").examples) all += e + "\n";
  EXPECT_NE(all.find("width of the file's image tells 'b' with AUROC 1.00"), std::string::npos)
      << all;
  EXPECT_NE(all.find("file format .png"), std::string::npos) << all;
}

// -------------------------------------------------------------------------------- the real images

TEST(RealImages, AuditTheXRays) {
  const char* set = std::getenv("BIOPTIC_XRAY_DIR");
  const fs::path source = set != nullptr ? fs::path(set) : fs::path("../shared/data/chest_xray");
  if (!fs::exists(source)) {
    GTEST_SKIP() << "the chest X-rays are not there; set BIOPTIC_XRAY_DIR to run this test";
  }
  const TestFolder folder;
  const std::vector<Original> originals = import_for_audit(source, folder / "out", {});
  AuditOptions options;
  options.near = false;
  options.group = "(person\\d+|IM-\\d+)";
  const Audit audit = audit_dataset(Dataset::open(folder / "out"), originals, options);
  // 41 + 60 names of the test folder are in the training folder too
  const AuditCheck& groups = check(audit, "split_groups");
  EXPECT_EQ(groups.state, AuditState::found);
  EXPECT_NE(
      groups.said.find("101 have images in training or validation and in the source's test split"),
      std::string::npos)
      << groups.said;
}

}  // namespace
}  // namespace bioptic
