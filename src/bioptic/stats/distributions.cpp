#include "bioptic/stats/distributions.h"

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/fisher_f.hpp>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <limits>

namespace bioptic {
namespace {

namespace bm = boost::math;
using Policy = bm::policies::policy<bm::policies::promote_double<false>>;

}  // namespace

double normal_cdf(double z) { return bm::cdf(bm::normal_distribution<double, Policy>(), z); }
double normal_quantile(double p) {
  return bm::quantile(bm::normal_distribution<double, Policy>(), p);
}
double t_cdf(double t, double df) {
  return bm::cdf(bm::students_t_distribution<double, Policy>(df), t);
}
double t_quantile(double p, double df) {
  return bm::quantile(bm::students_t_distribution<double, Policy>(df), p);
}

double t_power(double ncp, double df, double alpha) {
  if (std::isnan(ncp) || !(df > 0)) return std::numeric_limits<double>::quiet_NaN();
  // Far out the noncentral series does not converge; there the power is 1 to double precision.
  if (ncp > 30) return 1;
  const double critical = t_quantile(1 - alpha / 2, df);
  const bm::non_central_t_distribution<double, Policy> t(df, ncp);
  return bm::cdf(bm::complement(t, critical)) + bm::cdf(t, -critical);
}

double binomial_cdf(int k, int n, double p) {
  return k < 0 ? 0 : bm::cdf(bm::binomial_distribution<double, Policy>(n, p), k);
}
double binomial_pmf(int k, int n, double p) {
  return bm::pdf(bm::binomial_distribution<double, Policy>(n, p), k);
}
double beta_cdf(double x, double a, double b) { return bm::ibeta(a, b, x, Policy()); }
double beta_quantile(double p, double a, double b) { return bm::ibeta_inv(a, b, p, Policy()); }
double chi_squared_upper(double x, double df) {
  return bm::cdf(bm::complement(bm::chi_squared_distribution<double, Policy>(df), x));
}
double chi_squared_quantile(double p, double df) {
  return bm::quantile(bm::chi_squared_distribution<double, Policy>(df), p);
}
double f_quantile(double p, double df1, double df2) {
  return bm::quantile(bm::fisher_f_distribution<double, Policy>(df1, df2), p);
}

}  // namespace bioptic
