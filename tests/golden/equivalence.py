"""Makes equivalence.json, the oracle values of the test of equivalence for other patients.

    python3 -m venv venv && venv/bin/pip install numpy scipy
    venv/bin/python tests/golden/equivalence.py

Two one-sided t tests, each together with the exact binomial test of discordant patients: a true
difference of the margin M or more needs at least a share M of patients on which the arms disagree,
so of K patients a Binomial(K, M) number would.  Nothing but SciPy; shares no code with C++.

One object per case in `cases`:

  m, se, df      difference a - b, its standard error, degrees of freedom of the t
  k              effective number of patients that the metric reads, any number above 0
  factor         1, or 2 for a mean of two shares over different patients (balanced accuracy): its
                 difference is half of what the smaller class shows, so the bound takes 2 M and 2 m
  margin, alpha  M; one-sided level of the limits
  t_plus         p of the t against "true difference >= M":  P(T <= (m - M) / se)
  t_minus        p of the t against "true difference <= -M": P(T >= (m + M) / se)
  bound_plus     P(X <= x) for X of Binomial(k, factor M) and x = k factor max(m, 0), continued
                 between counts: I_{1 - factor M}(k - x, x + 1); 1 where x reaches k, 0 where
                 factor M reaches 1
  bound_minus    likewise with x = k factor max(-m, 0)
  p              max(t_plus, bound_plus, t_minus, bound_minus)
  upper          max(m + t se, Beta^-1(1 - alpha; x + 1, k - x) / factor), t the quantile at
                 1 - alpha; Beta^-1 is 1 where x reaches k.  Not cut to the metric's range.
  lower          its mirror image
  smallest_margin  the least M that k patients can show at alpha: (1 - alpha^(1/k)) / factor

Where se is 0 the t gives 0 or 1 by the sign of its numerator (0 in the cases here, m is 0).
"""

import itertools
import json
import math
import pathlib
import platform

import numpy as np
import scipy
from scipy.special import betainc
from scipy.stats import beta, binom, t as student

HERE = pathlib.Path(__file__).resolve().parent


def bound(x, k, share):
    if x >= k:
        return 1.0
    return 0.0 if share >= 1 else float(betainc(k - x, x + 1, 1 - share))


def limit(x, k, alpha):
    return 1.0 if x >= k else float(beta.ppf(1 - alpha, x + 1, k - x))


def case(m, se, df, k, factor, margin, alpha):
    discordant = {+1: k * factor * max(m, 0), -1: k * factor * max(-m, 0)}
    if se > 0:
        t_plus = float(student.cdf((m - margin) / se, df))
        t_minus = float(student.sf((m + margin) / se, df))
    else:
        assert m == 0
        t_plus = t_minus = 0.0
    bound_plus = bound(discordant[+1], k, factor * margin)
    bound_minus = bound(discordant[-1], k, factor * margin)
    reach = float(student.ppf(1 - alpha, df)) * se
    upper = max(m + reach, limit(discordant[+1], k, alpha) / factor)
    lower = min(m - reach, -limit(discordant[-1], k, alpha) / factor)
    out = {"m": m, "se": se, "df": df, "k": k, "factor": factor, "margin": margin, "alpha": alpha,
           "t_plus": t_plus, "t_minus": t_minus, "bound_plus": bound_plus,
           "bound_minus": bound_minus, "p": max(t_plus, t_minus, bound_plus, bound_minus),
           "upper": upper, "lower": lower, "smallest_margin": (1 - alpha ** (1 / k)) / factor}
    check(out)
    return out


def check(c):
    """What follows from the definitions by another road."""
    assert all(math.isfinite(v) for v in c.values()), c
    # The limits and p are one test: equivalent at alpha exactly if both limits lie within the margin.
    inside = c["upper"] <= c["margin"] and -c["lower"] <= c["margin"]
    assert inside == (c["p"] <= c["alpha"]), c
    # Whole counts: the sum of binomial probabilities.
    for sign, key in ((1, "bound_plus"), (-1, "bound_minus")):
        x = c["k"] * c["factor"] * max(sign * c["m"], 0)
        if c["k"] == round(c["k"]) and abs(x - round(x)) < 1e-9 and c["factor"] * c["margin"] < 1:
            want = binom.cdf(round(x), c["k"], c["factor"] * c["margin"])
            assert abs(c[key] - want) < 1e-11 + 1e-7 * want, (c, want)
    # No discordant patient among k has probability alpha at the smallest margin.
    none = (1 - c["factor"] * c["smallest_margin"]) ** c["k"]
    assert abs(none - c["alpha"]) < 1e-12, c


