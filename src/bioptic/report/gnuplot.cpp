#include "bioptic/report/gnuplot.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "bioptic/base/files.h"

extern char** environ;

namespace bioptic {
namespace fs = std::filesystem;
namespace {

// 7.5 pt, so that text is above 7 pt when a figure is printed as wide as it is meant.
constexpr double kFontPoints = 7.5;
constexpr double kPointsPerMm = 72 / 25.4;
constexpr double kPngDpi = 300;
constexpr double kPngFontDpi = 96;  // pngcairo takes a point of text for 1/72 inch at 96 dpi

constexpr const char* kCommon = R"(reset session
set encoding utf8
set border 3 lw 0.6 lc rgb '#404040'
set tics nomirror out scale 0.5
set grid back lt 1 lw 0.3 lc rgb '#dddddd'
set key samplen 2 spacing 1.1
set bars small
)";

std::string terminal(const std::string& kind, const Figure& f) {
  const double w = f.width_mm * kPointsPerMm, h = f.height_mm * kPointsPerMm;
  const std::string font = fmt::format("font 'DejaVu Sans,{}' noenhanced", kFontPoints);
  if (kind == "svg") {  // one unit = one point
    return fmt::format("set terminal svg size {:.1f},{:.1f} {} linewidth 1 background '#ffffff'", w,
                       h, font);
  }
  if (kind == "pdf") {
    return fmt::format("set terminal pdfcairo size {:.3f}cm,{:.3f}cm {} fontscale 1 linewidth 1",
                       f.width_mm / 10, f.height_mm / 10, font);
  }
  const double scale = kPngDpi / 72;
  return fmt::format(
      "set terminal pngcairo size {:.0f},{:.0f} {} fontscale {:.4f} linewidth {:.4f} "
      "pointscale {:.4f}",
      w * scale, h * scale, font, kPngDpi / kPngFontDpi, scale, scale);
}

// Runs gnuplot on script.gp in `scratch`; its complaints go to messages.txt.  Returns its exit
// status, or -1 when it cannot be started.
int run_gnuplot(const fs::path& scratch) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, scratch.c_str());
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "messages.txt",
                                   O_WRONLY | O_CREAT | O_TRUNC, 0644);
  std::array<char, 8> program{"gnuplot"};
  std::array<char, 10> script{"script.gp"};
  const std::array<char*, 3> arguments = {program.data(), script.data(), nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, "gnuplot", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return -1;
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

std::string draw_figures(const std::vector<Figure>& figures, const fs::path& scratch,
                         const fs::path& folder) {
  std::string script;
  for (const Figure& figure : figures) {
    for (const char* kind : {"svg", "png", "pdf"}) {
      script += kCommon;
      script += terminal(kind, figure) + "\n";
      script += fmt::format("set output '{}.{}'\n{}\nunset multiplot\nset output\n", figure.name,
                            kind, figure.body);
    }
  }
  write_file(scratch / "script.gp", script);
  const int status = run_gnuplot(scratch);
  if (status < 0) {
    return "gnuplot could not be started, so there are no figures; install it (Debian: "
           "gnuplot-nox) "
           "and run bioptic report";
  }
  std::string complaint;
  if (status != 0) {
    complaint = "gnuplot failed: " + read_file(scratch / "messages.txt");
    complaint = complaint.substr(0, 600);
    for (char& c : complaint) {
      if (c == '\n') c = ' ';
    }
  }
  fs::create_directories(folder);
  for (const Figure& figure : figures) {
    for (const char* kind : {"svg", "png", "pdf"}) {
      const std::string file = figure.name + "." + kind;
      if (fs::exists(scratch / file)) commit_rename(scratch / file, folder / file);
    }
  }
  return complaint;
}

std::string gnuplot_quote(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n' || c == '`') {
      out += c == '\n' ? "\\n" : "'";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string series_colour(std::size_t i) {
  static constexpr std::array<const char*, 7> kColours = {
      "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"};
  return kColours[i % kColours.size()];
}
int series_dash(std::size_t i) { return 1 + static_cast<int>(i % 5); }
int series_point(std::size_t i) {
  static constexpr std::array<int, 7> kPoints = {7, 5, 9, 11, 13, 6, 4};
  return kPoints[i % kPoints.size()];
}

}  // namespace bioptic
