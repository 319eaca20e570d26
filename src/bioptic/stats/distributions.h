// The distributions that the tests need, from Boost.Math in plain double.
#pragma once

namespace bioptic {

double normal_cdf(double z);
double normal_quantile(double p);
// Student's t with df > 0 degrees of freedom (not necessarily whole).
double t_cdf(double t, double df);
double t_quantile(double p, double df);
// Power of the two-sided t test at level alpha when the true effect is ncp standard errors; NaN
// where ncp is NaN or df is not above 0.
double t_power(double ncp, double df, double alpha = 0.05);
// P(X <= k) for a binomial count; and of exactly k.
double binomial_cdf(int k, int n, double p);
double binomial_pmf(int k, int n, double p);
// Regularised incomplete beta function I_x(a, b) and its inverse in x; a, b > 0.
double beta_cdf(double x, double a, double b);
double beta_quantile(double p, double a, double b);
double chi_squared_upper(double x, double df);
// df > 0, not necessarily whole.
double chi_squared_quantile(double p, double df);
// Fisher's F with df1 and df2 degrees of freedom.
double f_quantile(double p, double df1, double df2);

}  // namespace bioptic
