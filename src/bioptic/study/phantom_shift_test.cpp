// The shift tests on the phantom: their level where both samples come from one scanner, their power
// at the default shift.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bioptic/base/random.h"
#include "bioptic/data/area_means.h"
#include "bioptic/data/phantom.h"
#include "bioptic/stats/shift.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

// Patients of one split of a large phantom, as features.
struct Patients {
  std::vector<std::vector<std::vector<double>>> images;  // patient, view, feature
};

class PhantomShift : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const fs::path folder =
        fs::temp_directory_path() / ("bioptic-phantom-shift-" + std::to_string(::getpid()));
    PhantomSpec spec;
    spec.train = 3000;
    spec.test = 1500;
    spec.size = 32;
    make_phantom(spec, folder, 1);
    const Dataset dataset = Dataset::open(folder);
    std::map<std::string, std::size_t> number;
    std::set<std::string> trained[2];
    std::array<double, kFeatures> sums[2] = {};
    double images[2] = {0, 0};
    for (std::size_t row = 0; row < dataset.size(); ++row) {
      const ImageRecord record = dataset.record(row);
      const std::vector<double> features = area_means(dataset, row, 16);
      const bool second = record.split == "test";
      Patients& split = second ? shifted_ : same_;
      const auto [at, fresh] = number.emplace(std::string(record.group), split.images.size());
      // The first patients of each class train the classifier whose scores are tested.
      const auto label = static_cast<std::size_t>(record.label);
      if (!second && (trained[label].contains(at->first) || trained[label].size() < 150)) {
        trained[label].insert(at->first);
        images[label] += 1;
        for (std::size_t k = 0; k < features.size(); ++k) sums[label][k] += features[k];
        if (fresh) number.erase(at);
        continue;
      }
      if (fresh) split.images.emplace_back();
      split.images[at->second].push_back(features);
    }
    // Its weights are the difference of the classes' mean images.
    for (std::size_t k = 0; k < weights_.size(); ++k) {
      weights_[k] = sums[1][k] / images[1] - sums[0][k] / images[0];
    }
    fs::remove_all(folder);
  }

  struct Rejections {
    int ks = 0, mmd = 0, accuracy = 0, auc = 0;
  };

  // Repeats: so many patients of the source against so many others of it, or of the shifted
  // scanner, all tests at the level 1/20.
  static Rejections repeat(int repetitions, bool shifted, std::size_t first, std::size_t second) {
    Rejections hits;
    for (int r = 0; r < repetitions; ++r) {
      const auto seed = static_cast<std::uint64_t>(r);
      RandomStream random(seed, shifted ? "phantom power" : "phantom level");
      std::vector<std::size_t> source(same_.images.size()), other(shifted_.images.size());
      for (std::size_t i = 0; i < source.size(); ++i) source[i] = i;
      for (std::size_t i = 0; i < other.size(); ++i) other[i] = i;
      random.shuffle(std::span(source));
      random.shuffle(std::span(other));
      std::vector<double> features, scores;
      std::vector<int> sample, groups;
      for (std::size_t g = 0; g < first + second; ++g) {
        const bool from_second = g >= first;
        const auto& patient =
            from_second && shifted ? shifted_.images[other[g]] : same_.images[source[g]];
        for (const std::vector<double>& image : patient) {
          features.insert(features.end(), image.begin(), image.end());
          double score = 0;
          for (std::size_t k = 0; k < image.size(); ++k) score += weights_[k] * image[k];
          scores.push_back(score);
          sample.push_back(from_second ? 1 : 0);
          groups.push_back(static_cast<int>(g));
        }
      }
      const Gram gram = standardised_gram(features, kFeatures);
      const TwoSamples two{sample, groups};
      const PermutationSettings settings{19, seed};
      hits.ks += *ks_shift_test(scores, two, settings).p <= 0.0501 ? 1 : 0;
      hits.mmd += *mmd_shift_test(gram, two, settings).p <= 0.0501 ? 1 : 0;
      const ClassifierShiftTest c = classifier_shift_test(gram, two, settings);
      hits.accuracy += *c.balanced_accuracy_p <= 0.0501 ? 1 : 0;
      hits.auc += *c.auc_p <= 0.0501 ? 1 : 0;
    }
    return hits;
  }

  static constexpr std::size_t kFeatures = 16 * 16;
  static Patients same_, shifted_;
  static std::array<double, kFeatures> weights_;
};

Patients PhantomShift::same_, PhantomShift::shifted_;
std::array<double, PhantomShift::kFeatures> PhantomShift::weights_;

constexpr int kRepetitions = 300;

TEST_F(PhantomShift, LevelWithoutAShift) {
  const Rejections hits = repeat(kRepetitions, false, 40, 60);
  for (const int n : {hits.ks, hits.mmd, hits.accuracy, hits.auc}) {
    EXPECT_LE(n, kRepetitions * (0.05 + 3 * std::sqrt(0.05 * 0.95 / kRepetitions)));
    EXPECT_GE(n, 0.01 * kRepetitions) << "a test that never rejects is broken, too";
  }
}

TEST_F(PhantomShift, PowerAtTheDefaultShift) {
  const Rejections hits = repeat(kRepetitions, true, 40, 60);
  for (const int n : {hits.ks, hits.mmd, hits.accuracy, hits.auc}) {
    EXPECT_GE(n, 0.9 * kRepetitions);
  }
}

}  // namespace
}  // namespace bioptic
