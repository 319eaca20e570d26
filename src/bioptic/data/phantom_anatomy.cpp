#include "bioptic/data/phantom_anatomy.h"

#include <algorithm>

namespace bioptic {
namespace {

// mean + sd z with z normal, cut at 2.5 sd: anatomy has no outliers.
double vary(RandomStream& s, double mean, double sd) {
  return mean + sd * std::clamp(s.normal(), -2.5, 2.5);
}

// A point in the lung of one side: sign -1 or 1; across and down in [-1, 1] of the lung field.
Opacity at_lung(const Patient& p, double sign, double across, double down, double rx, double ry,
                double contrast) {
  return {sign * (p.lung_x + across * p.lung_w), p.lung_y + down * p.lung_h, rx, ry, contrast};
}

void add_pneumonia(RandomStream& s, Patient& p, const Scanner& scanner) {
  // Severity: from subtle to plain, most in between; a milder mix moves it down.
  const double u = (s.uniform() + s.uniform()) / 2;
  const double severity = (0.55 + 0.9 * u) * (1 - 0.45 * scanner.mild);
  if (s.uniform() < 0.45) {  // lobar: one large opacity, sometimes a second
    const double sign = s.uniform() < 0.55 ? -1 : 1;
    const double down = s.uniform(-0.5, 0.55);
    p.opacities.push_back(at_lung(p, sign, s.uniform(-0.25, 0.25), down, s.uniform(0.26, 0.36),
                                  s.uniform(0.30, 0.46), 0.80 * severity));
    if (s.uniform() < 0.4) {
      p.opacities.push_back(at_lung(p, s.uniform() < 0.5 ? sign : -sign, s.uniform(-0.3, 0.3),
                                    s.uniform(-0.5, 0.55), s.uniform(0.12, 0.2),
                                    s.uniform(0.12, 0.22), 0.45 * severity));
    }
    return;
  }
  const auto patches = 6 + s.below(5);
  for (std::uint64_t k = 0; k < patches; ++k) {
    p.opacities.push_back(at_lung(p, s.uniform() < 0.5 ? -1 : 1, s.uniform(-0.6, 0.6),
                                  s.uniform(-0.65, 0.65), s.uniform(0.11, 0.20),
                                  s.uniform(0.11, 0.20), 0.72 * severity * s.uniform(0.6, 1.2)));
  }
}

}  // namespace

Scanner make_scanner(double shift) {
  Scanner s;
  s.photons *= 1 - 0.5 * std::min(shift, 1.5);
  s.scatter += 0.03 * shift;
  s.electronic += 0.003 * shift;
  s.gamma += 0.34 * shift;
  s.window_low += 0.14 * shift;
  s.window_high += 0.11 * shift;
  s.pose += 1.5 * shift;
  s.mild = std::min(0.95 * shift, 1.2);
  return s;
}

Patient draw_patient(RandomStream& s, bool pneumonia, const Scanner& scanner) {
  Patient p;
  p.pneumonia = pneumonia;
  p.width = vary(s, 1, 0.04);
  p.height = vary(s, 1, 0.035);
  p.lung_x = vary(s, 0.42, 0.015);
  p.lung_w = vary(s, 0.30, 0.018);
  p.lung_y = vary(s, -0.06, 0.02);
  p.lung_h = vary(s, 0.62, 0.02);
  p.diaphragm = vary(s, 0.46, 0.025);
  p.dome = vary(s, 0.14, 0.03);
  p.right_higher = vary(s, 0.04, 0.02);
  p.heart_x = vary(s, 0.12, 0.02);
  p.heart_y = vary(s, 0.27, 0.025);
  p.heart_w = vary(s, 0.30, 0.03);
  p.heart_h = vary(s, 0.25, 0.02);
  p.heart = vary(s, 0.45, 0.05);
  p.mediastinum = vary(s, 0.35, 0.04);
  p.spine = vary(s, 0.40, 0.05);
  p.rib_top = vary(s, -0.62, 0.04);
  p.rib_step = vary(s, 0.135, 0.006);
  p.rib_slope = vary(s, 0.22, 0.04);
  p.rib = vary(s, 0.17, 0.03);
  p.clavicle_y = vary(s, -0.60, 0.03);
  p.clavicle = vary(s, 0.20, 0.04);
  p.thickness = vary(s, 1.7, 0.16);
  p.haze = vary(s, 0, 0.012);
  p.markings = vary(s, 0.055, 0.012);
  p.texture = s.bits64();
  if (pneumonia) add_pneumonia(s, p, scanner);
  return p;
}

View draw_view(RandomStream& s, const Scanner& scanner) {
  View v;
  v.rotation = vary(s, 0, 0.018 * scanner.pose);
  v.shift_x = vary(s, 0, 0.018 * scanner.pose);
  v.shift_y = vary(s, 0, 0.018 * scanner.pose);
  v.zoom = vary(s, 1, 0.018 * scanner.pose);
  v.lordosis = vary(s, 0, 0.03 * scanner.pose);
  v.exposure = std::max(0.4, vary(s, 1, 0.2));
  v.window_low = vary(s, 0, 0.21);
  v.window_high = vary(s, 0, 0.30);
  for (double& edge : v.edge) edge = s.uniform() < 0.35 ? s.uniform(0.005, 0.05) : 0;
  v.breath = vary(s, 0, 0.02);
  return v;
}

}  // namespace bioptic
