#include "bioptic/data/phantom_render.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "bioptic/base/portable_math.h"

namespace bioptic {
namespace {

double square(double x) { return x * x; }

// 0 below 0, 1 above 1, smooth between.
double smooth_step(double x) {
  x = std::clamp(x, 0.0, 1.0);
  return x * x * (3 - 2 * x);
}

// A soft bump of height 1 and half-width 1.
double bump(double distance) {
  const double rest = 1 - distance * distance;
  return rest > 0 ? rest * rest : 0;
}

// A smooth random field with values around 0 and features of the size of one cell: values at
// lattice points from a hash, interpolated.
class Texture {
 public:
  explicit Texture(std::uint64_t seed) {
    RandomStream stream(seed, "phantom texture");
    for (double& value : lattice_) value = stream.uniform(-1, 1);
  }
  double at(double x, double y) const {
    const double fx = std::floor(x), fy = std::floor(y);
    const double ax = smooth_step(x - fx), ay = smooth_step(y - fy);
    const auto value = [&](double dx, double dy) {
      const auto ix = static_cast<std::int64_t>(fx + dx) & (kSide - 1);
      const auto iy = static_cast<std::int64_t>(fy + dy) & (kSide - 1);
      return lattice_[static_cast<std::size_t>(iy * kSide + ix)];
    };
    return (1 - ay) * ((1 - ax) * value(0, 0) + ax * value(1, 0)) +
           ay * ((1 - ax) * value(0, 1) + ax * value(1, 1));
  }

 private:
  static constexpr std::int64_t kSide = 32;
  std::array<double, kSide * kSide> lattice_{};
};

// Attenuation along the ray through body point (x, y).
class Body {
 public:
  Body(const Patient& patient, const View& view)
      : p_(patient), v_(view), texture_(patient.texture) {}

  double attenuation(double x, double y) const {
    // Soft tissue: the chord of the chest's elliptic cross-section; shoulders widen the top.
    const double half_width = 0.90 + 0.25 * smooth_step((-0.45 - y) / 0.4);
    const double chord = 1 - square(x / half_width);
    if (chord <= 0) return 0;
    double a = p_.thickness * std::sqrt(chord);

    const double lung = lung_share(x, y);
    a -= 1.05 * lung;  // air instead of tissue
    if (lung > 0) a += lung * lung_density(x, y);

    a += p_.heart * std::sqrt(std::max(0.0, 1 - square((x - p_.heart_x) / p_.heart_w) -
                                                square((y - p_.heart_y) / p_.heart_h)));
    a += p_.mediastinum * bump(x / 0.24) * smooth_step((y + 0.95) / 0.3);
    // Vertebrae: a band with gaps at the discs.
    const double disc = std::fabs(y / 0.11 - std::floor(y / 0.11) - 0.5);
    a += p_.spine * bump(x / 0.12) * (0.75 + 0.5 * disc);
    // Below the diaphragm: liver and stomach.
    a += 0.35 * smooth_step((y - diaphragm(x)) / 0.06) * smooth_step((0.95 - std::fabs(x)) / 0.3);
    return std::max(a + bones(x, y, lung), 0.02);
  }

 private:
  double diaphragm(double x) const {
    const double side = x < 0 ? p_.right_higher : 0;  // the patient's right is the image's left
    return p_.diaphragm + v_.breath - side -
           p_.dome * (1 - square((std::fabs(x) - p_.lung_x) / p_.lung_w));
  }

  // 0 outside the lungs, up to 1 where they are thickest.
  double lung_share(double x, double y) const {
    const double inside =
        1 - square((std::fabs(x) - p_.lung_x) / p_.lung_w) - square((y - p_.lung_y) / p_.lung_h);
    if (inside <= 0) return 0;
    return std::sqrt(inside) * smooth_step((diaphragm(x) - y) / 0.05 + 0.5);
  }

  // What fills the lungs: normal variation, vessels, and the opacities of pneumonia.
  double lung_density(double x, double y) const {
    const double fine = texture_.at(14 * x, 14 * y), finer = texture_.at(31 * x + 7, 31 * y + 3);
    const double hilum = bump((std::fabs(x) - 0.2) / 0.45) * bump((y - 0.02) / 0.7);
    double density = p_.haze + p_.markings * (0.3 + hilum) * (fine + 0.7 * finer);
    for (const Opacity& o : p_.opacities) {
      const double d2 = square((x - o.x) / o.rx) + square((y - o.y) / o.ry);
      if (d2 < 1) density += o.contrast * (1 - d2) * (1 + 0.45 * fine + 0.25 * finer);
    }
    return density;
  }

