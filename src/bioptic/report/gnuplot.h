// Figures through gnuplot, run as a program on a script.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bioptic/base/error.h"

namespace bioptic {

// One figure: its size in print, and gnuplot commands that draw it.  `body` may not set a terminal
// or an output; sizes in it (fonts, widths) are in points.
struct Figure {
  std::string name;      // file name without ending
  double width_mm = 85;  // 85 = one column, 170 = two
  double height_mm = 60;
  std::string body;
  std::string caption;  // for the report
  // One of many alike (the curves of one arm): where they are many, a report names their files
  // instead of holding them.
  bool one_of_many = false;
};

// Draws every figure as NAME.svg, NAME.png (300 dpi) and NAME.pdf, and puts each in place in
// `folder` by a rename; an older drawing of one that fails is removed.  Files that the bodies read
// lie in `scratch`, the working folder.  Returns "" or, in words, the first failure (no gnuplot, or
// what it said).
std::string draw_figures(const std::vector<Figure>& figures, const std::filesystem::path& scratch,
                         const std::filesystem::path& folder);

// gnuplot is missing, or could not draw: the numbers need not go without the drawing.
class NoFigure : public Failure {
 public:
  using Failure::Failure;
};

// Draws one figure to STEM.svg, STEM.png and STEM.pdf, whatever its name.  Throws NoFigure when
// gnuplot cannot, another Failure where a drawing cannot be written.
void write_figure(Figure figure, const std::filesystem::path& stem);

// Text in double quotes for a script, with nothing in it that gnuplot interprets.
std::string gnuplot_quote(const std::string& text);
// The same as the label of a tic, which gnuplot takes for a number's format: its % are doubled.
std::string gnuplot_tic(const std::string& text);

// Okabe and Ito's colours, told apart by colour-blind readers; yellow is left out (too light on
// white).  Beyond seven they repeat with another dash.
std::string series_colour(std::size_t i);
int series_dash(std::size_t i);
int series_point(std::size_t i);

}  // namespace bioptic
