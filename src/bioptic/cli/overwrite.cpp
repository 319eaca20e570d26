#include "bioptic/cli/overwrite.h"

#include <fmt/format.h>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/report/html.h"

namespace bioptic {
namespace fs = std::filesystem;

void refuse_to_overwrite(std::initializer_list<fs::path> files, bool force) {
  for (const fs::path& file : files) {
    if (force || !fs::exists(fs::symlink_status(file))) continue;
    throw InputError(fmt::format(
        "{} exists already; choose another name, or overwrite it with --force", file.string()));
  }
}

void refuse_to_overwrite_figure(const fs::path& stem, bool force) {
  const auto with = [&](const char* ending) { return fs::path(stem.string() + ending); };
  refuse_to_overwrite({with(".svg"), with(".png"), with(".pdf")}, force);
}

void refuse_to_overwrite_report(const fs::path& folder, bool force) {
  const fs::path html = folder / "report.html";
  if (force || !fs::exists(html)) return;
  if (fs::is_regular_file(html) && is_report_html(read_file(html))) return;
  throw InputError(html.string() +
                   " exists already, and is no report of bioptic; choose another folder with "
                   "--out, or write over it with --force");
}

}  // namespace bioptic
