"""Makes comparisons.json, the oracle values of src/bioptic/study/comparisons_golden_test.cpp.

    scripts/peers
    .venv-peers/bin/python tests/golden/comparisons.py

Two arms, several seeds, predictions of images in groups.  Per metric: the values of every arm and
seed by scikit-learn; E1 by SciPy's paired t test; E2 by the two-way table of group values with
floors (a plain NumPy version of the definition), for AUROC by Obuchowski-Rockette in its usual form
(mean squares and the covariances of leave-one-group-out areas) with Hillis' degrees of freedom; both
with at most the degrees of freedom that the group sizes allow, and intervals cut to the scale.
No library computes these.
"""

import json
import math
import pathlib
import platform

import numpy as np
import scipy
import scipy.stats as st
import sklearn
from sklearn.metrics import (accuracy_score, balanced_accuracy_score, brier_score_loss, log_loss,
                             recall_score, roc_auc_score)

HERE = pathlib.Path(__file__).resolve().parent
rng = np.random.default_rng(5)


def crossed(table):
    s, g = table.shape
    m = table.mean()
    row, col = table.mean(1, keepdims=True), table.mean(0, keepdims=True)
    mss = g * ((row - m) ** 2).sum() / (s - 1)
    msg = s * ((col - m) ** 2).sum() / (g - 1)
    mse = ((table - row - col + m) ** 2).sum() / ((s - 1) * (g - 1))
    a, b = max(mss, mse), max(msg, mse)
    v = a + b - mse
    df = v**2 / (a**2 / (s - 1) + b**2 / (g - 1) + mse**2 / ((s - 1) * (g - 1)))
    return m, math.sqrt(v / (s * g)), df


def readers(values, without):
    """values: 2 x R; without: 2 x R x G."""
    r, g = without.shape[1:]
    dev = without - without.mean(2, keepdims=True)
    cov = (g - 1) / g * np.einsum("tjg,ukg->tjuk", dev, dev)
    off = ~np.eye(r, dtype=bool)
    cov2 = np.mean([cov[t, :, t, :][off].mean() for t in (0, 1)])
    cov3 = cov[0, :, 1, :][off].mean()
    inter = values - values.mean(0) - values.mean(1, keepdims=True) + values.mean()
    mstr = (inter**2).sum() / (r - 1)
    denominator = mstr + r * max(cov2 - cov3, 0)
    df = denominator**2 / (mstr**2 / (r - 1))
    return values[0].mean() - values[1].mean(), math.sqrt(2 / r * denominator), df


def interval(m, se, df, most):
    half = st.t.ppf(0.975, df) * se
    return {"low": max(m - half, -most), "high": min(m + half, most), "df": df,
            "p": 2 * st.t.sf(abs(m / se), df)}


def most_degrees(name, y, group, classes):
    """Of the images that the metric looks at, of the worst class where it looks at each."""
    parts = {"sensitivity": [y == 1], "specificity": [y == 0]}.get(name, [np.ones(len(y), bool)])
    if name in ("auroc", "balanced_accuracy"):
        parts = [y == c for c in range(classes)]
    sizes = [np.unique(group[part], return_counts=True)[1].astype(float) for part in parts]
    assert min(n.sum() ** 2 / (n**2).sum() for n in sizes) >= 10, "too few groups for a verdict"
    return max(4, min((n**2).sum() ** 2 / (n**4).sum() for n in sizes) - 1)


def metrics_of(y, p, predicted, classes):
    """name -> value of one trial; p: n x K."""
    out = {"accuracy": accuracy_score(y, predicted),
           "balanced_accuracy": balanced_accuracy_score(y, predicted)}
    if classes == 2:
        out["auroc"] = roc_auc_score(y, p[:, 1])
        out["sensitivity"] = recall_score(y, predicted, pos_label=1)
        out["specificity"] = recall_score(y, predicted, pos_label=0)
        out["brier"] = brier_score_loss(y, p[:, 1])
        out["log_loss"] = log_loss(y, p[:, 1])
    else:
        out["auroc"] = roc_auc_score(y, p, multi_class="ovr", average="macro")
        out["brier"] = ((p - np.eye(classes)[y]) ** 2).sum(1).mean()
        out["log_loss"] = log_loss(y, p, labels=list(range(classes)))
    return out


