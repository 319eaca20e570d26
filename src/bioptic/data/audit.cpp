#include "bioptic/data/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "bioptic/base/error.h"
#include "bioptic/base/parallel.h"
#include "bioptic/base/random.h"
#include "bioptic/base/sha256.h"
#include "bioptic/data/group_search.h"
#include "bioptic/data/png.h"

namespace bioptic {
namespace {

using Side = AuditSide;
constexpr Side kTrain = Side::train, kVal = Side::val, kTest = Side::test, kHoldout = Side::holdout;
constexpr std::size_t kChecks = 12;

std::size_t number_of(Side side) { return static_cast<std::size_t>(side); }
const char* side_name(Side side) {
  constexpr std::array<const char*, 4> kNames = {"train", "val", "test", "holdout"};
  return kNames[number_of(side)];
}

// What a pass over an image's pixels tells.
struct ImageFacts {
  double mean = 0, spread = 0, border = 0;  // border: mean of the outermost twentieth
  double largest_share = 0;                 // of values at the type's largest
};

template <typename T>
ImageFacts facts_of(std::span<const T> pixels, const DatasetInfo& info) {
  // Whole numbers, so that the order of the sums is free: at most 2^28 pixels of 2^16 squared.
  std::uint64_t sum = 0, squares = 0, border = 0, largest = 0, at_border = 0;
  for (const T v : pixels) {
    sum += v;
    squares += std::uint64_t{v} * v;
    largest += v == std::numeric_limits<T>::max() ? 1U : 0U;
  }
  const int h = info.height, w = info.width;
  const int edge = std::max(1, std::min(h, w) / 20);
  std::size_t at = 0;
  for (int plane = 0; plane < info.channels; ++plane) {
    for (int y = 0; y < h; ++y) {
      const bool whole = y < edge || y >= h - edge;
      for (int x = 0; x < w; ++x, ++at) {
        if (!whole && x == edge && w > 2 * edge) {  // over the inside at once
          x += w - 2 * edge;
          at += static_cast<std::size_t>(w - 2 * edge);
        }
        border += pixels[at];
        ++at_border;
      }
    }
  }
  ImageFacts facts;
  const auto n = static_cast<double>(pixels.size());
  facts.mean = static_cast<double>(sum) / n;
  facts.spread =
      std::sqrt(std::max(0.0, static_cast<double>(squares) / n - facts.mean * facts.mean));
  facts.border = static_cast<double>(border) / static_cast<double>(at_border);
  facts.largest_share = static_cast<double>(largest) / n;
  return facts;
}

std::span<const std::uint8_t> bytes_of(const Dataset& dataset, std::size_t row) {
  if (dataset.info().dtype == PixelType::uint8) return dataset.image8(row);
  const auto pixels = dataset.image16(row);
  return {reinterpret_cast<const std::uint8_t*>(pixels.data()), pixels.size_bytes()};
}

bool is_constant(const Dataset& dataset, std::size_t row) {
  const auto all_one = [](auto pixels) {
    // The middle first, which the fingerprint has read already and where most pictures vary.
    const auto value = pixels[pixels.size() / 2];
    const auto same = [&](auto v) { return v == value; };
    const auto middle = pixels.subspan(pixels.size() / 2);
    return std::all_of(middle.begin(), middle.end(), same) &&
           std::all_of(pixels.begin(), pixels.end(), same);
  };
  return dataset.info().dtype == PixelType::uint8 ? all_one(dataset.image8(row))
                                                  : all_one(dataset.image16(row));
}

// Of an image's middle 4 KiB, one page or two of a file that may be far larger than the memory.
// FNV-1a over words of 8 bytes; equal images have equal fingerprints, and where others do, they
// are told apart by all their pixels.
constexpr std::size_t kFingerprintBytes = 4096;
std::uint64_t fingerprint_of(std::span<const std::uint8_t> bytes) {
  const std::size_t n = std::min(bytes.size(), kFingerprintBytes);
  const std::uint8_t* at = bytes.data() + (bytes.size() - n) / 2;
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (std::size_t i = 0; i < n; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at + i, std::min<std::size_t>(8, n - i));
    hash = (hash ^ word) * 0x100000001b3U;
    hash ^= hash >> 29;
  }
  return hash;
}

double mean_of(const std::vector<double>& v) {
  return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
}
double variance_of(const std::vector<double>& v) {
  const double mean = mean_of(v);
  double sum = 0;
  for (const double x : v) sum += (x - mean) * (x - mean);
  return sum / static_cast<double>(v.size() - 1);
}

// The chance that a value of the one is above one of the other, ties counting half.
double auroc(const std::vector<double>& positive, const std::vector<double>& negative) {
  std::vector<std::pair<double, bool>> all;
  for (const double v : positive) all.emplace_back(v, true);
  for (const double v : negative) all.emplace_back(v, false);
  std::sort(all.begin(), all.end());
  double ranks = 0;
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i, positives = 0;
    while (end < all.size() && all[end].first == all[i].first)
      positives += all[end++].second ? 1U : 0U;
    ranks += static_cast<double>(positives) * (static_cast<double>(i + end) + 1) / 2;
    i = end;
  }
  const auto p = static_cast<double>(positive.size()), n = static_cast<double>(negative.size());
  return (ranks - p * (p + 1) / 2) / (p * n);
}