  double bones(double x, double y, double lung) const {
    const double side = std::fabs(x);
    double a = 0;
    if (side < 0.86 && y > -0.8 && y < 0.62) {
      // Posterior ribs fall outwards, anterior ones (fainter) inwards; the nearest of a family of
      // equally spaced arcs is found by rounding.
      const double tilt = p_.rib_slope + v_.lordosis;
      const double back = (y - p_.rib_top - tilt * square(side) * 1.3) / p_.rib_step;
      const double front = (y - p_.rib_top - 0.05 + 0.45 * tilt * side) / p_.rib_step;
      const double weight = 0.35 + 0.65 * (lung > 0 ? 1 : 0);
      a += p_.rib * weight * bump((back - std::floor(back + 0.5)) / 0.30);
      a += 0.5 * p_.rib * weight * smooth_step((side - 0.2) / 0.2) *
           bump((front - std::floor(front + 0.5)) / 0.30);
    }
    const double clavicle = y - p_.clavicle_y - 0.22 * (0.45 - side) + 0.15 * v_.lordosis;
    a += p_.clavicle * bump(clavicle / 0.035) * smooth_step((side - 0.06) / 0.06) *
         smooth_step((0.78 - side) / 0.1);
    return a;
  }

  const Patient& p_;
  const View& v_;
  Texture texture_;
};

// Sum of eight uniform bytes, centred and scaled to variance 1: near enough to normal for noise,
// and one draw of 64 bits.
double noise_value(RandomStream& stream) {
  std::uint64_t bits = stream.bits64();
  int sum = 0;
  for (int b = 0; b < 8; ++b) {
    sum += static_cast<int>(bits & 255);
    bits >>= 8;
  }
  // a uniform byte has variance (256^2 - 1) / 12; eight of them 43690
  return (sum - 1020) * (1 / 209.02153);
}

// 3 x 3 mean mixed in by `share`: the detector's blur.
void blur(std::vector<double>& image, std::size_t size, double share) {
  const std::vector<double> before = image;
  for (std::size_t y = 1; y + 1 < size; ++y) {
    for (std::size_t x = 1; x + 1 < size; ++x) {
      const double* at = &before[y * size + x];
      const double* up = at - size;
      const double* down = at + size;
      const double mean =
          (up[-1] + up[0] + up[1] + at[-1] + at[0] + at[1] + down[-1] + down[0] + down[1]) / 9;
      image[y * size + x] = (1 - share) * at[0] + share * mean;
    }
  }
}

}  // namespace

std::vector<std::uint8_t> render_phantom(const Patient& patient, const View& view,
                                         const Scanner& scanner, int size, RandomStream& noise) {
  const auto n = static_cast<std::size_t>(size);
  const Body body(patient, view);
  const double cosine = portable::cos(view.rotation), sine = portable::sin(view.rotation);
  std::vector<double> transmission(n * n);
  double sum = 0;
  for (std::size_t row = 0; row < n; ++row) {
    for (std::size_t column = 0; column < n; ++column) {
      const double fx = (2.0 * static_cast<double>(column) + 1) / size - 1 - view.shift_x;
      const double fy = (2.0 * static_cast<double>(row) + 1) / size - 1 - view.shift_y;
      const double x = (cosine * fx + sine * fy) / (view.zoom * patient.width);
      const double y = (cosine * fy - sine * fx) / (view.zoom * patient.height);
      const double t = portable::exp(-body.attenuation(x, y));
      transmission[row * n + column] = t;
      sum += t;
    }
  }
  const double veil = scanner.scatter * sum / static_cast<double>(n * n);
  for (double& t : transmission) t += veil;
  blur(transmission, n, scanner.blur);

  // Photons per pixel fall with the pixel's area, so that a smaller image is not a noisier one.
  const double photons = scanner.photons * view.exposure * square(256.0 / size);
  const double low = scanner.window_low + view.window_low;
  const double high = scanner.window_high + view.window_high;
  // The display curve as a table: grey value by attenuation within the window.
  constexpr std::size_t kCurve = 1024;
  std::array<double, kCurve + 1> curve{};
  for (std::size_t i = 0; i <= kCurve; ++i) {
    curve[i] = 255 * portable::pow(static_cast<double>(i) / kCurve, scanner.gamma);
  }
  std::vector<std::uint8_t> pixels(n * n);
  for (std::size_t row = 0; row < n; ++row) {
    for (std::size_t column = 0; column < n; ++column) {
      double t = transmission[row * n + column];
      const double quantum = std::sqrt(t / photons);
      t += std::sqrt(square(quantum) + square(scanner.electronic)) * noise_value(noise);
      const double a = -portable::log(std::max(t, 1e-3));
      const double share = std::clamp((a - low) / (high - low), 0.0, 1.0);
      double value = curve[static_cast<std::size_t>(share * kCurve)];
      const double u = (static_cast<double>(column) + 0.5) / size;
      const double w = (static_cast<double>(row) + 0.5) / size;
      const bool collimated =
          u < view.edge[0] || u > 1 - view.edge[1] || w < view.edge[2] || w > 1 - view.edge[3];
      if (collimated) value = 8 + 0.02 * value;
      pixels[row * n + column] = static_cast<std::uint8_t>(value + 0.5);
    }
  }
  return pixels;
}

}  // namespace bioptic