def cases():
    third = 0.05 / 3
    grid = []
    # (k, margin): cannot show it, just can, easily can; each with no, some and more difference.
    for (k, margin), m in itertools.product(
            ((233.0, 0.01), (298.07, 0.01), (300.0, 0.01), (400.0, 0.02), (1000.0, 0.02),
             (53.4, 0.05)),
            (0.0, 0.004, -0.0075)):
        grid.append((m, 0.003, 61.3, k, 1, margin, 0.05))
    # Balanced accuracy: k is of the smaller class.
    for (k, margin), m in itertools.product(((100.0, 0.02), (87.25, 0.02), (500.0, 0.01)),
                                            (0.0, 0.003, -0.011)):
        grid.append((m, 0.0021, 17.9, k, 2, margin, 0.05))
    # Levels of Holm's steps; degrees of freedom from few seeds to many cases.
    for alpha, df in itertools.product((0.05, 0.025, third, 0.05 / 21),
                                       (4.0, 9.37, 1399.5)):
        grid.append((0.0025, 0.004, df, 412.6, 1, 0.02, alpha))
    # The t decides (large se), one side or the other.
    grid += [(0.0, 0.02, 4.0, 1000.0, 1, 0.02, 0.05), (0.019, 0.0004, 30.0, 1e5, 1, 0.02, 0.05),
             (-0.019, 0.0004, 30.0, 1e5, 1, 0.02, third), (0.03, 0.004, 9.0, 800.0, 1, 0.02, 0.05),
             (-0.03, 0.004, 9.0, 800.0, 2, 0.02, 0.025)]
    # No error varies: the t alone would say 0.
    grid += [(0.0, 0.0, 4.0, k, f, 0.02, a)
             for k, f, a in ((20.0, 1, 0.05), (148.0, 1, 0.05), (149.0, 1, 0.05), (74.1, 2, 0.05),
                             (233.3, 1, third), (10000.0, 1, 0.025))]
    # Nearly all patients discordant, all of them, and past all (twice the difference of balanced
    # accuracy may exceed 1).
    grid += [(0.97, 0.01, 20.0, 60.0, 1, 0.98, 0.05), (0.999, 0.0005, 20.0, 60.5, 1, 0.9999, 0.05),
             (-0.9999, 0.00001, 20.0, 25.25, 1, 0.02, 0.05), (1.0, 0.001, 5.0, 233.0, 1, 0.02, 0.05),
             (-1.0, 0.001, 5.0, 40.0, 1, 0.5, 0.025), (0.5, 0.01, 12.0, 40.0, 2, 0.1, 0.05),
             (-0.75, 0.01, 12.0, 40.0, 2, 0.1, 0.05)]
    # Margins that nothing can exceed.
    grid += [(0.2, 0.05, 11.0, 31.5, 1, 1.0, 0.05), (0.2, 0.05, 11.0, 31.5, 2, 0.5, 0.05),
             (-0.1, 0.05, 11.0, 31.5, 2, 0.75, 0.025)]
    # Few patients.
    grid += [(0.0, 0.001, 6.0, 1.0, 1, 0.96, 0.05), (0.1, 0.08, 6.0, 10.0, 1, 0.3, 0.05),
             (0.01, 0.01, 6.0, 0.7, 1, 0.5, 0.05)]
    return [case(*row) for row in grid]


made = {"made_by": "python tests/golden/equivalence.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__,
                     "scipy": scipy.__version__},
        "cases": cases()}
(HERE / "equivalence.json").write_text(json.dumps(made, separators=(",", ":")) + "\n")
print(f"{len(made['cases'])} cases, {sum(c['p'] <= c['alpha'] for c in made['cases'])} equivalent")
