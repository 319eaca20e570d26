#include "bioptic/report/gnuplot.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/parallel.h"
#include "bioptic/base/temporary_folder.h"
#include "bioptic/base/utf8.h"
#include "bioptic/report/text.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

// 7.5 pt, so that text is above 7 pt when a figure is printed as wide as it is meant.
constexpr double kFontPoints = 7.5;
constexpr double kPointsPerMm = 72 / 25.4;
constexpr double kPngDpi = 300;
constexpr double kMostPngPixels = 32000;  // of a side: cairo draws no more than 32,767
constexpr double kPngFontDpi = 96;        // pngcairo takes a point of text for 1/72 inch at 96 dpi

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
  const double scale = std::min(kPngDpi / 72, kMostPngPixels / std::max(w, h));
  return fmt::format(
      "set terminal pngcairo size {:.0f},{:.0f} {} fontscale {:.4f} linewidth {:.4f} "
      "pointscale {:.4f}",
      w * scale, h * scale, font, scale * 72 / kPngFontDpi, scale, scale);
}

// The child's side of run_gnuplot: only calls that are safe between fork and exec.
[[noreturn]] void become_gnuplot(const char* folder, const char* script, const char* messages,
                                 pid_t parent) {
  // Without this, gnuplot would go on writing into the folder after its parent was killed, while
  // the next run cleans it up.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent || ::chdir(folder) != 0) ::_exit(127);
  const int null = ::open("/dev/null", O_RDWR);
  const int out = ::open(messages, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (null < 0 || out < 0) ::_exit(127);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  ::execlp("gnuplot", "gnuplot", script, static_cast<char*>(nullptr));
  ::_exit(127);
}

// Runs gnuplot on a script in `scratch`; its complaints go to `messages`.  Returns its exit status,
// 127 when it cannot be started.
int run_gnuplot(const fs::path& scratch, const std::string& script, const std::string& messages) {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return 127;
  if (child == 0) become_gnuplot(scratch.c_str(), script.c_str(), messages.c_str(), parent);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

constexpr std::array<const char*, 3> kKinds = {"svg", "png", "pdf"};

std::string script_of(const Figure& figure) {
  std::string script;
  for (const char* kind : kKinds) {
    script += kCommon;
    script += terminal(kind, figure) + "\n";
    script += fmt::format("set output '{}.{}'\n{}\nunset multiplot\nset output\n", figure.name,
                          kind, figure.body);
  }
  return script;
}

// One line, not too long, cut between characters.
std::string one_line(const std::string& text) {
  std::string line = shortened(text, 400);
  for (char& c : line) {
    if (c == '\n') c = ' ';
  }
  return line;
}

// Whether a drawing is there to its end: on a full disk gnuplot leaves a part of it, and exits with
// 0.
bool is_whole(const fs::path& file, const std::string& kind) {
  const std::string bytes = read_file(file);
  const std::string_view end = kind == "svg"   ? "</svg>"
                               : kind == "pdf" ? "%%EOF"
                                               : std::string_view("IEND\xae\x42\x60\x82", 8);
  const std::size_t text = bytes.find_last_not_of("\r\n");
  return text != std::string::npos && std::string_view(bytes).substr(0, text + 1).ends_with(end);
}

// cairo writes the time into a PDF; the same results are to have the same bytes.
void forget_date(const fs::path& pdf) {
  constexpr std::string_view kKey = "/CreationDate (D:", kDate = "20000101000000";
  std::string bytes = read_file(pdf);
  const std::size_t at = bytes.rfind(kKey);  // in a dictionary near the end
  if (at == std::string::npos || at + kKey.size() + kDate.size() > bytes.size()) return;
  bytes.replace(at + kKey.size(), kDate.size(), kDate);  // as long: every offset stays
  std::fstream file(pdf, std::ios::in | std::ios::out | std::ios::binary);
  file << bytes;
  if (!file.flush()) throw Failure(pdf.string() + ": cannot be written: " + std::strerror(errno));
}

// Returns "" or, in words, what went wrong.  Throws Failure where a drawing cannot be written.
std::string draw(const Figure& figure, const fs::path& scratch, const fs::path& folder) {
  const std::string script = figure.name + ".gp", messages = figure.name + ".txt";
  write_file(scratch / script, script_of(figure));
  const int status = run_gnuplot(scratch, script, messages);
  for (const char* kind : kKinds) {
    const std::string file = figure.name + "." + kind;
    if (status == 0 && fs::exists(scratch / file)) {
      if (!is_whole(scratch / file, kind)) {
        throw Failure(fmt::format("{}: could not be written whole; the disk is full",
                                  (folder / file).string()));
      }
      if (std::string_view(kind) == "pdf") forget_date(scratch / file);
      commit_rename(scratch / file, folder / file);
    } else {
      fs::remove(folder / file);  // an older drawing would pass for this one
    }
  }
  if (status == 0) return "";
  if (status == 127) {
    return "gnuplot could not be started, so there are no figures; install it (Debian: "
           "gnuplot-nox) and run bioptic report";
  }
  return fmt::format("gnuplot could not draw {}: {}", figure.name,
                     one_line(read_file(scratch / messages)));
}

}  // namespace

std::string draw_figures(const std::vector<Figure>& figures, const fs::path& scratch,
                         const fs::path& folder) {
  fs::create_directories(folder);
  std::vector<std::string> complaints(figures.size());
  // A process a figure, so that one that cannot be drawn takes no other with it.
  ThreadPool pool(available_processors());
  pool.run(figures.size(),
           [&](std::size_t i) { complaints[i] = draw(figures[i], scratch, folder); });
  for (const std::string& complaint : complaints) {
    if (!complaint.empty()) return complaint;
  }
  return "";
}

void write_figure(Figure figure, const fs::path& stem) {
  figure.name = stem.filename().string();
  const fs::path folder = stem.has_parent_path() ? stem.parent_path() : fs::path(".");
  fs::create_directories(folder);
  const TemporaryFolder scratch(folder / "figure");
  const std::string complaint = draw_figures({figure}, scratch.path(), folder);
  if (!complaint.empty()) throw NoFigure(complaint);
}

std::string gnuplot_quote(const std::string& text) {
  std::string out = "\"";
  for (const char c : as_utf8(text)) {
    if (c == '"' || c == '\\') out += '\\';
    const auto code = static_cast<unsigned char>(c);
    if (c == '\n' || c == '`') {
      out += c == '\n' ? "\\n" : "'";
    } else if ((code < 0x20 && c != '\t') || code == 0x7F) {
      out += fmt::format("\\\\x{:02X}", code);  // no drawing as XML may hold it
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string gnuplot_tic(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '%' ? "%%" : std::string(1, c);
  return gnuplot_quote(out);
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
