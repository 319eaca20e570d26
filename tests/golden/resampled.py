"""Makes resampled.json, the oracle values of tests over test images that differ between the seeds:
src/bioptic/stats/resampled.h and src/bioptic/study/resampled_contrast.h.

    scripts/peers && .venv-peers/bin/python tests/golden/resampled.py

The corrected tests are written as R's correctR 0.3 writes them (resampled_ttest and repkfold_ttest), the crossed t
and Obuchowski-Rockette in NumPy, areas under the curve are scikit-learn's, tails SciPy's.  Nothing is shared with C++.
"""

import json
import pathlib
import platform

import numpy as np
import scipy
import scipy.stats as st
import sklearn
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, GroupShuffleSplit

HERE = pathlib.Path(__file__).resolve().parent
rng = np.random.default_rng(80)


def result(value, se, df):
    return {"value": float(value), "se": float(se), "df": float(df), "p": float(2 * st.t.sf(abs(value) / se, df))}


def resampled_ttest(d, n1, n2):
    """correctR: n1 training, n2 test cases."""
    d = np.asarray(d)
    n = len(d)
    return result(d.mean(), np.sqrt(d.var(ddof=1) * (1 / n + n2 / n1)), n - 1)


def repkfold_variance(d, k, r):
    """correctR."""
    return np.var(d, ddof=1) * (1 / (k * r) + (1 / k) / (1 - 1 / k)), k * r - 1


def crossed(d):
    s, g = d.shape
    fit = d.mean(1, keepdims=True) + d.mean(0, keepdims=True) - d.mean()
    ms_s = g * d.mean(1).var(ddof=1)
    ms_g = s * d.mean(0).var(ddof=1)
    ms_e = ((d - fit) ** 2).sum() / (s - 1) / (g - 1)
    a, b = max(ms_s, ms_e), max(ms_g, ms_e)
    v = a + b - ms_e
    return v / s / g, v * v / (a * a / (s - 1) + b * b / (g - 1) + ms_e**2 / (s - 1) / (g - 1))


def reader_study(values, without):
    """A contrast of readers: var / R + max(mean jackknife covariance, 0), Hillis' degrees of freedom."""
    values, without = np.asarray(values), np.asarray(without)
    r, g = without.shape
    c = (g - 1) / g * (without - without.mean(1, keepdims=True)) @ (without - without.mean(1, keepdims=True)).T
    own = values.var(ddof=1) / r
    v = own + max((c.sum() - np.trace(c)) / (r * (r - 1)), 0)
    return v, v * v / (own * own / (r - 1))


def capped(df, labels, groups, of_class):
    """At most (sum n_g^2)^2 / sum n_g^4 - 1 degrees of freedom, but not fewer than 4."""
    least = min(np.sum(n**2.0) ** 2 / np.sum(n**4.0)
                for n in (np.unique(groups[labels == c] if c is not None else groups, return_counts=True)[1]
                          for c in of_class))
    return min(df, max(least - 1, 4))


