#include "bioptic/study/study_audit.h"

#include <fmt/format.h>

#include <algorithm>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/sha256.h"
#include "bioptic/data/audit_json.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

// Changes whenever the same data would be said to be otherwise: a kept audit of before is not read.
constexpr int kAuditVersion = 2;
constexpr std::size_t kMeasuredBytes = 200'000'000, kFewestMeasured = 500;

fs::path kept_audit(const StudySummary& summary, const fs::path& out, int version) {
  Sha256 hash;
  const auto add = [&](const std::string& text) {
    const std::string line = text + "\n";
    hash.update(line.data(), line.size());
  };
  add(fmt::format("audit {} {} {}", version, summary.dataset_hash, summary.detect));
  for (const StudyImage image : summary.images) {
    add(std::string(image.split) + " " + std::string(image.group));
  }
  // A file, as whoever lists the folders here expects studies.
  return out / (".audit-" + hash.hex().substr(0, 16) + ".json");
}

std::optional<Audit> read_kept(const fs::path& file) {
  if (!fs::exists(file)) return std::nullopt;
  try {
    return audit_from_json(read_file(file));
  } catch (const InputError&) {
    return std::nullopt;  // made again
  }
}

}  // namespace

std::optional<Audit> study_audit(const StudySummary& summary, const Dataset* images,
                                 const fs::path& out, int threads) {
  const fs::path file = kept_audit(summary, out, kAuditVersion);
  std::optional<Audit> audit = read_kept(file);
  // Without the images what an older version said is all that there is.
  for (int version = kAuditVersion - 1; !audit && images == nullptr && version > 0; --version) {
    audit = read_kept(kept_audit(summary, out, version));
  }
  if (audit || images == nullptr) return audit;

  AuditSplits splits;
  splits.groups.from = summary.groups_from;
  splits.groups.names.reserve(summary.images.size());
  for (const StudyImage image : summary.images) {
    splits.groups.names.emplace_back(image.group);
    splits.groups.known = splits.groups.known || !image.group.starts_with('#');
    splits.sides.push_back(image.split == "val"       ? AuditSide::val
                           : image.split == "test"    ? AuditSide::test
                           : image.split == "holdout" ? AuditSide::holdout
                                                      : AuditSide::train);
  }
  AuditOptions options;
  options.splits = &splits;
  options.detect = summary.detect;
  options.threads = threads;
  const std::size_t bytes = images->pixels_per_image();
  options.sample = std::max(kFewestMeasured, kMeasuredBytes / bytes);
  options.near = images->size() <= kStudyNearImages;
  options.no_near_because =
      fmt::format("not looked for among {} images, where it takes long; bioptic data audit does",
                  images->size());
  audit = audit_dataset(*images, {}, options);
  audit->near.clear();
  write_file(file, audit_json(*audit));
  return audit;
}

}  // namespace bioptic