// Hanley and McNeil, Radiology 1982;143:29-36.
double auroc_error(double a, double p, double n) {
  const double q1 = a / (2 - a), q2 = 2 * a * a / (1 + a);
  return std::sqrt(
      std::max(0.0, (a * (1 - a) + (p - 1) * (q1 - a * a) + (n - 1) * (q2 - a * a)) / (p * n)));
}

std::string plural(std::size_t n, const char* one, const char* many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

class Auditor {
 public:
  Auditor(const Dataset& dataset, const std::vector<Original>& originals,
          const AuditOptions& options)
      : dataset_(dataset), originals_(originals), options_(options) {}

  Audit run(const Progress& progress) {
    if (options_.splits != nullptr) {
      groups_ = &options_.splits->groups;
      sides_ = options_.splits->sides;
      test_from_ = "the test split";
      val_from_ = "validation (seed 0)";
    } else {
      found_groups_ = search_groups(dataset_, options_.group);
      groups_ = &found_groups_;
      read_sides();
    }
    ThreadPool pool(options_.threads > 0 ? options_.threads : available_processors());
    measure(pool);
    result_.images = dataset_.size();
    result_.checks.reserve(kChecks);  // references to earlier checks stay good
    duplicates(pool, progress);
    split_groups();
    class_balance();
    intensity_drift();
    constant_and_saturated();
    fixed_borders();
    trivial_features();
    test_size();
    return std::move(result_);
  }

 private:
  AuditCheck& check(const char* id, const char* title) {
    result_.checks.push_back({id, title, AuditState::fine, "", {}});
    return result_.checks.back();
  }
  std::string name(std::size_t row) const { return std::string(dataset_.record(row).source); }
  const std::string& class_of(std::size_t row) const {
    return dataset_.info().classes[static_cast<std::size_t>(dataset_.label(row))];
  }
  static void example(AuditCheck& c, std::string text) {
    if (c.examples.size() < kAuditExamples) c.examples.push_back(std::move(text));
  }

  void read_sides() {
    sides_.assign(dataset_.size(), kTrain);
    try {
      const SplitPlan plan = plan_splits(dataset_, *groups_, options_.split);
      const Splits splits = draw_splits(dataset_, *groups_, options_.split, plan, 0);
      for (const auto row : splits.val) sides_[row] = kVal;
      for (const auto row : splits.test) sides_[row] = kTest;
      bool names_test = false;
      for (std::size_t row = 0; row < dataset_.size(); ++row) {
        names_test = names_test || dataset_.record(row).split == "test";
      }
      test_from_ = names_test ? "the source's test split" : "a drawn test split";
      val_from_ = plan.val_from_source                        ? "the source's validation split"
                  : options_.split.split_by == SplitBy::group ? "validation drawn by group"
                                                              : "validation drawn by image";
    } catch (const InputError& e) {
      no_splits_ = e.what();
    }
  }

  void measure(ThreadPool& pool) {
    const DatasetInfo& info = dataset_.info();
    const std::size_t n = dataset_.size();
    measured_.resize(n);
    std::iota(measured_.begin(), measured_.end(), std::uint32_t{0});
    if (options_.sample > 0 && options_.sample < n) {
      RandomStream(0, "audit sample").shuffle(std::span(measured_));
      measured_.resize(options_.sample);
      std::sort(measured_.begin(), measured_.end());
      of_sample_ = fmt::format("in a sample of {} of the {} images, ", options_.sample, n);
    }
    facts_.resize(measured_.size());
    constexpr std::size_t kBlock = 64;
    pool.run((measured_.size() + kBlock - 1) / kBlock, [&](std::size_t block) {
      const std::size_t end = std::min(measured_.size(), (block + 1) * kBlock);
      for (std::size_t i = block * kBlock; i < end; ++i) {
        const std::size_t row = measured_[i];
        facts_[i] = info.dtype == PixelType::uint8 ? facts_of(dataset_.image8(row), info)
                                                   : facts_of(dataset_.image16(row), info);
      }
    });
    constant_.resize(n);
    fingerprints_.resize(n);
    pool.run((n + kBlock - 1) / kBlock, [&](std::size_t block) {
      for (std::size_t row = block * kBlock; row < std::min(n, (block + 1) * kBlock); ++row) {
        fingerprints_[row] = fingerprint_of(bytes_of(dataset_, row));
        constant_[row] = is_constant(dataset_, row) ? 1 : 0;
      }
    });
  }

  // Rows with the pixels of an earlier row: (the first such row, row).
  std::vector<std::pair<std::uint32_t, std::uint32_t>> exact_copies(ThreadPool& pool) const {
    // Where a fingerprint stands alone, so does its image; the others are held against each other.
    std::vector<std::uint32_t> alike(dataset_.size());
    std::iota(alike.begin(), alike.end(), 0U);
    std::sort(alike.begin(), alike.end(), [&](std::uint32_t a, std::uint32_t b) {
      return std::pair(fingerprints_[a], a) < std::pair(fingerprints_[b], b);
    });
    std::size_t kept = 0;
    for (std::size_t begin = 0, end = 0; begin < alike.size(); begin = end) {
      while (end < alike.size() && fingerprints_[alike[end]] == fingerprints_[alike[begin]]) ++end;
      for (std::size_t i = begin; end - begin > 1 && i < end; ++i) {
        if (constant_[alike[i]] == 0) alike[kept++] = alike[i];
      }
    }
    alike.resize(kept);
    std::sort(alike.begin(), alike.end());  // read in the order of the file

    using Digest = std::array<std::uint8_t, 32>;
    std::map<Digest, std::uint32_t> first;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> copies;
    std::vector<Digest> digests(64 * static_cast<std::size_t>(pool.threads()));
    for (std::size_t begin = 0; begin < alike.size(); begin += digests.size()) {
      const std::size_t n = std::min(digests.size(), alike.size() - begin);
      pool.run(n, [&](std::size_t k) {
        const auto bytes = bytes_of(dataset_, alike[begin + k]);
        digests[k] = sha256_bytes(bytes.data(), bytes.size());
      });
      for (std::size_t k = 0; k < n; ++k) {
        const auto [found, is_new] = first.emplace(digests[k], alike[begin + k]);
        if (!is_new) copies.emplace_back(found->second, alike[begin + k]);
      }
    }
    return copies;
  }

  void duplicates(ThreadPool& pool, const Progress& progress) {
    const std::vector<std::pair<std::uint32_t, std::uint32_t>> exact = exact_copies(pool);
    std::vector<char> skip = constant_;
    for (const auto& [earlier, row] : exact) skip[row] = 1;
    AuditCheck& same = check("exact_duplicates", "exact duplicates");
    same.said = exact.empty() ? "no two images have the same pixels"
                              : plural(exact.size(), "image repeats", "images repeat") +
                                    " the pixels of an earlier one";
    if (!exact.empty()) same.state = AuditState::found;
    for (const auto& [a, b] : exact) example(same, name(a) + " = " + name(b));

    if (options_.near) {
      result_.near = find_near_duplicates(dataset_, skip, pool, progress);
      // One patient's pictures are alike without being copies.
      std::erase_if(result_.near, [&](const NearPair& pair) {
        const std::string& group = groups_->names[pair.first];
        return pair.likeness < kSameGroupLikeness && !group.starts_with('#') &&
               group == groups_->names[pair.second];
      });
    }
    AuditCheck& near = check("near_duplicates", "near duplicates");
    near.state = !options_.near         ? AuditState::not_done
                 : result_.near.empty() ? AuditState::fine
                                        : AuditState::found;
    near.said = !options_.near ? options_.no_near_because
                : result_.near.empty()
                    ? "no two images are nearly the same picture"
                    : plural(result_.near.size(), "pair is", "pairs are") +
                          " nearly the same picture (stored again, resized, brighter or cropped)";
    for (const NearPair& pair : result_.near) {
      example(near,
              fmt::format("{} ~ {} ({:.3f})", name(pair.first), name(pair.second), pair.likeness));
    }

    std::vector<std::pair<std::uint32_t, std::uint32_t>> all = exact;
    for (const NearPair& pair : result_.near) all.emplace_back(pair.first, pair.second);
    AuditCheck& conflict = check("conflicting_labels", "duplicates under two labels");
    AuditCheck& across = check("split_duplicates", "duplicates on both sides of a split");
    std::size_t conflicting = 0, crossing = 0;
    for (const auto& [a, b] : all) {
      if (dataset_.label(a) != dataset_.label(b)) {
        ++conflicting;
        example(conflict,
                fmt::format("{} ({}) and {} ({})", name(a), class_of(a), name(b), class_of(b)));
      }
      if (no_splits_.empty() && sides_[a] != sides_[b]) {
        ++crossing;
        example(across, fmt::format("{} ({}) and {} ({})", name(a), side_name(sides_[a]), name(b),
                                    side_name(sides_[b])));
      }
    }
    const char* none = options_.near ? "none" : "none among exact duplicates";
    conflict.said = conflicting == 0 ? none : plural(conflicting, "pair", "pairs");
    across.said = crossing == 0 ? none : plural(crossing, "pair", "pairs");
    if (conflicting > 0) conflict.state = AuditState::found;
    if (crossing > 0) across.state = AuditState::found;
    if (!no_splits_.empty()) not_done(across, no_splits_);
  }

  static void not_done(AuditCheck& c, const std::string& why) {
    c.state = AuditState::not_done;
    c.said = "not looked at: " + why;
  }

  void split_groups() {
    AuditCheck& c = check("split_groups", "groups (patients) on both sides of a split");
    if (!no_splits_.empty()) return not_done(c, no_splits_);
    if (!groups_->known) {
      return not_done(c, options_.splits != nullptr
                             ? "the source names no groups; group under [data] finds them in file "
                               "names"
                             : "the source names no groups; --group EXPRESSION finds them in file "
                               "names");
    }
    const std::vector<std::string>& names = groups_->names;
    std::vector<std::uint32_t> rows;  // of named groups, by name
    for (std::uint32_t row = 0; row < dataset_.size(); ++row) {
      if (!names[row].starts_with('#')) rows.push_back(row);
    }
    std::sort(rows.begin(), rows.end(),
              [&](std::uint32_t a, std::uint32_t b) { return names[a] < names[b]; });
    std::size_t train_test = 0, train_val = 0, any = 0, named = 0;
    for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
      const std::string& group = names[rows[begin]];
      std::array<std::size_t, 4> n{};
      for (; end < rows.size() && names[rows[end]] == group; ++end) {
        ++n[number_of(sides_[rows[end]])];
      }
      ++named;
      const std::size_t train = n[number_of(kTrain)], val = n[number_of(kVal)],
                        test = n[number_of(kTest)];
      const bool both = (train > 0) + (val > 0) + (test > 0) > 1;
      train_val += train > 0 && val > 0 ? 1U : 0U;
      train_test += test > 0 && train + val > 0 ? 1U : 0U;
      if (!both) continue;
      ++any;
      example(c, fmt::format("{}: {} train, {} val, {} test", group, train, val, test));
    }
    if (named == 0) return not_done(c, "the source names no group for any image");
    c.said = fmt::format(
        "of {} groups, {} have images in training or validation and in {}, {} in training and in "
        "{}",
        named, train_test, test_from_, train_val, val_from_);
    if (rows.size() < dataset_.size()) {
      c.said += fmt::format("; {} images have no group", dataset_.size() - rows.size());
    }
    if (any > 0) c.state = AuditState::found;
  }

  // Images by class on one side or both of train + val.
  std::vector<std::size_t> counts(bool test) const {
    std::vector<std::size_t> n(dataset_.info().classes.size());
    for (std::size_t row = 0; row < dataset_.size(); ++row) {
      if (sides_[row] != kHoldout && (sides_[row] == kTest) == test)
        ++n[static_cast<std::size_t>(dataset_.label(row))];
    }
    return n;
  }

  void class_balance() {
    AuditCheck& c = check("class_balance", "class balance");
    const std::vector<std::size_t> train = counts(false), test = counts(true);
    const auto total = [](const std::vector<std::size_t>& n) {
      return static_cast<double>(std::accumulate(n.begin(), n.end(), std::size_t{0}));
    };
    double apart = 0, smallest = 1;
    for (std::size_t k = 0; k < train.size(); ++k) {
      const double share = static_cast<double>(train[k]) / total(train);
      const auto most = static_cast<double>(*std::max_element(train.begin(), train.end()));
      smallest = std::min(smallest, static_cast<double>(train[k]) / most);
      std::string text =
          fmt::format("{}: {} ({:.1f} %)", dataset_.info().classes[k], train[k], 100 * share);
      if (total(test) > 0) {
        const double there = static_cast<double>(test[k]) / total(test);
        apart = std::max(apart, std::abs(share - there));
        text += fmt::format(", test {} ({:.1f} %)", test[k], 100 * there);
      }
      example(c, text);
    }
    c.said = fmt::format(
        "the smallest class has {:.2f} of the largest one's images; shares differ by up to {:.1f} "
        "points between training and test",
        smallest, 100 * apart);
    if (smallest < 0.1 || apart >= 0.1) c.state = AuditState::found;
  }

  void intensity_drift() {
    AuditCheck& c = check("intensity_drift", "intensity drift between training and test");
    std::vector<double> train, test;
    for (std::size_t i = 0; i < measured_.size(); ++i) {
      const Side side = sides_[measured_[i]];
      if (side != kHoldout) (side == kTest ? test : train).push_back(facts_[i].mean);
    }
    if (train.size() < 2 || test.size() < 2) return not_done(c, "there are too few images");
    const double vt = variance_of(train), vs = variance_of(test);
    const double difference = mean_of(test) - mean_of(train);
    const double spread = std::sqrt((vt + vs) / 2);
    const double error =
        std::sqrt(vt / static_cast<double>(train.size()) + vs / static_cast<double>(test.size()));
    const double size = spread > 0 ? difference / spread : 0;
    c.said =
        of_sample_ +
        fmt::format(
            "mean grey value {:.1f} in training, {:.1f} in test: {:.2f} standard deviations apart",
            mean_of(train), mean_of(test), std::abs(size));
    if (std::abs(size) >= 0.5 && std::abs(difference) > 4 * error) c.state = AuditState::found;
  }

  void constant_and_saturated() {
    AuditCheck& flat = check("constant_images", "constant images");
    std::size_t constant = 0, saturated = 0;
    for (std::size_t row = 0; row < dataset_.size(); ++row) {
      if (constant_[row] == 0) continue;
      ++constant;
      example(flat, name(row));
    }
    flat.said = constant == 0
                    ? "none"
                    : plural(constant, "image has", "images have") + " one value everywhere";
    if (constant > 0) flat.state = AuditState::found;
    AuditCheck& full = check("saturated_images", "saturated images");
    for (std::size_t i = 0; i < measured_.size(); ++i) {
      const std::uint32_t row = measured_[i];
      if (constant_[row] != 0 || facts_[i].largest_share < 0.25) continue;
      ++saturated;
      example(full, fmt::format("{} ({:.0f} %)", name(row), 100 * facts_[i].largest_share));
    }
    full.said = of_sample_;
    full.said += saturated == 0 ? "none"
                                : plural(saturated, "image has", "images have") +
                                      " a quarter or more of the values at the largest";
    if (saturated > 0) full.state = AuditState::found;
  }

  // Rows and columns at the edges that are one picture in all images.
  struct Borders {
    std::size_t top = 0, bottom = 0, left = 0, right = 0;
  };

  // Cuts the borders down to what `image` shares with `first`, plane by plane.
  template <typename T>
  static void cut_borders(std::span<const T> first, std::span<const T> image, std::size_t h,
                          std::size_t w, Borders& b) {
    for (std::size_t plane = 0; plane < image.size(); plane += h * w) {
      const auto row_same = [&](std::size_t y) {
        const std::size_t at = plane + y * w;
        return std::equal(image.begin() + static_cast<std::ptrdiff_t>(at),
                          image.begin() + static_cast<std::ptrdiff_t>(at + w),
                          first.begin() + static_cast<std::ptrdiff_t>(at));
      };
      const auto column_same = [&](std::size_t x) {
        for (std::size_t y = 0; y < h; ++y) {
          if (image[plane + y * w + x] != first[plane + y * w + x]) return false;
        }
        return true;
      };
      const auto count_same = [](std::size_t most, const auto& same) {
        std::size_t n = 0;
        while (n < most && same(n)) ++n;
        return n;
      };
      b.top = count_same(b.top, row_same);
      b.bottom = count_same(b.bottom, [&](std::size_t k) { return row_same(h - 1 - k); });
      b.left = count_same(b.left, column_same);
      b.right = count_same(b.right, [&](std::size_t k) { return column_same(w - 1 - k); });
    }
  }

  void fixed_borders() {
    AuditCheck& c = check("fixed_borders", "borders that never change");
    const DatasetInfo& info = dataset_.info();
    const auto h = static_cast<std::size_t>(info.height), w = static_cast<std::size_t>(info.width);
    if (dataset_.size() < 2) return not_done(c, "there is one image");
    Borders b{h, h, w, w};
    for (std::size_t row = 1; row < dataset_.size(); ++row) {
      if (b.top + b.bottom + b.left + b.right == 0) break;
      if (info.dtype == PixelType::uint8) {
        cut_borders(dataset_.image8(0), dataset_.image8(row), h, w, b);
      } else {
        cut_borders(dataset_.image16(0), dataset_.image16(row), h, w, b);
      }
    }
    if (b.top + b.bottom + b.left + b.right == 0) {
      c.said = "none";
      return;
    }
    c.said = fmt::format(
        "{} rows at the top, {} at the bottom, {} columns at the left, {} at the right "
        "are the same in all images",
        b.top, b.bottom, b.left, b.right);
    c.state = AuditState::found;
  }

  struct Feature {
    std::string name;
    std::vector<double> values;  // in the order of measured_
  };
  std::vector<Feature> features() const {
    std::vector<Feature> all(3);
    all[0].name = "mean grey value";
    all[1].name = "spread of the grey values";
    all[2].name = "mean of the border";
    for (const ImageFacts& facts : facts_) {
      all[0].values.push_back(facts.mean);
      all[1].values.push_back(facts.spread);
      all[2].values.push_back(facts.border);
    }
    if (originals_.empty()) return all;
    all.resize(6);
    all[3].name = "width of the file's image";
    all[4].name = "height of the file's image";
    all[5].name = "aspect ratio of the file's image";
    std::set<std::string> formats;
    for (const std::uint32_t row : measured_) {
      const Original& original = originals_[row];
      all[3].values.push_back(original.width);
      all[4].values.push_back(original.height);
      all[5].values.push_back(static_cast<double>(original.width) / original.height);
      formats.insert(original.format);
    }
    for (const std::string& format : formats) {
      Feature feature{"file format " + (format.empty() ? "(no ending)" : format), {}};
      for (const std::uint32_t row : measured_) {
        feature.values.push_back(originals_[row].format == format ? 1 : 0);
      }
      all.push_back(std::move(feature));
    }
    return all;
  }

  void trivial_features() {
    AuditCheck& c = check("trivial_features", "trivial features that predict the label");
    double highest = 0.5;
    std::string best = "none";
    std::size_t telling = 0;
    const std::size_t classes = dataset_.info().classes.size();
    for (const Feature& feature : features()) {
      for (std::size_t k = 0; k < classes; ++k) {
        if (classes == 2 && k == 0) continue;  // the other class's AUROC is the same
        std::vector<double> in, out;
        for (std::size_t i = 0; i < measured_.size(); ++i) {
          const std::uint32_t row = measured_[i];
          if (no_splits_.empty() && (sides_[row] == kTest || sides_[row] == kHoldout)) continue;
          (static_cast<std::size_t>(dataset_.label(row)) == k ? in : out)
              .push_back(feature.values[i]);
        }
        if (in.empty() || out.empty()) continue;
        double area = auroc(in, out);
        area = std::max(area, 1 - area);
        const double error =
            auroc_error(area, static_cast<double>(in.size()), static_cast<double>(out.size()));
        if (area > highest) {
          highest = area;
          best = feature.name;
        }
        if (area < 0.7 || area - 3.9 * error <= 0.5) continue;
        ++telling;
        example(c, fmt::format("{} tells '{}' with AUROC {:.2f}", feature.name,
                               dataset_.info().classes[k], area));
      }
    }
    c.said =
        of_sample_ + fmt::format("the most telling is the {} with AUROC {:.2f}", best, highest);
    if (telling > 0) c.state = AuditState::found;
  }

  void test_size() {
    AuditCheck& c = check("test_size", "test set too small");
    if (!no_splits_.empty()) return not_done(c, no_splits_);
    std::vector<std::string_view> names;
    for (std::size_t row = 0; row < dataset_.size(); ++row) {
      if (sides_[row] == kTest) names.emplace_back(groups_->names[row]);
    }
    const std::size_t images = names.size();
    std::sort(names.begin(), names.end());
    const auto groups =
        static_cast<std::size_t>(std::unique(names.begin(), names.end()) - names.begin());
    const double d = options_.detect, z = 1.959964 + 0.841621;
    const double needed = std::max(1.0, std::ceil(z * z * (0.1 - d * d) / (d * d)));
    c.said = fmt::format(
        "{} images of {} groups; by a rule of thumb for two models of one training each that "
        "differ on a tenth of the images, to see a difference of {:g} in accuracy takes {:.0f} "
        "(level 0.05, power 0.8); several seeds, and arms that agree on more images, take fewer: "
        "the comparisons of a run say what its own arms need",
        images, groups, d, needed);
    if (static_cast<double>(groups) < needed) c.state = AuditState::found;
  }

  const Dataset& dataset_;
  const std::vector<Original>& originals_;
  const AuditOptions& options_;
  Groups found_groups_;
  const Groups* groups_ = nullptr;
  std::vector<Side> sides_;
  std::string no_splits_, test_from_, val_from_;
  std::vector<std::uint32_t> measured_;  // rows whose facts are known, ascending
  std::string of_sample_;                // says so where they are not all
  std::vector<ImageFacts> facts_;        // in the order of measured_
  std::vector<char> constant_;           // by row: one value everywhere
  std::vector<std::uint64_t> fingerprints_;
  Audit result_;
};

}  // namespace

