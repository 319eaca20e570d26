#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "bioptic/base/counted.h"
#include "bioptic/base/json_text.h"
#include "bioptic/base/print.h"
#include "bioptic/cli/data_commands.h"
#include "bioptic/data/dataset.h"
#include "bioptic/data/plain_facts.h"

namespace bioptic {
namespace {

using nlohmann::json;

struct SplitFacts {
  std::vector<std::size_t> images;  // by class
  std::set<std::string> groups;
  double sum = 0, pixels = 0;
  unsigned low = std::numeric_limits<unsigned>::max(), high = 0;

  template <typename T>
  void add(std::span<const T> image) {
    std::uint64_t total = 0;  // of whole numbers: exact, and as a double, too
    T least = std::numeric_limits<T>::max(), most = 0;
    constexpr std::size_t kPiece = 4096;  // whose sum fits in 32 bits, so that vectors hold more
    for (std::size_t begin = 0; begin < image.size(); begin += kPiece) {
      std::uint32_t sum_of_piece = 0;
      for (const T v : image.subspan(begin, std::min(kPiece, image.size() - begin))) {
        sum_of_piece += v;
        least = std::min(least, v);
        most = std::max(most, v);
      }
      total += sum_of_piece;
    }
    low = std::min<unsigned>(low, least);
    high = std::max<unsigned>(high, most);
    sum += static_cast<double>(total);
    pixels += static_cast<double>(image.size());
  }
};

// The smallest and the largest weight of the images; null where the source gives none.
json weights_of(const Dataset& dataset) {
  if (!dataset.info().weighted || dataset.size() == 0) return {};
  double low = dataset.record(0).weight, high = low;
  for (std::size_t row = 1; row < dataset.size(); ++row) {
    low = std::min(low, dataset.record(row).weight);
    high = std::max(high, dataset.record(row).weight);
  }
  return {low, high};
}

std::map<std::string, SplitFacts> facts_of(const Dataset& dataset) {
  std::map<std::string, SplitFacts> splits;
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    const ImageRecord record = dataset.record(row);
    SplitFacts& facts = splits[record.split.empty() ? "(none)" : std::string(record.split)];
    facts.images.resize(dataset.info().classes.size());
    ++facts.images[static_cast<std::size_t>(record.label)];
    if (!record.group.empty()) facts.groups.emplace(record.group);
    if (dataset.info().dtype == PixelType::uint8) {
      facts.add(dataset.image8(row));
    } else {
      facts.add(dataset.image16(row));
    }
  }
  return splits;
}

void print_json(const Dataset& dataset) {
  const DatasetInfo& info = dataset.info();
  json j = {{"path", dataset.folder().string()},
            {"images", info.images},
            {"channels", info.channels},
            {"height", info.height},
            {"width", info.width},
            {"dtype", info.dtype == PixelType::uint8 ? "uint8" : "uint16"},
            {"classes", info.classes},
            {"groups_from", info.groups_from},
            {"weights", weights_of(dataset)},
            {"content_sha256", info.content_hash},
            {"preprocessing", json::parse(info.preprocessing)},
            {"provenance", json::parse(info.provenance)}};
  for (const auto& [name, facts] : facts_of(dataset)) {
    json& split = j["splits"][name];
    for (std::size_t c = 0; c < info.classes.size(); ++c) {
      split["images"][info.classes[c]] = facts.images[c];
    }
    split["groups"] = facts.groups.size();
    split["mean"] = facts.sum / facts.pixels;
    split["range"] = {facts.low, facts.high};
  }
  print_out("{}\n", json_text(j, 2));
}

void print_facts(const char* heading, const std::string& facts) {
  for (const std::string& line : plain_facts(facts)) {
    print_out("{:13}  {}\n", heading, line);
    heading = "";
  }
}

void print_text(const Dataset& dataset) {
  const DatasetInfo& info = dataset.info();
  print_out("{}: {}, {} x {} pixels, {}, {}\n", dataset.folder().string(),
            counted(static_cast<std::size_t>(info.images), "image"), info.width, info.height,
            info.channels == 1 ? "grey" : "RGB",
            info.dtype == PixelType::uint8 ? "8 bit" : "16 bit");
  std::size_t width = 7;
  for (const std::string& name : info.classes) width = std::max(width, name.size());
  print_out("\n{:8}", "split");
  for (const std::string& name : info.classes) print_out("  {:>{}}", name, width);
  print_out("  {:>7}  {:>8}  {:>12}\n", "groups", "mean", "range");
  for (const auto& [name, facts] : facts_of(dataset)) {
    print_out("{:8}", name);
    for (const std::size_t n : facts.images) print_out("  {:>{}}", n, width);
    print_out("  {:>7}  {:>8.1f}  {:>12}\n",
              facts.groups.empty() ? "-" : std::to_string(facts.groups.size()),
              facts.sum / facts.pixels, fmt::format("{}..{}", facts.low, facts.high));
  }
  print_out("\ngroups         {}\n",
            info.groups_from.empty() ? "not named by the source" : info.groups_from);
  if (const json weights = weights_of(dataset); !weights.is_null()) {
    print_out("weights        {:g} to {:g}\n", weights[0].get<double>(), weights[1].get<double>());
  }
  print_facts("preprocessing", info.preprocessing);
  print_facts("provenance", info.provenance);
  print_out("SHA-256        {}\n", info.content_hash);
}

}  // namespace

void print_dataset_info(const std::filesystem::path& folder, bool as_json, bool verify) {
  const Dataset dataset = Dataset::open(folder, verify);
  if (as_json) {
    print_json(dataset);
  } else {
    print_text(dataset);
  }
}

void register_data_info(CLI::App& data, Command& run) {
  struct Options {
    std::string path;
    bool json = false, verify = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* app =
      data.add_subcommand("info", "Classes, splits, groups and grey values of a dataset");
  app->add_option("DATASET", options->path, "a dataset's folder")->required();
  app->add_flag("--json", options->json, "as JSON");
  app->add_flag("--verify", options->verify, "also hold the content against the recorded SHA-256");
  app->callback([options, &run] {
    run = [options] {
      print_dataset_info(options->path, options->json, options->verify);
      return 0;
    };
  });
}

}  // namespace bioptic
