// Level and power of the shift tests on real images, and how far p depends on what it should not.
//   shift_level DATASET [--split test] [--groups 0] [--repetitions 300] [--permutations 1999]
// DATASET: made by `bioptic data import`, with two splits, groups and two classes.  Text on
// standard output.
//
// Level: the patients of one split are dealt into two halves, again and again: no shift by
// construction.  Power: the same with the second half's contrast raised.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "bioptic/base/random.h"
#include "bioptic/data/area_means.h"
#include "bioptic/data/dataset.h"
#include "bioptic/stats/shift.h"

namespace {

using namespace bioptic;

struct Image {
  std::vector<double> features;
  double score = 0;
};
using Groups = std::vector<std::vector<Image>>;  // images by patient

// Images of both samples with what the tests want to know of them.
struct Samples {
  std::vector<double> features, scores;
  std::vector<int> second, groups;
  std::size_t columns = 0;

  void add(const Image& image, int of_second, int group) {
    columns = image.features.size();
    features.insert(features.end(), image.features.begin(), image.features.end());
    scores.push_back(image.score);
    second.push_back(of_second);
    groups.push_back(group);
  }
};

constexpr std::size_t kTests = 4;
const char* const kNames[kTests] = {"KS of the score", "classifier, balanced accuracy",
                                    "classifier, AUC", "MMD"};
using PValues = std::array<double, kTests>;

PValues p_values(const Samples& s, const PermutationSettings& settings) {
  const TwoSamples two{s.second, s.groups};
  const Gram gram = standardised_gram(s.features, s.columns);
  const ClassifierShiftTest c = classifier_shift_test(gram, two, settings);
  return {ks_shift_test(s.scores, two, settings).p.value(), c.balanced_accuracy_p.value(),
          c.auc_p.value(), mmd_shift_test(gram, two, settings).p.value()};
}

// The patients of `split`, scored by the difference of the other split's mean images of the two
// classes: a classifier that saw none of them.
Groups patients_of(const Dataset& dataset, const std::string& split) {
  std::map<std::string, std::size_t> number;
  Groups groups;
  std::vector<double> sums[2];
  double images[2] = {0, 0};
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    const ImageRecord record = dataset.record(row);
    std::vector<double> features = area_means(dataset, row);
    if (record.split == split) {
      const auto [at, fresh] = number.emplace(std::string(record.group), groups.size());
      if (fresh) groups.emplace_back();
      groups[at->second].push_back({std::move(features), 0});
      continue;
    }
    std::vector<double>& sum = sums[record.label == 0 ? 0 : 1];
    sum.resize(features.size());
    images[record.label == 0 ? 0 : 1] += 1;
    for (std::size_t k = 0; k < features.size(); ++k) sum[k] += features[k];
  }
  for (std::vector<Image>& group : groups) {
    for (Image& image : group) {
      for (std::size_t k = 0; k < image.features.size(); ++k) {
        image.score += image.features[k] * (sums[1][k] / images[1] - sums[0][k] / images[0]);
      }
    }
  }
  return groups;
}

// Contrast about the image's own mean, as a whole image of that contrast would give it.
Image with_contrast(Image image, double factor) {
  const double mean = std::accumulate(image.features.begin(), image.features.end(), 0.0) /
                      static_cast<double>(image.features.size());
  for (double& v : image.features) v = mean + factor * (v - mean);
  return image;
}

// Two halves of `take` patients (0: all); the second half's contrast times `contrast`.
Samples resplit(const Groups& groups, std::size_t take, std::uint64_t seed, double contrast) {
  std::vector<std::size_t> order(groups.size());
  std::iota(order.begin(), order.end(), 0);
  RandomStream random(seed, "shift level");
  random.shuffle(std::span(order));
  if (take != 0) order.resize(std::min(take, order.size()));
  Samples samples;
  for (std::size_t g = 0; g < order.size(); ++g) {
    const bool second = g >= order.size() / 2;
    for (const Image& image : groups[order[g]]) {
      samples.add(second && contrast != 1 ? with_contrast(image, contrast) : image, second ? 1 : 0,
                  static_cast<int>(g));
    }
  }
  return samples;
}