def predictions(test, labels, strength, k, repeated_sd):
    """Scores (arms, seeds, images), NaN where not tested; effects of seed, case and repetition, and their own noise."""
    s, n = test.shape
    strength = np.array(strength)[:, None, None] + np.repeat(rng.normal(size=(2, s // k)) * repeated_sd, k, 1)[:, :, None]
    z = (strength * np.where(labels == 1, 1, -1) + rng.normal(size=(2, 1, n)) * 0.7
         + rng.normal(size=(2, s, 1)) * 0.4 + rng.normal(size=(2, s, n)) * 0.7)
    return np.where(test, np.round(1 / (1 + np.exp(-z)), 4), np.nan)


def metric(name, y, p):
    right = (p > 0.5) == (y == 1)
    if name == "auroc":
        return roc_auc_score(y, p)
    if name == "brier":
        return np.mean((p - y) ** 2)
    rates = [right[y == 1].mean(), right[y == 0].mean()]
    return {"accuracy": right.mean(), "sensitivity": rates[0], "balanced_accuracy": np.mean(rates)}[name]


CLASSES = {"accuracy": [None], "brier": [None], "sensitivity": [1], "balanced_accuracy": [0, 1], "auroc": [0, 1]}


def of_splits(name, scores, labels, groups):
    d, ratio = [], []
    known = (~np.isnan(scores[0])).any(0).sum()  # an image that no split tests is in no file
    for s in range(scores.shape[1]):
        t = ~np.isnan(scores[0, s])
        d.append(metric(name, labels[t], scores[0, s, t]) - metric(name, labels[t], scores[1, s, t]))
        ratio.append(t.sum() / (known - t.sum()))
    out = resampled_ttest(d, 1, np.mean(ratio))
    return result(out["value"], out["se"], capped(out["df"], labels, groups, CLASSES[name]))


def of_folds(name, scores, labels, groups, k):
    r = scores.shape[1] // k
    tested = ~np.isnan(scores[0])
    per_fold = [metric(name, labels[t], scores[0, s, t]) - metric(name, labels[t], scores[1, s, t])
                for s, t in enumerate(tested)]
    if name == "auroc":
        values = np.reshape(per_fold, (r, k)).mean(1)
        without = np.zeros((r, groups.max() + 1))
        for rep in range(r):
            for g in range(without.shape[1]):
                for f in range(k):
                    t = tested[rep * k + f] & (groups != g)
                    p = scores[:, rep * k + f, t]
                    without[rep, g] += (roc_auc_score(labels[t], p[0]) - roc_auc_score(labels[t], p[1])) / k
        value, (v, df) = values.mean(), reader_study(values, without)
    else:
        whole = np.nansum(scores.reshape(2, r, k, -1), axis=2)  # every image once in a repetition
        y = labels[None, None, :]
        x = (whole - y) ** 2 if name == "brier" else ((whole > 0.5) == (y == 1)).astype(float)
        d = x[0] - x[1]
        value, table = 0, np.zeros((r, groups.max() + 1))
        for c in CLASSES[name]:
            keep = labels == c if c is not None else np.full(len(labels), True)
            m = d[:, keep].mean()
            value += m / len(CLASSES[name])
            for g in range(table.shape[1]):
                table[:, g] += (d[:, keep & (groups == g)] - m).sum(1) / keep.sum() / len(CLASSES[name])
        used = np.array([np.any(np.isin(labels[groups == g], CLASSES[name])) or CLASSES[name] == [None]
                         for g in range(table.shape[1])])
        v, df = crossed(value + used.sum() * table[:, used])
    v_folds, df_folds = repkfold_variance(per_fold, k, r)
    larger = "resampled" if v_folds > v else "crossed"
    if larger == "resampled":
        v, df = v_folds, df_folds
    return {**result(value, np.sqrt(v), capped(df, labels, groups, CLASSES[name])), "larger": larger}


def study(kind, strength, n_groups, k=0, repetitions=0, splits=0, repeated_sd=0):
    sizes = rng.integers(1, 4, n_groups)
    groups = np.repeat(np.arange(n_groups), sizes)
    labels = np.repeat(np.arange(n_groups) % 2, sizes)
    rows = []
    if kind == "folds":
        for rep in range(repetitions):
            rename = rng.permutation(n_groups)
            for _, t in GroupKFold(k, shuffle=True, random_state=rep).split(labels, groups=rename[groups]):
                rows.append(np.isin(np.arange(len(labels)), t))
    else:
        for _, t in GroupShuffleSplit(splits, test_size=0.25, random_state=5).split(labels, groups=groups):
            rows.append(np.isin(np.arange(len(labels)), t))
    scores = predictions(np.array(rows), labels, strength, k if kind == "folds" else 1, repeated_sd)
    results = {name: (of_folds(name, scores, labels, groups, k) if kind == "folds" else
                      of_splits(name, scores, labels, groups)) for name in CLASSES}
    tested = [np.flatnonzero(row) for row in rows]
    return {"kind": kind, "folds": k, "labels": labels.tolist(), "groups": groups.tolist(),
            "tested": [t.tolist() for t in tested],
            "scores": [[row[t].tolist() for row, t in zip(arm, tested)] for arm in scores],
            "results": results}


def main():
    tests = []
    for n, share in ((5, 0.2), (10, 0.5), (30, 0.1), (2, 0.25)):
        d = np.round(rng.normal(0.01, 0.02, n), 4)
        tests.append({"d": d.tolist(), "test_over_train": share / (1 - share), **resampled_ttest(d, 1 - share, share)})
    out = {
        "command": ".venv-peers/bin/python tests/golden/resampled.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__,
                     "scikit-learn": sklearn.__version__},
        "resampled_t": tests,
        "studies": [study("folds", (1.2, 0.8), 40, k=4, repetitions=5), study("folds", (1, 1), 30, k=3, repetitions=6),
                    study("folds", (1, 0.9), 90, k=8, repetitions=5, repeated_sd=4),
                    study("resplits", (1.2, 0.9), 40, splits=8)],
    }
    (HERE / "resampled.json").write_text(json.dumps(out, indent=0).replace(",\n", ", ").replace("[\n", "[")
                                         .replace("\n]", "]") + "\n")


if __name__ == "__main__":
    main()
