#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bioptic/data/import.h"
#include "bioptic/data/split.h"
#include "bioptic/data/test_images.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

class ManifestTest : public ::testing::Test {
 protected:
  ManifestTest() {
    for (int i = 0; i < 6; ++i) {
      write_png(folder_ / "images" / (std::to_string(i) + ".png"), 6, 6, 1,
                ramp<std::uint8_t>(6, 6, 1, 3 + static_cast<unsigned>(i)));
    }
  }
  fs::path write(const std::string& text) const {
    const fs::path file = folder_ / "list.csv";
    write_bytes(file, text.data(), text.size());
    return file;
  }
  // Both parts stand in the message, and no dataset is left.
  void expect_refused(const std::string& text, const std::string& place, const std::string& why) {
    const fs::path file = write(text);
    const std::string message = error_of([&] { import_source(file, folder_ / "out", {}); });
    EXPECT_NE(message.find("list.csv" + place), std::string::npos) << text << "\n" << message;
    EXPECT_NE(message.find(why), std::string::npos) << text << "\n" << message;
    EXPECT_FALSE(fs::exists(folder_ / "out"));
  }
  TestFolder folder_;
};

TEST_F(ManifestTest, EveryColumnArrives) {
  const fs::path absolute = folder_ / "images" / "3.png";
  write(
      "\xEF\xBB\xBFlabel,weight,path,age,group,split\r\n"
      "sick,2.5,images/0.png,70,anna,train\r\n"
      "well,1,images/1.png,50,,training\r\n"
      "\r\n"
      "\"a \"\"rare\"\", one\",0.1,./images/2.png,\"4\n0\",bert,validation\r\n"
      "well,1e-3," +
      absolute.string() + ",30,anna,test");
  const ImportReport report = import_source(folder_ / "list.csv", folder_ / "out", {});
  const Dataset dataset = Dataset::open(folder_ / "out", true);
  ASSERT_EQ(dataset.size(), 4U);
  EXPECT_EQ(dataset.info().classes, (std::vector<std::string>{"a \"rare\", one", "sick", "well"}));
  EXPECT_EQ(dataset.record(0).source, "images/0.png");
  EXPECT_EQ(dataset.record(0).group, "anna");
  EXPECT_EQ(dataset.record(0).weight, 2.5);
  EXPECT_EQ(dataset.record(1).split, "train");
  EXPECT_EQ(dataset.record(1).group, "");
  EXPECT_EQ(dataset.record(2).split, "val");
  EXPECT_EQ(dataset.record(2).weight, 0.1);
  EXPECT_EQ(dataset.record(3).split, "test");
  EXPECT_EQ(dataset.record(3).weight, 1e-3);
  EXPECT_EQ(dataset.label(2), 0);
  EXPECT_EQ(dataset.image8(3)[1], 6);  // 3.png: steps of 6
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_NE(report.notes[0].find("'age'"), std::string::npos);
  const Groups groups = find_groups(dataset, "");
  EXPECT_TRUE(groups.known);
  EXPECT_EQ(groups.names[0], groups.names[3]);
  EXPECT_NE(groups.names[1], groups.names[0]);
}

TEST_F(ManifestTest, SplitsAndEndingsInAnyCase) {
  const std::string text =
      "path,label,split\nimages/0.png,a,TRAIN\nimages/1.png,b,Valid\nimages/2.png,a,Testing\n";
  write_bytes(folder_ / "LIST.CSV", text.data(), text.size());
  import_source(folder_ / "LIST.CSV", folder_ / "out", {});
  const Dataset dataset = Dataset::open(folder_ / "out");
  EXPECT_EQ(dataset.record(0).split, "train");
  EXPECT_EQ(dataset.record(1).split, "val");
  EXPECT_EQ(dataset.record(2).split, "test");
  EXPECT_FALSE(source_hash(folder_ / "LIST.CSV", {}).empty());
}

TEST_F(ManifestTest, LabelsThatAreOneToAPersonAreOneOrRefused) {
  const std::string head = "path,label\nimages/0.png,nevus\nimages/1.png,b\n";
  expect_refused(head + "images/2.png,nevus \n", ":4",
                 "the label 'nevus ' differs from 'nevus' (line 2)");
  expect_refused(head + "images/2.png,Nevus\n", ":4",
                 "the label 'Nevus' differs from 'nevus' (line 2)");
  expect_refused(head + "images/2.png,  \n", ":4", "label is empty");
  import_source(write("path,label\nimages/0.png, nevus \nimages/1.png,b\nimages/2.png, nevus \n"),
                folder_ / "out", {});
  EXPECT_EQ(Dataset::open(folder_ / "out").info().classes,
            (std::vector<std::string>{"b", "nevus"}));
}

