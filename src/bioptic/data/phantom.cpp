#include "bioptic/data/phantom.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bioptic/base/parallel.h"
#include "bioptic/data/phantom_render.h"

namespace bioptic {
namespace {

const std::vector<std::string> kClasses = {"NORMAL", "PNEUMONIA"};

// One image to be made: which patient, and which of the patient's images.
struct Planned {
  std::uint64_t patient = 0;
  int view = 0;
  bool pneumonia = false;
};

// `images` of a split, half of each class; patients own 1 to 7, about 2 on average.
std::vector<Planned> plan_split(std::uint64_t seed, const std::string& split, std::size_t images) {
  std::vector<Planned> planned;
  std::uint64_t patient = 0;
  for (const bool pneumonia : {false, true}) {
    const std::size_t wanted = pneumonia ? images / 2 : images - images / 2;
    RandomStream stream(seed, "phantom patients/" + split + (pneumonia ? "/1" : "/0"));
    std::size_t made = 0;
    while (made < wanted) {
      // geometric with mean 2, at most 7
      int views = 1;
      while (views < 7 && stream.uniform() < 0.5) ++views;
      for (int v = 0; v < views && made < wanted; ++v, ++made) {
        planned.push_back({patient, v, pneumonia});
      }
      ++patient;
    }
  }
  return planned;
}

std::vector<std::uint8_t> render(const PhantomSpec& spec, const std::string& split,
                                 const Planned& image, const Scanner& scanner) {
  const std::string name = fmt::format("phantom/{}/{}", split, image.patient);
  RandomStream anatomy(spec.seed, name);
  const Patient patient = draw_patient(anatomy, image.pneumonia, scanner);
  RandomStream pose(spec.seed, fmt::format("{}/view {}", name, image.view));
  const View view = draw_view(pose, scanner);
  RandomStream noise(spec.seed, fmt::format("{}/noise {}", name, image.view));
  return render_phantom(patient, view, scanner, spec.size, noise);
}

}  // namespace

DatasetInfo make_phantom(const PhantomSpec& spec, const std::filesystem::path& folder, int threads,
                         const std::function<void(std::size_t, std::size_t)>& progress) {
  DatasetInfo info;
  info.height = info.width = spec.size;
  info.classes = kClasses;
  info.groups_from = "phantom patient";
  info.preprocessing = nlohmann::json{{"size", spec.size}, {"bits", 8}}.dump();
  info.provenance = nlohmann::json{{"kind", "phantom"},   {"phantom_version", kPhantomVersion},
                                   {"train", spec.train}, {"test", spec.test},
                                   {"shift", spec.shift}, {"seed", spec.seed}}
                        .dump();
  DatasetWriter writer(folder, info);
  ThreadPool pool(threads);
  const std::size_t block = 8 * static_cast<std::size_t>(threads);
  std::size_t done = 0;
  for (const std::string split : {"train", "test"}) {
    const std::vector<Planned> planned =
        plan_split(spec.seed, split, split == "train" ? spec.train : spec.test);
    const Scanner scanner = make_scanner(split == "test" ? spec.shift : 0);
    std::vector<std::vector<std::uint8_t>> ready(block);
    for (std::size_t begin = 0; begin < planned.size(); begin += block) {
      const std::size_t n = std::min(block, planned.size() - begin);
      pool.run(n,
               [&](std::size_t k) { ready[k] = render(spec, split, planned[begin + k], scanner); });
      for (std::size_t k = 0; k < n; ++k) {
        const Planned& image = planned[begin + k];
        const std::string& name = kClasses[image.pneumonia ? 1 : 0];
        // Patients of the two splits are different people.
        const std::string patient =
            fmt::format("{}{:05}", split == "train" ? "patient" : "patient-t", image.patient);
        const std::string source = fmt::format("{}/{}/{}-{}", split, name, patient, image.view);
        writer.add(std::span<const std::uint8_t>(ready[k]),
                   {{}, source, image.pneumonia ? 1 : 0, split, patient});
      }
      done += n;
      if (progress) progress(done, spec.train + spec.test);
    }
  }
  return writer.finish();
}

}  // namespace bioptic