def image_values(name, y, p, predicted, classes):
    right = (predicted == y).astype(float)
    true_p = p[np.arange(len(y)), y]
    if name == "brier":
        return (true_p - 1) ** 2 if classes == 2 else ((p - np.eye(classes)[y]) ** 2).sum(1)
    if name == "log_loss":
        return -np.log(true_p)
    return right


def group_table(name, d, y, group, classes):
    """d: S x n differences of image values; rows that the metric does not use are left out."""
    keep = {"sensitivity": y == 1, "specificity": y == 0}.get(name, np.ones(len(y), bool))
    d, y, group = d[:, keep], y[keep], np.unique(group[keep], return_inverse=True)[1]
    groups = group.max() + 1
    if name == "balanced_accuracy":
        centre = np.array([d[:, y == c].mean() for c in range(classes)])
        weight = np.array([1 / (classes * (y == c).sum()) for c in range(classes)])
        m, part = centre.mean(), weight[y] * (d - centre[y])
    else:
        m, part = d.mean(), (d - d.mean()) / d.shape[1]
    out = np.full((d.shape[0], groups), m)
    for g in range(groups):
        out[:, g] += groups * part[:, group == g].sum(1)
    return out


def case(seeds, groups, classes, most):
    group = np.repeat(np.arange(groups), rng.integers(1, most + 1, groups))
    y = (np.arange(groups) % classes)[group]
    n = len(y)
    shared = rng.normal(size=(groups, classes))[group]
    logits = np.zeros((2, seeds, n, classes))
    for t, strength in enumerate((1.0, 1.5)):
        for s in range(seeds):
            logits[t, s] = (strength * np.eye(classes)[y] + 0.6 * shared
                            + 0.3 * rng.normal(size=classes) + 0.5 * rng.normal(size=(n, classes)))
    logits = np.round(logits, 1)  # ties
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    z = np.round(logits[..., 1] - logits[..., 0], 1)
    if classes == 2:
        p = np.stack([1 - 1 / (1 + np.exp(-z)), 1 / (1 + np.exp(-z))], -1)
        predicted = (p[..., 1] > 0.5).astype(int)
    else:
        predicted = p.argmax(-1)
    every = np.ones(n, bool)
    values = lambda keep: [[metrics_of(y[keep], p[t, s][keep], predicted[t, s][keep], classes)
                            for s in range(seeds)] for t in (0, 1)]
    whole = values(every)
    left_out = [values(group != g) for g in range(groups)]
    expected = {}
    for name in whole[0][0]:
        v = np.array([[trial[name] for trial in arm] for arm in whole])
        test = st.ttest_rel(v[0], v[1])
        ci = test.confidence_interval(0.95)
        if name == "auroc":
            without = np.array([[[left_out[g][t][s][name] for g in range(groups)]
                                 for s in range(seeds)] for t in (0, 1)])
            m, se, df = readers(v, without)
        else:
            d = np.array([image_values(name, y, p[0, s], predicted[0, s], classes)
                          - image_values(name, y, p[1, s], predicted[1, s], classes)
                          for s in range(seeds)])
            m, se, df = crossed(group_table(name, d, y, group, classes))
        most = {"log_loss": math.inf, "brier": 1 if classes == 2 else 2}.get(name, 1)
        e2 = interval(m, se, min(df, most_degrees(name, y, group, classes)), most)
        expected[name] = {"values": v.tolist(), "difference": float((v[0] - v[1]).mean()),
                          "E1": {"low": ci.low, "high": ci.high, "p": test.pvalue, "df": float(test.df)},
                          "E2": e2}
    score = p[..., 1] if classes == 2 else p
    return {"classes": classes, "label": y.tolist(), "group": group.tolist(),
            "score": score.tolist(), "logit": z.tolist() if classes == 2 else None,
            "expected": expected}


def main():
    result = {
        "made_by": ".venv-peers/bin/python tests/golden/comparisons.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__,
                     "scipy": scipy.__version__, "sklearn": sklearn.__version__},
        "cases": [case(6, 32, 2, 3), case(5, 36, 2, 1), case(7, 48, 3, 3)],
    }
    (HERE / "comparisons.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
