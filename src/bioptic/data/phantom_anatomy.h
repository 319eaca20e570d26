// Who is imaged, how, and by which scanner: the random part of the phantom.
//
// Body coordinates: x from -1 (image left) to 1, y from -1 (top) to 1, the field of a patient of
// mean size.  Attenuation is in units of -log(transmission).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bioptic/base/random.h"

namespace bioptic {

// One patch of denser lung: a soft-edged ellipse.
struct Opacity {
  double x = 0, y = 0;    // centre
  double rx = 0, ry = 0;  // radii
  double contrast = 0;    // attenuation at the centre
};

// What all images of a patient share.
struct Patient {
  bool pneumonia = false;
  double width = 1, height = 1;  // of the thorax, relative
  double lung_x = 0.42, lung_w = 0.3, lung_y = -0.06, lung_h = 0.62;
  double diaphragm = 0.46, dome = 0.14, right_higher = 0.04;
  double heart_x = 0.12, heart_y = 0.27, heart_w = 0.3, heart_h = 0.25, heart = 0.45;
  double mediastinum = 0.35, spine = 0.4;
  double rib_top = -0.62, rib_step = 0.135, rib_slope = 0.22, rib = 0.17;
  double clavicle_y = -0.6, clavicle = 0.2;
  double thickness = 1.7;          // of the soft tissue at the middle
  double haze = 0;                 // normal variation of the lungs' density
  double markings = 0.05;          // vessels, strongest near the hilum
  std::uint64_t texture = 0;       // seed of the fine structure
  std::vector<Opacity> opacities;  // empty when healthy
};

// What changes from image to image of one patient.
struct View {
  double rotation = 0;  // radians
  double shift_x = 0, shift_y = 0, zoom = 1;
  double lordosis = 0;                     // tilt of the tube: shears the ribs
  double exposure = 1;                     // photons, relative
  double window_low = 0, window_high = 0;  // jitter of the display window, in attenuation
  double edge[4] = {0, 0, 0, 0};  // collimation: left, right, top, bottom, share of the field
  double breath = 0;              // moves the diaphragm
};

// A detector and how it is used.
struct Scanner {
  double photons = 2500;      // per pixel at full transmission
  double scatter = 0.05;      // share of the mean transmission that veils the image
  double electronic = 0.002;  // detector noise, in transmission
  double gamma = 1;           // of the display curve
  double window_low = 0.15, window_high = 2.75;  // attenuation shown as black and white
  double blur = 0.5;                             // share of a 3 x 3 mean mixed in
  double pose = 1;                               // how much poses vary, relative
  double mild = 0;                               // severity mix: 0 = as trained, 1 = the mildest
};

// shift: 0 = the training scanner, 1 = the other one; between and beyond linearly.
Scanner make_scanner(double shift);

// All draws from one stream per patient, so that patients do not depend on each other.
Patient draw_patient(RandomStream& stream, bool pneumonia, const Scanner& scanner);
View draw_view(RandomStream& stream, const Scanner& scanner);

}  // namespace bioptic