// The same images in another order, the groups under other numbers.
Samples reordered(const Samples& s, std::uint64_t seed) {
  std::vector<std::size_t> order(s.second.size());
  std::iota(order.begin(), order.end(), 0);
  RandomStream random(seed, "shift order");
  random.shuffle(std::span(order));
  std::vector<int> names(order.size());
  std::iota(names.begin(), names.end(), 1000);
  random.shuffle(std::span(names));
  Samples out;
  for (const std::size_t i : order) {
    const auto from = s.features.begin() + static_cast<std::ptrdiff_t>(i * s.columns);
    out.add({{from, from + static_cast<std::ptrdiff_t>(s.columns)}, s.scores[i]}, s.second[i],
            names[static_cast<std::size_t>(s.groups[i])]);
  }
  return out;
}

double sd(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return std::sqrt(squares / (n - 1));
}

struct Rates {
  PValues hits{};
  int repetitions = 0;

  void add(const PValues& p) {
    ++repetitions;
    for (std::size_t t = 0; t < kTests; ++t) hits[t] += p[t] <= 0.05 ? 1 : 0;
  }
  void print(const char* title) const {
    fmt::print("\n{}\n", title);
    for (std::size_t t = 0; t < kTests; ++t) {
      const double rate = hits[t] / repetitions;
      fmt::print("  {:<30} {:.3f} (s.e. {:.3f})\n", kNames[t], rate,
                 std::sqrt(std::max(rate, 0.05) * (1 - std::max(rate, 0.05)) / repetitions));
    }
    std::fflush(stdout);
  }
};

void print_p(const std::string& name, const PValues& p) {
  fmt::print("  {:<30}", name);
  for (const double v : p) fmt::print(" {:.4f}", v);
  fmt::print("\n");
  std::fflush(stdout);
}

// Ten orders of one re-split's images, then ten other draws of folds and permutations.
void show_order(const Samples& samples, const PermutationSettings& settings) {
  fmt::print("\np of one re-split (KS, balanced accuracy, AUC, MMD)\n");
  print_p("as it is", p_values(samples, settings));
  for (std::uint64_t k = 0; k < 10; ++k) {
    print_p(fmt::format("order and group names {}", k), p_values(reordered(samples, k), settings));
  }
  std::array<std::vector<double>, kTests> p;
  for (std::uint64_t k = 1; k <= 10; ++k) {
    const PValues one = p_values(samples, {settings.permutations, settings.seed + k});
    for (std::size_t t = 0; t < kTests; ++t) p[t].push_back(one[t]);
    print_p(fmt::format("folds and permutations {}", k), one);
  }
  print_p("their standard deviation", {sd(p[0]), sd(p[1]), sd(p[2]), sd(p[3])});
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Level and power of the shift tests on real images");
  std::string folder, split = "test";
  std::size_t take = 0;
  int repetitions = 300, powered = 50;
  double contrast = 1.05;
  PermutationSettings settings;
  app.add_option("dataset", folder)->required();
  app.add_option("--split", split, "re-split this one");
  app.add_option("--groups", take, "patients of both halves together, 0 = all");
  app.add_option("--repetitions", repetitions);
  app.add_option("--power-repetitions", powered);
  app.add_option("--contrast", contrast);
  app.add_option("--permutations", settings.permutations);
  CLI11_PARSE(app, argc, argv);

  const auto start = std::chrono::steady_clock::now();
  const Dataset dataset = Dataset::open(folder);
  const Groups groups = patients_of(dataset, split);
  Rates level, power;
  std::size_t near = 0;
  double nearest = 1;
  for (int r = 0; r < repetitions; ++r) {
    const auto seed = static_cast<std::uint64_t>(r);
    const Samples samples = resplit(groups, take, seed, 1);
    const PValues p = p_values(samples, settings);
    level.add(p);
    if (std::abs(p[1] - 0.05) < nearest) {
      nearest = std::abs(p[1] - 0.05);
      near = seed;
    }
    if (r == 0) {
      fmt::print("{} patients of '{}', about {} images in two halves; {} permutations\n",
                 take == 0 ? groups.size() : std::min(take, groups.size()), split,
                 samples.second.size(), settings.permutations);
    }
    if (r % 100 == 99) {
      level.print(fmt::format("level at 0.05 over {} re-splits", r + 1).c_str());
    }
  }
  level.print(fmt::format("level at 0.05 over {} re-splits", repetitions).c_str());
  show_order(resplit(groups, take, near, 1), settings);
  for (int r = 0; r < powered; ++r) {
    power.add(p_values(resplit(groups, take, static_cast<std::uint64_t>(r), contrast), settings));
  }
  if (powered > 0) {
    power.print(
        fmt::format("power at 0.05, contrast times {}, {} re-splits", contrast, powered).c_str());
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  fmt::print("\n{:.0f} s\n", seconds.count());
  return 0;
}