TEST_F(ManifestTest, WithoutWeightsTheDatasetIsTheSameAsFromFolders) {
  write("path,label\nimages/0.png,a\nimages/1.png,b\n");
  import_source(folder_ / "list.csv", folder_ / "out", {});
  const std::vector<std::uint8_t> json = read_bytes(folder_ / "out" / "dataset.json");
  const std::string text(json.begin(), json.end());
  EXPECT_NE(text.find("\"format_version\": 1"), std::string::npos);
  EXPECT_EQ(Dataset::open(folder_ / "out").record(1).weight, 1);
}

TEST_F(ManifestTest, BadRowsAreNamed) {
  const std::string head = "path,label,split,weight\n", good = "images/0.png,a,train,1\n";
  expect_refused("", ":1", "no column 'path'");
  expect_refused("path;label\n", ":1", "separated by commas");
  expect_refused("path,lable\nimages/0.png,a\n", ":1", "did you mean 'label'?");
  expect_refused("path,label,path\n", ":1", "'path' twice");
  expect_refused(head, "", "lists no image");
  expect_refused(head + good + "images/1.png,b\n", ":3", "has 2 fields, the header line 4");
  expect_refused(head + good + ",b,test,1\n", ":3", "path is empty");
  expect_refused(head + good + "images/1.png,,test,1\n", ":3", "label is empty");
  expect_refused(head + good + "images/1.png,b,tset,1\n", ":3", "did you mean 'test'?");
  expect_refused(head + good + "images/1.png,b,,1\n", ":3", "split is empty");
  for (const char* weight : {"", "0", "-1", "nan", "inf", "1,5", "x", "1e999"}) {
    expect_refused(head + good + "images/1.png,b,test,\"" + weight + "\"\n", ":3", "weight");
  }
  expect_refused(head + good + "\n\nimages/9.png,b,test,1\n", ":5", "9.png does not exist");
  expect_refused(head + good + "images,b,test,1\n", ":3", "is not a file");
  expect_refused(head + good + "images/../images/0.png,b,test,1\n", ":3", "already in line 2");
  expect_refused(head + good + "images/1.png,\"b,test,1\n", ":3", "quote");
  expect_refused(head + good + "images/1.png,a,test,1\n", "", "one class only");
}

TEST_F(ManifestTest, APipeDoesNotHoldUpTheImport) {
  ASSERT_EQ(::mkfifo((folder_ / "images" / "pipe.png").c_str(), 0600), 0);
  expect_refused("path,label\nimages/0.png,a\nimages/pipe.png,b\n", ":3", "is not a file");
  for (const char* name : {"a", "b"}) {
    write_png(folder_ / "src" / name / "x.png", 6, 6, 1, ramp<std::uint8_t>(6, 6, 1));
  }
  ASSERT_EQ(::mkfifo((folder_ / "src" / "a" / "pipe.png").c_str(), 0600), 0);
  EXPECT_NE(error_of([&] {
              import_source(folder_ / "src", folder_ / "out", {});
            }).find("not a regular file"),
            std::string::npos);
}

// The system still knows it as a regular file, but by no name.
TEST_F(ManifestTest, AFileThatIsGoneIsNamed) {
  const fs::path image = folder_ / "images" / "1.png";
  const int open_file = ::open(image.c_str(), O_RDONLY);
  ASSERT_GE(open_file, 0);
  fs::remove(image);
  const std::string path = "/proc/self/fd/" + std::to_string(open_file);
  expect_refused("path,label\nimages/0.png,a\n" + path + ",b\n", ":3", path + " cannot be opened");
  ::close(open_file);
}

TEST_F(ManifestTest, GroupsAreNamedOnce) {
  const fs::path file = write("path,label,group\nimages/0.png,a,x\nimages/1.png,b,y\n");
  ImportOptions options;
  options.group = "(\\d)";
  EXPECT_NE(error_of([&] { import_source(file, folder_ / "out", options); }).find("--group"),
            std::string::npos);
}

TEST_F(ManifestTest, TheHashFollowsTheListedFiles) {
  const fs::path file = write("path,label\nimages/0.png,a\nimages/1.png,b\n");
  const std::string before = source_hash(file, {});
  write_png(folder_ / "images" / "5.png", 6, 6, 1, ramp<std::uint8_t>(6, 6, 1, 11));
  EXPECT_EQ(source_hash(file, {}), before);
  write_png(folder_ / "images" / "1.png", 6, 6, 1, ramp<std::uint8_t>(6, 6, 1, 11));
  EXPECT_NE(source_hash(file, {}), before);
}

}  // namespace
}  // namespace bioptic
