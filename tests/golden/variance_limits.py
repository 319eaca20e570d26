"""Makes variance_limits.json: confidence limits of sums and differences of mean squares.

    python -m venv /tmp/venv && /tmp/venv/bin/pip install numpy scipy
    /tmp/venv/bin/python tests/golden/variance_limits.py

The limits of Graybill and Wang (1980) for sums and of Ting et al. (1990) for differences, as printed
by Burdick and Graybill (1992), written here for two kinds of terms apart, with SciPy's quantiles.
Before anything is written, the limits are shown to hold what they say: over 200,000 draws of each
case's mean squares, taken for the true expectations, the share of limits on the right side of the
truth is the confidence, or at most 0.02 less and 0.05 more (these limits are approximate: with three
terms of both signs they lie a little too far out).
"""

import json
import pathlib

import numpy as np
import scipy
import scipy.stats as st

rng = np.random.default_rng(13)


def limits(coefficients, squares, df, confidence):
    """coefficients, df: k; squares: k x draws."""
    alpha = 1 - confidence
    plus = [i for i, c in enumerate(coefficients) if c > 0]
    minus = [i for i, c in enumerate(coefficients) if c < 0]
    # F with infinite second degrees of freedom is chi-squared / df; upper points.
    upper = [st.chi2.isf(alpha, n) / n for n in df]
    lower = [st.chi2.isf(1 - alpha, n) / n for n in df]
    g = [1 - 1 / u for u in upper]
    h = [1 / low - 1 for low in lower]
    size = [abs(c) * s for c, s in zip(coefficients, squares)]
    estimate = sum(size[i] for i in plus) - sum((size[i] for i in minus), np.zeros_like(size[0]))
    v_low = sum(g[i] ** 2 * size[i] ** 2 for i in plus)
    v_high = sum(h[i] ** 2 * size[i] ** 2 for i in plus)
    for r in minus:
        v_low = v_low + h[r] ** 2 * size[r] ** 2
        v_high = v_high + g[r] ** 2 * size[r] ** 2
        for q in plus:
            f = st.f.isf(alpha, df[q], df[r])
            g_qr = ((f - 1) ** 2 - g[q] ** 2 * f**2 - h[r] ** 2) / f
            f = st.f.isf(1 - alpha, df[q], df[r])
            h_qr = ((1 - f) ** 2 - h[q] ** 2 * f**2 - g[r] ** 2) / f
            v_low = v_low + g_qr * size[q] * size[r]
            v_high = v_high + h_qr * size[q] * size[r]
    return estimate - np.sqrt(v_low), estimate + np.sqrt(v_high)


def case(coefficients, squares, df, confidence=0.8):
    column = np.array(squares, float)[:, None]
    low, high = limits(coefficients, column, df, confidence)
    drawn = [m * rng.chisquare(n, 200_000) / n for m, n in zip(squares, df)]
    low_drawn, high_drawn = limits(coefficients, drawn, df, confidence)
    truth = np.dot(coefficients, squares)
    below, above = np.mean(low_drawn <= truth), np.mean(high_drawn >= truth)
    print(f"{below:.3f} {above:.3f}  {coefficients} {squares} {df}")
    assert all(confidence - 0.02 < held < confidence + 0.05 for held in (below, above))
    return {"coefficients": coefficients, "mean_squares": squares, "df": df,
            "confidence": confidence, "low": low.item(), "high": high.item(),
            "held_low": round(below, 4), "held_high": round(above, 4)}


def crossed(s0, g0, parts, s, g):
    """V at s seeds and g groups from a pilot of s0 and g0 whose parts are seeds, groups, error."""
    seeds, groups, error = parts
    return case([1 / (g0 * s), 1 / (s0 * g), 1 / (s * g) - 1 / (g0 * s) - 1 / (s0 * g)],
                [error + g0 * seeds, error + s0 * groups, error],
                [s0 - 1, g0 - 1, (s0 - 1) * (g0 - 1)])


def main():
    cases = [
        case([1.0], [2.5], [4]),           # one mean square: exact
        case([0.25], [2.5], [9], 0.95),
        case([1.0, 2.0], [3.0, 1.0], [4, 30]),
        crossed(5, 100, (1.0, 10.0, 200.0), 12, 100),
        crossed(10, 100, (1.0, 10.0, 200.0), 14, 100),
        crossed(10, 305, (0.2, 40.0, 100.0), 30, 305),
        crossed(10, 305, (0.2, 40.0, 100.0), 10, 600),
        crossed(20, 400, (2.0, 1.0, 100.0), 8, 200),
        crossed(10, 60.5, (0.0, 1.0, 50.0), 10, 60.5),
        # A gap: r over the seeds, two splits with two mean squares each.
        case([0.1, 1 / 500, 1 / 1000, -1 / 500, -1 / 1000], [1.0, 60.0, 40.0, 20.0, 15.0],
             [9, 49, 99, 441, 891]),
    ]
    path = pathlib.Path(__file__).with_name("variance_limits.json")
    path.write_text(json.dumps({"versions": {"numpy": np.__version__, "scipy": scipy.__version__},
                                "cases": cases}, indent=1) + "\n")


main()
