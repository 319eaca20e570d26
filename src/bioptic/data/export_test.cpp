#include "bioptic/data/export.h"

#include <gtest/gtest.h>

#include "bioptic/base/files.h"
#include "bioptic/data/test_images.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

// A small dataset of `channels` channels whose images all differ.
template <typename T>
Dataset make_dataset(const fs::path& folder, int channels, bool splits) {
  DatasetInfo info;
  info.dtype = sizeof(T) == 1 ? PixelType::uint8 : PixelType::uint16;
  info.channels = channels;
  info.height = 3;
  info.width = 5;
  info.classes = {"a/b", "a_b", ".."};
  info.groups_from = "test";
  DatasetWriter writer(folder, info);
  const char* names[] = {"train", "val", "test"};
  for (unsigned i = 0; i < 9; ++i) {
    const std::string group = i % 2 == 0 ? "patient, one" : "";
    writer.add(std::span<const T>(ramp<T>(5, 3, channels, 100 * i + 7)),
               {{}, "x", i % 3, splits ? names[i / 3] : "", group});
  }
  writer.finish();
  return Dataset::open(folder);
}

template <typename T>
void expect_same(const Dataset& a, const Dataset& b) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(a.info().dtype, b.info().dtype);
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a.record(i).split, b.record(i).split) << i;
    EXPECT_EQ(a.label(i), b.label(i)) << i;
    const auto pixels = [&](const Dataset& d) {
      if constexpr (sizeof(T) == 1) {
        return std::vector<T>(d.image8(i).begin(), d.image8(i).end());
      } else {
        return std::vector<T>(d.image16(i).begin(), d.image16(i).end());
      }
    };
    EXPECT_EQ(pixels(a), pixels(b)) << i;
  }
}

TEST(ExportNpz, ComesBackAsItWas) {
  const TestFolder folder;
  const Dataset grey = make_dataset<std::uint8_t>(folder / "g", 1, true);
  export_npz(grey, folder / "g.npz");
  import_source(folder / "g.npz", folder / "g2", {});
  expect_same<std::uint8_t>(grey, Dataset::open(folder / "g2", true));

  const Dataset colour = make_dataset<std::uint16_t>(folder / "c", 3, true);
  export_npz(colour, folder / "c.npz");
  import_source(folder / "c.npz", folder / "c2", {});
  expect_same<std::uint16_t>(colour, Dataset::open(folder / "c2", true));

  // the same bytes, whenever they are written
  export_npz(grey, folder / "again.npz");
  EXPECT_EQ(read_file(folder / "again.npz"), read_file(folder / "g.npz"));
  EXPECT_NE(error_of([&] { export_npz(grey, folder / "g.npz"); }).find("exists already"),
            std::string::npos);
}

TEST(ExportPng, ComesBackThroughTheManifest) {
  const TestFolder folder;
  const Dataset dataset = make_dataset<std::uint16_t>(folder / "d", 3, true);
  export_png(dataset, folder / "png", 2);
  import_source(folder / "png" / "manifest.csv", folder / "d2", {});
  const Dataset back = Dataset::open(folder / "d2", true);
  ASSERT_EQ(back.size(), dataset.size());
  for (std::size_t i = 0; i < back.size(); ++i) {
    const auto a = dataset.image16(i), b = back.image16(i);
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end())) << i;
    EXPECT_EQ(back.info().classes[static_cast<std::size_t>(back.label(i))],
              dataset.info().classes[static_cast<std::size_t>(dataset.label(i))]);
    EXPECT_EQ(back.record(i).split, dataset.record(i).split);
    EXPECT_EQ(back.record(i).group, dataset.record(i).group);
  }
  // no class name leaves the folder, and two classes do not share one
  EXPECT_TRUE(fs::exists(folder / "png" / "train" / "a_b" / "000000.png"));
  EXPECT_TRUE(fs::exists(folder / "png" / "train" / "a_b_1" / "000001.png"));
  EXPECT_TRUE(fs::exists(folder / "png" / "train" / "class_2" / "000002.png"));
}

TEST(ExportPng, WithoutSplitsItIsAFolderOfClasses) {
  const TestFolder folder;
  const Dataset dataset = make_dataset<std::uint8_t>(folder / "d", 1, false);
  export_png(dataset, folder / "png", 1);
  EXPECT_TRUE(fs::exists(folder / "png" / "a_b" / "000000.png"));
  EXPECT_EQ(read_file(folder / "png" / "manifest.csv").substr(0, 17), "path,label,group\n");
}

}  // namespace
}  // namespace bioptic
