"""Makes arm_levels.json, the oracle values of src/bioptic/study/arm_levels_test.cpp.

    scripts/peers
    .venv-peers/bin/python tests/golden/arm_levels.py

The arms of comparisons.json: mean, standard deviation and t interval over seeds by SciPy; over seeds and
patients for the accuracy by the two-way table of group values (plain NumPy), for the other metrics by the
variance of the mean over readers, var / S + max(Cov2, 0), from metrics that scikit-learn computes with
one group left out after the other.  No library computes these.
"""

import json
import math
import pathlib
import platform

import numpy as np
import scipy
import scipy.stats as st
import sklearn

from comparisons import crossed, group_table, metrics_of

HERE = pathlib.Path(__file__).resolve().parent


def readers_mean(values, without):
    """values: R; without: R x G."""
    r, g = without.shape
    cov = np.cov(without, ddof=1) * (g - 1) ** 2 / g
    cov2 = max(cov[~np.eye(r, dtype=bool)].mean(), 0)
    seeds = values.var(ddof=1) / r
    v = seeds + cov2
    return values.mean(), math.sqrt(v), v**2 / (seeds**2 / (r - 1) + cov2**2 / (g - 1))


def most_of(name, classes):
    return math.inf if name == "log_loss" else 2 if name == "brier" and classes > 2 else 1


def level(name, values, estimate, classes):
    low, high = st.t.interval(0.95, len(values) - 1, values.mean(), st.sem(values))
    m, se, df = estimate
    half = st.t.ppf(0.975, df) * se
    cut = lambda x: float(min(max(x, 0), most_of(name, classes)))
    return {"mean": values.mean(), "sd": values.std(ddof=1), "low": cut(low), "high": cut(high),
            "patients_low": cut(m - half), "patients_high": cut(m + half)}


def case(c):
    classes, y, group = c["classes"], np.array(c["label"]), np.array(c["group"])
    p = np.array(c["score"])
    if classes == 2:
        p = np.stack([1 - p, p], -1)
        predicted = (p[..., 1] > 0.5).astype(int)
    else:
        predicted = p.argmax(-1)
    out = []
    for arm in range(2):
        seeds = range(p.shape[1])
        of = lambda keep: [metrics_of(y[keep], p[arm, s][keep], predicted[arm, s][keep], classes)
                           for s in seeds]
        whole = of(np.ones(len(y), bool))
        left_out = [of(group != g) for g in np.unique(group)]
        levels = {}
        for name in whole[0]:
            values = np.array([trial[name] for trial in whole])
            if name == "accuracy":
                right = (predicted[arm] == y).astype(float)
                estimate = crossed(group_table(name, right, y, group, classes))
            else:
                estimate = readers_mean(values, np.array([[w[s][name] for w in left_out] for s in seeds]))
            levels[name] = level(name, values, estimate, classes)
        out.append(levels)
    return out


def main():
    inputs = json.loads((HERE / "comparisons.json").read_text())
    result = {
        "made_by": ".venv-peers/bin/python tests/golden/arm_levels.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__,
                     "scipy": scipy.__version__, "sklearn": sklearn.__version__},
        "cases": [case(c) for c in inputs["cases"]],
    }
    (HERE / "arm_levels.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