bool Audit::anything() const {
  return std::any_of(checks.begin(), checks.end(),
                     [](const AuditCheck& c) { return c.state == AuditState::found; });
}

Audit audit_dataset(const Dataset& dataset, const std::vector<Original>& originals,
                    const AuditOptions& options, const Progress& progress) {
  return Auditor(dataset, originals, options).run(progress);
}

std::string near_montage(const Dataset& dataset, const std::vector<NearPair>& pairs) {
  constexpr std::size_t kPairs = 12;
  constexpr int kSide = 192, kGap = 8;
  const DatasetInfo& info = dataset.info();
  const auto shown = static_cast<int>(std::min(pairs.size(), kPairs));
  const int width = 2 * kSide + 3 * kGap, height = shown * kSide + (shown + 1) * kGap;
  std::vector<std::uint8_t> canvas(
      static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 255);
  const auto draw = [&](std::uint32_t row, int left, int top) {
    double most = 255;
    if (info.dtype == PixelType::uint16) {
      const auto pixels = dataset.image16(row);
      most = std::max<double>(1, *std::max_element(pixels.begin(), pixels.end()));
    }
    const std::size_t plane =
        static_cast<std::size_t>(info.height) * static_cast<std::size_t>(info.width);
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const std::size_t at = static_cast<std::size_t>(y * info.height / kSide) *
                                   static_cast<std::size_t>(info.width) +
                               static_cast<std::size_t>(x * info.width / kSide);
        double sum = 0;
        for (std::size_t c = 0; c < static_cast<std::size_t>(info.channels); ++c) {
          sum += info.dtype == PixelType::uint8 ? dataset.image8(row)[c * plane + at]
                                                : dataset.image16(row)[c * plane + at];
        }
        canvas[static_cast<std::size_t>(top + y) * static_cast<std::size_t>(width) +
               static_cast<std::size_t>(left + x)] =
            static_cast<std::uint8_t>(255 * sum / (info.channels * most));
      }
    }
  };
  for (int k = 0; k < shown; ++k) {
    const int top = kGap + k * (kSide + kGap);
    draw(pairs[static_cast<std::size_t>(k)].first, kGap, top);
    draw(pairs[static_cast<std::size_t>(k)].second, 2 * kGap + kSide, top);
  }
  return png_bytes(width, height, 1, canvas);
}

}  // namespace bioptic
