#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "bioptic/base/error.h"
#include "bioptic/base/print.h"
#include "bioptic/base/progress.h"
#include "bioptic/cli/data_commands.h"
#include "bioptic/data/fetch.h"

namespace bioptic {
namespace {

using nlohmann::json;

struct Options {
  std::string name, target, mirror{kPublicPlace};
  int size = kPublicSizes[0];
  bool list = false, json = false, quiet = false;
};

bool is_multi_label(const PublicSet& set) { return set.task.starts_with("multi-label"); }

void print_list(bool as_json) {
  if (as_json) {
    json j = json::array();
    for (const PublicSet& set : public_sets()) {
      json md5;
      for (std::size_t s = 0; s < kPublicSizes.size(); ++s) {
        md5[std::to_string(kPublicSizes[s])] = set.md5[s];
      }
      j.push_back({{"name", set.name},
                   {"task", set.task},
                   {"labels", set.labels},
                   {"channels", set.channels},
                   {"images", set.images},
                   {"licence", set.licence},
                   {"md5", md5},
                   {"can_be_imported", !is_multi_label(set)}});
    }
    print_out("{}\n", j.dump(2));
    return;
  }
  print_out("{:15}  {:26}  {:>6}  {:5}  {:>7}  {}\n", "name", "task", "labels", "", "images",
            "licence");
  for (const PublicSet& set : public_sets()) {
    print_out("{:15}  {:26}  {:>6}  {:5}  {:>7}  {}{}\n", set.name, set.task, set.labels,
              set.channels == 1 ? "grey" : "RGB", set.images, set.licence,
              is_multi_label(set) ? " (several labels per image: cannot be imported)" : "");
  }
  print_out("\nEach at 28, 64, 128 and 224 pixels (--size), from {}.\n{}\n", kPublicPlace,
            kPublicCitation);
}

int fetch_command(const Options& options) {
  if (options.list) {
    print_list(options.json);
    return 0;
  }
  if (options.name.empty()) {
    throw InputError("expected the NAME of a data set, or --list");
  }
  const PublicSet& set = public_set(options.name);
  const std::string file = public_file(set, options.size);
  std::filesystem::path target =
      options.target.empty() ? std::filesystem::path(file) : std::filesystem::path(options.target);
  if (std::filesystem::is_directory(target)) target /= file;
  std::string url = options.mirror + "/" + file;
  if (options.mirror == kPublicPlace) url += "?download=1";
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    throw InputError("--mirror " + options.mirror + ": expected http://... or https://...");
  }
  bool fetched = false;
  {
    ProgressLine line("Fetching " + file, "bytes", options.quiet);
    fetched = fetch_file(
        {url, std::string(public_md5(set, options.size)), public_most_bytes(set, options.size)},
        target, [&](std::size_t done, std::size_t total) {
          line.update(static_cast<double>(done), static_cast<double>(total));
        });
  }
  if (options.json) {
    print_out("{}\n", json{{"file", target.string()},
                           {"fetched", fetched},
                           {"md5", public_md5(set, options.size)},
                           {"licence", set.licence},
                           {"citation", kPublicCitation}}
                          .dump(2));
    return 0;
  }
  print_out("{}: {}, MD5 {} as published\n", target.string(),
            fetched ? "fetched" : "is there already", public_md5(set, options.size));
  print_out("licence   {}\ncitation  {}\n", set.licence, kPublicCitation);
  if (is_multi_label(set)) {
    print_out("This set has several labels per image; bioptic cannot import it.\n");
  } else {
    print_out("next      bioptic data import {} {}\n", target.string(), target.stem().string());
  }
  return 0;
}

}  // namespace

void register_data_fetch(CLI::App& data, Command& run) {
  const auto options = std::make_shared<Options>();
  CLI::App* app = data.add_subcommand("fetch", "Fetch a public data set (MedMNIST)");
  app->add_option("NAME", options->name, "such as pneumoniamnist; --list shows all");
  app->add_option("DST", options->target, "file or folder; NAME.npz in this folder when left out");
  app->add_option("--size", options->size, "pixels of both sides")
      ->check(CLI::IsMember(std::vector<int>(kPublicSizes.begin(), kPublicSizes.end())))
      ->capture_default_str();
  app->add_flag("--list", options->list, "what there is");
  app->add_option("--mirror", options->mirror, "another place that has the same files")
      ->capture_default_str();
  app->add_flag("--json", options->json, "as JSON");
  app->add_flag("--quiet", options->quiet, "no progress");
  app->callback([options, &run] { run = [options] { return fetch_command(*options); }; });
}

}  // namespace bioptic
