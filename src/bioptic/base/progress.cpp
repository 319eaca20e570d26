#include "bioptic/base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <utility>

#include "bioptic/base/print.h"

namespace bioptic {

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  const auto s = static_cast<long long>(std::ceil(seconds));
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
  return fmt::format("{} h {:02} min", s / 3600, s % 3600 / 60);
}

ProgressLine::ProgressLine(std::string label, std::string unit, bool quiet)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      quiet_(quiet),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_(start_) {}

ProgressLine::~ProgressLine() { finish(); }

void ProgressLine::clear() {
  if (terminal_ && drawn_) std::fputs("\r\033[K", stderr);
}

void ProgressLine::update(double done, double total, const std::string& extra) {
  if (quiet_ || finished_) return;
  const auto now = Clock::now();
  if (first_done_ < 0) first_done_ = done;
  const double since_last = std::chrono::duration<double>(now - last_).count();
  if (since_last < (terminal_ ? 0.1 : 10.0) && !(terminal_ && done >= total)) return;
  last_ = now;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double rate = elapsed > 0 ? (done - first_done_) / elapsed : 0;
  std::string line = fmt::format("{}: {:.0f} of {:.0f} {}", label_, std::floor(done), total, unit_);
  if (rate > 0) {
    line += rate >= 10  ? fmt::format(", {:.0f} a second", rate)
            : rate >= 1 ? fmt::format(", {:.1f} a second", rate)
                        : fmt::format(", {:.1f} a minute", rate * 60);
    if (done < total) line += ", " + duration_text((total - done) / rate) + " left";
  }
  if (!extra.empty()) line += " | " + extra;
  clear();
  write_text(stderr, line);
  if (!terminal_) std::fputc('\n', stderr);
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressLine::note(const std::string& line) {
  if (quiet_) return;
  clear();
  write_text(stderr, line + "\n");
  drawn_ = false;
}

void ProgressLine::finish() {
  if (finished_) return;
  finished_ = true;
  if (terminal_ && drawn_) std::fputc('\n', stderr);
}

}  // namespace bioptic
