#include "bioptic/report/html.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "bioptic/base/files.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

class Html : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / temporary_beside("html").filename();
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // A report with a figure of all arms and one of each of `arms`.
  std::string with_arms(std::size_t arms) const {
    StudySummary summary;
    summary.name = "many";
    summary.dataset.classes = {"no", "yes"};
    summary.dataset.preprocessing = summary.dataset.provenance = "{}";
    summary.arms.resize(1);
    std::vector<Figure> figures(1);
    figures[0].name = "all";
    for (std::size_t a = 0; a < arms; ++a) {
      figures.emplace_back().name = fmt::format("arm-{}", a);
      figures.back().one_of_many = true;
    }
    for (const Figure& f : figures) write_file(folder_ / (f.name + ".svg"), "<svg></svg>");
    return report_html(summary, figures, folder_, {});
  }
  static std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
      ++n;
    }
    return n;
  }
  fs::path folder_;
};

TEST_F(Html, HoldsTheCurvesOfFewArms) {
  const std::string html = with_arms(12);
  EXPECT_EQ(count(html, "<img "), 13U);
  EXPECT_EQ(count(html, "href=\"figures/"), 0U);
}

TEST_F(Html, NamesTheFilesOfTheCurvesOfManyArms) {
  const std::string html = with_arms(13);
  EXPECT_EQ(count(html, "<img "), 1U) << "the figure of all arms";
  EXPECT_EQ(count(html, "<a href=\"figures/arm-"), 13U);
  EXPECT_NE(html.find("each of the 13 arms"), std::string::npos);
}

}  // namespace
}  // namespace bioptic
