// Elementary functions with the same bits on every processor.  libm picks variants by processor, so
// none of its transcendental functions may reach a stored bit; these use only +, -, *, /, which
// IEEE 754 fixes, and exact operations (floor, frexp, ldexp).  Measured errors are in
// portable_math_test.cpp, in units in the last place of double (ulp).
#pragma once

namespace bioptic::portable {

double exp(double x);            // < 1 ulp over [-700, 700]; 0 below -745.2, infinity above 709.8
double expm1(double x);          // e^x - 1, < 4 ulp
double log(double x);            // < 1 ulp for normal x > 0; -infinity at 0, NaN below
double log1p(double x);          // log(1 + x), < 3 ulp, x > -1
double pow(double x, double y);  // x > 0: exp(y log x), relative error < (2 + |y log x|) 2^-52
double sin(double x);            // < 1.5 ulp away from multiples of pi, |x| < 1e5 (radians)
double cos(double x);
double tanh(double x);     // < 3 ulp
double erf(double x);      // < 12 ulp
double sigmoid(double x);  // 1 / (1 + e^-x), < 3 ulp

inline constexpr double kPi = 3.141592653589793238462643383279502884;

}  // namespace bioptic::portable
