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
  ASSERT_EQ(report.notes.size(), 2U);
  EXPECT_NE(report.notes[0].find("'age'"), std::string::npos);
  EXPECT_NE(report.notes[1].find("1 of 4 images name no group"), std::string::npos);
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

TEST_F(ManifestTest, EveryEncodingAndSeparatorIsTheSameManifest) {
  const std::string plain = "path,label,group\nimages/0.png,Mü,x\nimages/1.png,b,y\n";
  import_source(write(plain), folder_ / "plain", {});
  const std::string wanted = Dataset::open(folder_ / "plain").info().content_hash;
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = plain;
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
    return text;
  };
  const auto utf16 = [](const std::string& text, bool big) {
    std::string out = big ? "\xFE\xFF" : "\xFF\xFE";
    for (std::size_t at = 0; at < text.size(); ++at) {
      const bool umlaut = text.compare(at, 2, "ü") == 0;
      const char unit[] = {umlaut ? '\xFC' : text[at], '\0'};
      out += big ? unit[1] : unit[0];
      out += big ? unit[0] : unit[1];
      at += umlaut ? 1 : 0;
    }
    return out;
  };
  const std::vector<std::string> alike = {replaced("\n", "\r"),
                                          replaced("\n", "\r\n"),
                                          replaced(",", ";"),
                                          replaced(",", "\t"),
                                          replaced(",M", ", M"),
                                          replaced("label", "Label"),
                                          replaced(",b,", ", \"b\",") + "\n,,\n \n",
                                          "sep=;\n" + replaced(",", ";"),
                                          "sep=,\n" + plain,
                                          "sep=\t\n" + replaced(",", "\t"),
                                          replaced("y\n", "y,,\n"),
                                          replaced("/1", "\\1"),
                                          utf16(plain, false),
                                          utf16(replaced(",", "\t"), true)};
  for (const std::string& text : alike) {
    fs::remove_all(folder_ / "out");
    ASSERT_NO_THROW(import_source(write(text), folder_ / "out", {})) << text;
    const Dataset dataset = Dataset::open(folder_ / "out");
    EXPECT_EQ(dataset.info().classes, (std::vector<std::string>{"Mü", "b"})) << text;
    EXPECT_EQ(dataset.record(1).group, "y") << text;
    if (text.find('\\') == std::string::npos) {
      EXPECT_EQ(dataset.info().content_hash, wanted) << text;
    }
  }
}

TEST_F(ManifestTest, MissingCellsAreNoNames) {
  const std::string rows =
      "path,label,group\nimages/0.png,a,NA\nimages/1.png,b,nan\nimages/2.png,a,\nimages/"
      "3.png,b,p\n";
  const ImportReport report = import_source(write(rows), folder_ / "out", {});
  const Dataset dataset = Dataset::open(folder_ / "out");
  for (const std::size_t row : {0U, 1U, 2U}) EXPECT_EQ(dataset.record(row).group, "");
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_NE(report.notes[0].find("3 of 4 images name no group"), std::string::npos);
  fs::remove_all(folder_ / "out");

  const std::string unlabelled = rows + "images/4.png,NA,p\nimages/5.png,None,p\n";
  expect_refused(unlabelled, ":6", "2 of 6 rows (lines 6, 7)");
  ImportOptions options;
  options.skip_bad = true;
  const ImportReport rest = import_source(write(unlabelled), folder_ / "out", options);
  EXPECT_EQ(rest.info.images, 4U);
  EXPECT_EQ(rest.skipped.size(), 2U);
}

TEST_F(ManifestTest, OneNumberInTwoSpellingsIsOneName) {
  const auto read = [&](const std::string& text) {
    fs::remove_all(folder_ / "out");
    import_source(write("path,label,group\n" + text), folder_ / "out", {});
    return Dataset::open(folder_ / "out");
  };
  const Dataset mixed = read("images/0.png,0,12\nimages/1.png,1.0,12.0\nimages/2.png,0.0, 12\n");
  EXPECT_EQ(mixed.info().classes, (std::vector<std::string>{"0", "1"}));
  for (const std::size_t row : {0U, 1U, 2U}) EXPECT_EQ(mixed.record(row).group, "12");
  // Where there is one spelling, it stays: the dataset is what it was.
  const Dataset floats = read("images/0.png,0.0,12.0\nimages/1.png,1.0,7.0\n");
  EXPECT_EQ(floats.info().classes, (std::vector<std::string>{"0.0", "1.0"}));
  EXPECT_EQ(floats.record(0).group, "12.0");
}

TEST_F(ManifestTest, Latin1IsNamedUnlessItIsTheNameOfAFile) {
  const std::string head = "path,label,group\nimages/0.png,a,p\n";
  expect_refused(head + "images/1.png,erh\xF6ht,p\n", ":3", "the label is not UTF-8: 'erh\\xF6ht'");
  expect_refused(head + "images/1.png,b,M\xFCller\n", ":3",
                 "iconv -f windows-1252 -t utf-8 list.csv");
  expect_refused(head + "images/M\xFCller.png,b,p\n", ":3",
                 "does not exist; its name is not UTF-8");
  write_png(folder_ / "images" / "M\xFCller.png", 6, 6, 1, ramp<std::uint8_t>(6, 6, 1, 3));
  import_source(write(head + "images/M\xFCller.png,b,p\n"), folder_ / "out", {});
  EXPECT_EQ(Dataset::open(folder_ / "out").record(1).source, "images/M\\xFCller.png");
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
  expect_refused("path:label\n", ":1", "separated by commas");
  expect_refused("path,lable\nimages/0.png,a\n", ":1", "did you mean 'label'?");
  expect_refused("path,label,path\n", "", "two columns are called 'path'");
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
