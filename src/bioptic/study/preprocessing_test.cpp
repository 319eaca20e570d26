#include "bioptic/study/preprocessing.h"

#include <gtest/gtest.h>

namespace bioptic {
namespace {

std::string differences(const std::string& model, const std::string& data) {
  return in_words(preprocessing_differences(model, data));
}

TEST(Preprocessing, WhatDiffersIsNamedOnBothSides) {
  EXPECT_EQ(differences(R"({"fit":"crop","bits":8})", R"({"fit":"pad","bits":8})"),
            "fit: crop in training, pad here");
  EXPECT_EQ(differences(R"({"bits":16,"grey":"a"})", R"({"bits":8,"grey":"b"})"),
            "bits: 16 in training, 8 here; grey: a in training, b here");
  const std::string fixed =
      R"({"dicom_window":{"choice":"fixed","low":-160.0,"high":240.0,"images":{"x":3}}})";
  const std::string same =
      R"({"dicom_window":{"choice":"fixed","low":-160.0,"high":240.0,"images":{"x":9}}})";
  EXPECT_EQ(differences(fixed, same), "");
  EXPECT_EQ(differences(fixed, R"({"dicom_window":{"choice":"file"}})"),
            "DICOM window: -160.0 to 240.0 in training, file here");
  EXPECT_EQ(differences(fixed, "{}"),
            "DICOM window: -160.0 to 240.0 in training, no DICOM files here");
  EXPECT_EQ(differences(R"({"dicom_window":{"choice":"none","added":0.0}})",
                        R"({"dicom_window":{"choice":"none","added":32768.0}})"),
            "DICOM window: none (0.0 added) in training, none (32768.0 added) here");
  EXPECT_NE(differences("{}", R"({"clahe":{"tiles":8}})"), "");
}

TEST(Preprocessing, WhatOneSideDoesNotRecordIsNoDifference) {
  EXPECT_EQ(differences("", ""), "");
  EXPECT_EQ(differences(R"({"size":256,"bits":8})", R"({"fit":"stretch","bits":8,"grey":"x"})"),
            "");
  EXPECT_EQ(differences(R"({"fit":"pad"})", R"({"fit":"none: sizes as the source"})"), "");
  EXPECT_EQ(differences(R"({"bits":16,"window":[3,9],"window_of":"a"})", R"({"bits":16})"), "");
}

TEST(Preprocessing, AModelsWindowIsTakenForOtherFiles) {
  const DicomOptions fixed =
      dicom_options_of(R"({"dicom_window":{"choice":"fixed","low":-160.0,"high":240.0}})");
  EXPECT_EQ(fixed.window, DicomWindow::fixed);
  EXPECT_EQ(fixed.low, -160);
  EXPECT_EQ(fixed.high, 240);
  const DicomOptions none =
      dicom_options_of(R"({"dicom_window":{"choice":"none","added":32768.0}})");
  EXPECT_EQ(none.window, DicomWindow::none);
  EXPECT_EQ(none.low, -32768);
  EXPECT_EQ(dicom_options_of(R"({"dicom_window":{"choice":"percentile"}})").window,
            DicomWindow::percentile);
  EXPECT_EQ(dicom_options_of("{}").window, DicomWindow::file);
  for (const char* damaged :
       {"[1]", R"({"dicom_window":[1]})", R"({"dicom_window":{"choice":5}})"}) {
    EXPECT_EQ(dicom_options_of(damaged).window, DicomWindow::file) << damaged;
  }
  const std::string text = R"({"dicom_window":{"choice":"fixed","low":"a"}})";
  EXPECT_EQ(dicom_options_of(text).low, 0);
}

}  // namespace
}  // namespace bioptic
