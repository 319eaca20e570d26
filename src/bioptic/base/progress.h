// Progress of long work on standard error: a line that redraws itself on a terminal (done, rate,
// time left), plain lines at most every 10 seconds when not on one.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace bioptic {

class ProgressLine {
 public:
  // unit: "images", "trials", ...  quiet: prints nothing.
  ProgressLine(std::string label, std::string unit, bool quiet = false);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // `extra` is shown behind the numbers.
  void update(double done, double total, const std::string& extra = {});
  // Prints a line of its own, above the progress line on a terminal.
  void note(const std::string& line);
  // Ends the line.  Called by the destructor too.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  void clear();
  std::string label_, unit_;
  bool quiet_, terminal_;
  bool drawn_ = false, finished_ = false;
  double first_done_ =
      -1;  // where this run began: what was done before does not count for the rate
  Clock::time_point start_, last_;
};

// "1 h 05 min", "3 min 20 s", "12 s".
std::string duration_text(double seconds);

}  // namespace bioptic
