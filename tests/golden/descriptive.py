"""Makes descriptive.json, the oracle values of the descriptive statistics in src/bioptic/stats.

    scripts/peers && .venv-peers/bin/pip install statsmodels
    apt-get install r-base-core r-cran-proc r-cran-lme4
    .venv-peers/bin/python tests/golden/descriptive.py

Every value comes from a library (named where it is used) or, where none computes it, from a NumPy
version that shares no code with C++.  Inputs are stored beside the values.  null is NaN in an input
and "undefined" in a value.
"""

import json
import math
import pathlib
import platform
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pandas
import scipy
import scipy.spatial
import scipy.stats
import sklearn
import sklearn.calibration
import sklearn.metrics as skm
import statsmodels
import statsmodels.api as sm
import statsmodels.formula.api as smf
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler
from statsmodels.stats.proportion import proportion_confint

HERE = pathlib.Path(__file__).resolve().parent
COMMAND = ".venv-peers/bin/python tests/golden/descriptive.py"
EPS = 2.0**-52


def run_r(code, *tables):
    """The numbers that R prints, one a line; `tables` reach it as CSV files t1, t2, ..."""
    with tempfile.TemporaryDirectory() as folder:
        lines = ["options(digits = 17)"]
        for k, (names, rows) in enumerate(tables, 1):
            path = pathlib.Path(folder) / f"t{k}.csv"
            path.write_text("\n".join([",".join(names)] + [",".join(repr(float(v)) for v in r) for r in rows]))
            lines.append(f't{k} <- read.csv("{path}")')
        script = pathlib.Path(folder) / "script.R"
        script.write_text("\n".join(lines) + "\n" + code)
        out = subprocess.run(["Rscript", "--vanilla", script], capture_output=True, text=True)
        if out.returncode != 0:
            raise RuntimeError(out.stderr)
        return [float(x) for x in out.stdout.split()]


def r_versions():
    return subprocess.run(
        ["Rscript", "-e", 'cat(R.version.string, "; pROC", format(packageVersion("pROC")), "; lme4", format(packageVersion("lme4")))'],
        capture_output=True, text=True, check=True).stdout


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# Metrics of one model


def delong(ranks, labels):
    """pROC: variance and interval, method DeLong."""
    ranks = np.where(np.isneginf(ranks), -1e6, np.where(np.isposinf(ranks), 1e6, ranks))
    variance, low, high = run_r(
        "suppressMessages(library(pROC))\n"
        "r <- roc(t1$y, t1$s, levels = c(0, 1), direction = '<', quiet = TRUE)\n"
        "i <- suppressWarnings(ci.auc(r, method = 'delong'))\n"
        "cat(suppressWarnings(var(r, method = 'delong')), i[1], i[3], sep = '\\n')",
        (["s", "y"], zip(ranks, labels)))
    return {"variance": variance, "low": low, "high": high}


def jackknife(ranks, labels, groups):
    """Leave one group out with sklearn's AUROC."""
    ranks = np.where(np.isneginf(ranks), -1e6, np.where(np.isposinf(ranks), 1e6, ranks))
    without = []
    for g in np.unique(groups):
        keep = groups != g
        if len(set(labels[keep])) < 2:
            return None
        without.append(skm.roc_auc_score(labels[keep], ranks[keep]))
    count = len(without)
    if count < 2:
        return None
    variance = (count - 1) / count * np.sum((np.array(without) - np.mean(without))**2)
    auc = skm.roc_auc_score(labels, ranks)
    half = scipy.stats.t.ppf(0.975, count - 1) * math.sqrt(variance)
    return {"variance": variance, "low": max(0, auc - half), "high": min(1, auc + half)}


def calibration(logits, labels):
    """statsmodels: Logit, and a binomial GLM with the logit as offset."""
    order = np.argsort(logits)
    z, y = logits[order], labels[order]
    lows, highs = z[y == 0], z[y == 1]
    if len(lows) == 0 or len(highs) == 0 or max(lows) <= min(highs) or max(highs) <= min(lows):
        return None
    line = sm.Logit(y, sm.add_constant(z)).fit(disp=0, method="newton", maxiter=200, tol=1e-14)
    large = sm.GLM(y, np.ones((len(y), 1)), family=sm.families.Binomial(), offset=z).fit(tol=1e-14, maxiter=200)
    return {"slope": line.params[1], "slope_low": line.conf_int()[1][0], "slope_high": line.conf_int()[1][1],
            "intercept": line.params[0], "in_the_large": large.params[0],
            "in_the_large_low": large.conf_int()[0][0], "in_the_large_high": large.conf_int()[0][1]}


def wilson(hits, n):
    if n == 0:
        return None
    low, high = proportion_confint(hits, n, method="wilson")
    return [hits / n, max(0, low), min(1, high)]


def reliability(p, y, bins):
    """sklearn's calibration_curve, and the counts by its own binning rule."""
    observed, predicted = sklearn.calibration.calibration_curve(y, p, n_bins=bins)
    index = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], p)
    counts = np.bincount(index, minlength=bins)
    counts = counts[counts > 0]
    return {"observed": observed.tolist(), "predicted": predicted.tolist(), "images": counts.tolist(),
            "error": float(np.sum(counts * np.abs(observed - predicted)) / len(p))}


def metrics_case(name, scores, labels, logits=None, groups=None, threshold=0.5, bins=10):
    """scores and logits may hold NaN; such an image counts as wrong."""
    scores, y = np.array(scores, float), np.array(labels, int)
    finite = np.isfinite(scores) & (np.isfinite(logits) if logits is not None else True)
    p = np.where(finite, scores, 1 - y)
    with np.errstate(all="ignore"):
        z = np.array(logits, float) if logits is not None else np.log(p) - np.log1p(-p)
    z = np.where(finite, z, np.where(y == 1, -np.inf, np.inf))
    limit = math.log((1 - EPS) / EPS)
    cut = np.clip(z, -limit, limit)
    ranks = np.clip(z, -1e6, 1e6)
    called = np.where(finite, p > threshold, y == 0).astype(int)
    tn, fp, fn, tp = skm.confusion_matrix(y, called, labels=[0, 1]).ravel().tolist()
    both = 0 < y.sum() < len(y)
    want = {"counts": [tp, fp, tn, fn], "not_finite": int((~finite).sum()),
            "accuracy": wilson(tp + tn, len(y)), "sensitivity": wilson(tp, tp + fn),
            "specificity": wilson(tn, tn + fp),
            "brier": skm.brier_score_loss(y, p, pos_label=1),
            "log_loss": float(np.mean(np.logaddexp(0, np.where(y == 1, -cut, cut)))),
            "calibration": calibration(cut[finite], y[finite]),
            "reliability": reliability(p, y, bins)}
    # sklearn answers 0 where these are undefined
    want["mcc"] = skm.matthews_corrcoef(y, called) if both and 0 < called.sum() < len(y) else None
    want["f1"] = skm.f1_score(y, called) if tp + fp + fn else None
    want["balanced_accuracy"] = skm.balanced_accuracy_score(y, called) if both else None
    want["auroc"] = skm.roc_auc_score(y, ranks) if both else None
    want["average_precision"] = skm.average_precision_score(y, ranks) if both else None
    two_each = min(y.sum(), len(y) - y.sum()) >= 2
    want["delong"] = delong(z, y) if two_each else None
    want["jackknife"] = jackknife(z, y, np.array(groups if groups is not None else range(len(y)))) if both else None
    if both:
        precision, recall, _ = skm.precision_recall_curve(y, ranks)
        want["precision_recall"] = [precision[-2::-1].tolist(), recall[-2::-1].tolist()]
    if logits is None and finite.all():
        assert abs(want["log_loss"] - skm.log_loss(y, p, labels=[0, 1])) < 1e-12
    thresholds = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9]
    weight = [t / (1 - t) for t in thresholds]
    want["net_benefit"] = [[float(np.sum((p > t) & (y == 1)) - w * np.sum((p > t) & (y == 0))) / len(y),
                            float(y.sum() - w * (len(y) - y.sum())) / len(y)]
                           for t, w in zip(thresholds, weight)]
    return {"name": name, "threshold": threshold, "bins": bins, "scores": scores.tolist(),
            "labels": y.tolist(), "logits": None if logits is None else np.array(logits, float).tolist(),
            "groups": groups, "net_benefit_thresholds": thresholds, "want": want}


def metrics_cases():
    rng = np.random.default_rng(5)

    def draw(n, shift, scale=1.5):
        y = rng.integers(0, 2, n)
        return np.round(rng.normal(0, scale, n) + shift * (2 * y - 1), 6), y

    z, y = draw(60, 0.8)
    cases = [metrics_case("plain", sigmoid(z), y, logits=z)]
    z, y = draw(60, 0.5, 3.0)
    cases.append(metrics_case("overconfident, other threshold and bins", sigmoid(z), y, logits=z, threshold=0.3, bins=15))
    z, y = draw(50, 0.9)
    cases.append(metrics_case("ties, scores on the edges of bins, 0 and 1", np.round(np.clip(sigmoid(z) * 1.3 - 0.15, 0, 1), 1), y))
    z, y = draw(80, 0.6)
    groups = np.sort(rng.integers(0, 30, 80)).tolist()
    cases.append(metrics_case("grouped", sigmoid(z), y, logits=z, groups=groups))
    z, y = draw(40, 0.7)
    s = np.float64(np.float32(sigmoid(30 * z)))
    cases.append(metrics_case("float32 probabilities that tie at 1, logits that do not", s, y, logits=30 * z))
    s = sigmoid(z)
    s[[3, 17]] = np.nan
    y[[3, 17]] = 1, 0
    cases.append(metrics_case("two scores not finite", s, y))
    cases.append(metrics_case("separable", [0.1, 0.2, 0.3, 0.7, 0.8], [0, 0, 0, 1, 1]))
    cases.append(metrics_case("touching classes", [0.1, 0.2, 0.4, 0.4, 0.8], [0, 0, 0, 1, 1]))
    cases.append(metrics_case("four images", [0.4, 0.6, 0.3, 0.55], [1, 0, 0, 1]))
    cases.append(metrics_case("constant 0.5, nothing called", [0.5] * 6, [0, 1, 0, 1, 1, 0]))
    cases.append(metrics_case("only class 1", [0.9, 0.2, 0.7], [1, 1, 1]))
    cases.append(metrics_case("only class 0, all right", [0.1, 0.2], [0, 0]))
    cases.append(metrics_case("one positive image", [0.1, 0.2, 0.7, 0.6], [0, 0, 0, 1]))
    return cases


def multiclass_cases():
    rng = np.random.default_rng(6)
    cases = []
    for name, classes, n, digits in [("three classes", 3, 45, 6), ("ties", 4, 40, 1), ("two classes", 2, 20, 4)]:
        y = np.concatenate([np.arange(classes), rng.integers(0, classes, n - classes)])
        s = rng.normal(0, 1, (n, classes))
        s[np.arange(n), y] += 1
        s = np.exp(s) / np.exp(s).sum(1, keepdims=True)
        s = np.round(s, digits)
        called = s.argmax(1)
        each = [skm.roc_auc_score(y == k, s[:, k]) for k in range(classes)]
        cases.append({"name": name, "classes": classes, "scores": s.ravel().tolist(), "labels": y.tolist(),
                      "want": {"confusion": skm.confusion_matrix(y, called, labels=range(classes)).ravel().tolist(),
                               "accuracy": wilson(int((called == y).sum()), n),
                               "balanced_accuracy": skm.balanced_accuracy_score(y, called),
                               "auroc": each, "macro_auroc": float(np.mean(each))}})
        if classes > 2 and digits > 3:
            full = s / s.sum(1, keepdims=True)
            assert abs(np.mean(each) - skm.roc_auc_score(y, full, multi_class="ovr", average="macro")) < 1e-3
    return cases


# Steadiness of a curve


def curve_case(name, curve, begin=0, end=None, larger_is_better=True):
    """NumPy and scipy.stats; drawdown and tail as in Chan et al. 2020."""
    y = np.array(curve, float)[begin:end]
    y = y if larger_is_better else -y
    keys = ["step_spread", "noise_level", "excess_travel", "worst_drawdown", "worst_steps"]
    want = dict.fromkeys(keys)
    if np.isfinite(y).all() and len(y) >= 2:
        d = np.diff(y)
        want["excess_travel"] = max(0.0, np.abs(d).sum() - abs(y[-1] - y[0])) / len(d)
        want["worst_drawdown"] = np.max(np.maximum.accumulate(y) - y)
        want["worst_steps"] = -d[d <= scipy.stats.scoreatpercentile(d, 5)].mean()
        if len(d) >= 2:
            want["step_spread"] = scipy.stats.iqr(d)
        if len(d) >= 3:
            want["noise_level"] = 1.4826 * scipy.stats.median_abs_deviation(np.diff(d)) / math.sqrt(6)
    return {"name": name, "curve": list(map(float, curve)), "begin": begin, "end": end,
            "larger_is_better": larger_is_better, "want": want}


def curve_cases():
    rng = np.random.default_rng(7)
    smooth = 0.9 - 0.4 * np.exp(-np.arange(60) / 8) + rng.normal(0, 0.02, 60)
    coarse = np.round(smooth * 40) / 40
    return [curve_case("noisy accuracy", smooth), curve_case("burn-in", smooth, begin=10),
            curve_case("window", smooth, begin=10, end=31), curve_case("loss", 1 - smooth, larger_is_better=False),
            curve_case("coarse steps, ties", coarse), curve_case("constant", [0.5] * 12),
            curve_case("rising line", np.arange(10) / 8), curve_case("falling line", np.arange(10) / -8),
            curve_case("odd count", smooth[:7]), curve_case("five values", smooth[:5]),
            curve_case("four values", smooth[:4]), curve_case("three values", smooth[:3]),
            curve_case("two values", [0.5, 0.25]), curve_case("one value", [0.5]),
            curve_case("two hundred epochs", np.round(rng.normal(0.8, 0.05, 200), 4))]


# The gap, with NumPy


def gap_cases():
    rng = np.random.default_rng(8)
    cases = []
    for name, missing in [("seed 0", None), ("seed 1", None), ("no positive in the hold-out", "sens"),
                          ("no validation", "val"), ("no negative in test", "test spec")]:
        y = [rng.integers(0, 2, n) for n in (50, 40, 60)]
        if missing == "sens":
            y[1][:] = 0
        if missing == "test spec":
            y[2][:] = 1
        hit = [rng.uniform(size=len(v)) < 0.8 for v in y]
        rates = [[float(np.mean(h)), float(np.mean(h[v == 1])) if v.any() else None,
                  float(np.mean(h[v == 0])) if (1 - v).any() else None] for v, h in zip(y, hit)]
        (val, *_), hold, test = rates
        val = None if missing == "val" else val
        pi = float(np.mean(y[2]))
        minus = lambda a, b: None if a is None or b is None else a - b
        at_test = None if None in hold else float(np.dot([pi, 1 - pi], hold[1:]))
        weighted = lambda w, d: None if d is None else w * d
        cases.append({"name": name, "validation": val, "holdout": hold, "test": test, "prevalence": pi,
                      "want": {"total": minus(val, test[0]), "selection": minus(val, hold[0]),
                               "prevalence": minus(hold[0], at_test), "rest": minus(at_test, test[0]),
                               "rest_sensitivity": weighted(pi, minus(hold[1], test[1])),
                               "rest_specificity": weighted(1 - pi, minus(hold[2], test[2]))}})
    return cases


# Variance components of a table [a][b][c]


FACTORS = ["A", "B", "C", "AB", "AC", "BC", "ABC"]


def mean_squares(y):
    """statsmodels: sequential sums of squares of the saturated model."""
    index = np.indices(y.shape).reshape(3, -1)
    frame = pandas.DataFrame({"y": y.ravel(), "a": index[0], "b": index[1], "c": index[2]})
    table = sm.stats.anova_lm(smf.ols("y ~ C(a) * C(b) * C(c)", frame).fit())
    rows = {"".join(x for x in name if x in "abc").upper(): name for name in table.index if name != "Residual"}
    return {f: (table.loc[rows[f], "sum_sq"] / table.loc[rows[f], "df"], table.loc[rows[f], "df"])
            for f in FACTORS}


def large_sample_interval(plus, minus, alpha=0.05):
    """Ting et al. 1990 as printed, both limits written out; terms (coefficient * mean square, df)."""
    q, p = 1 - alpha / 2, alpha / 2
    f_inf = lambda prob, n: scipy.stats.chi2.ppf(prob, n) / n
    g = lambda n: 1 - 1 / f_inf(q, n)
    h = lambda n: 1 / f_inf(p, n) - 1
    pairs = lambda ts: sum(((1 - 1 / f_inf(q, n + m))**2 * (n + m)**2 / (n * m) - g(n)**2 * n / m - g(m)**2 * m / n)
                           / (len(ts) - 1) * v * w
                           for i, (v, n) in enumerate(ts) for w, m in ts[i + 1:])
    value = sum(v for v, _ in plus) - sum(v for v, _ in minus)
    low = sum((g(n) * v)**2 for v, n in plus) + sum((h(n) * v)**2 for v, n in minus) + pairs(plus)
    high = sum((h(n) * v)**2 for v, n in plus) + sum((g(n) * v)**2 for v, n in minus) + pairs(minus)
    for v, n in plus:
        for w, m in minus:
            f = scipy.stats.f.ppf(q, n, m)
            low += ((f - 1)**2 - g(n)**2 * f**2 - h(m)**2) / f * v * w
            f = scipy.stats.f.ppf(p, n, m)
            high += ((1 - f)**2 - h(n)**2 * f**2 - g(m)**2) / f * v * w
    return value, max(0, value - math.sqrt(max(low, 0))), max(0, value + math.sqrt(max(high, 0)))


def variance_case(name, y, lme4):
    a, b, c = y.shape
    ms = mean_squares(y)
    term = lambda f, scale: (ms[f][0] / scale, ms[f][1])
    # expected mean squares solved by hand, as in Searle, Casella & McCulloch 1992
    solved = {"A": ((["A", "ABC"], ["AB", "AC"]), b * c), "B": ((["B", "ABC"], ["AB", "BC"]), a * c),
              "C": ((["C", "ABC"], ["AC", "BC"]), a * b), "AB": ((["AB"], ["ABC"]), c),
              "AC": ((["AC"], ["ABC"]), b), "BC": ((["BC"], ["ABC"]), a), "ABC": ((["ABC"], []), 1)}
    want = []
    for f in FACTORS:
        (plus, minus), scale = solved[f]
        value, low, high = large_sample_interval([term(x, scale) for x in plus], [term(x, scale) for x in minus])
        want.append({"mean_square": ms[f][0], "df": ms[f][1], "estimate": value, "low": low, "high": high})
    reml = None
    if lme4:  # equals the method of moments where that has no negative estimate
        if min(w["estimate"] for w in want) <= 0:
            return None
        index = np.indices(y.shape).reshape(3, -1)
        reml = run_r(
            "suppressMessages(library(lme4))\n"
            "m <- lmer(y ~ 1 + (1|A) + (1|B) + (1|C) + (1|A:B) + (1|A:C) + (1|B:C), t1,\n"
            "  control = lmerControl(optCtrl = list(maxfun = 1e5)))\n"
            "v <- as.data.frame(VarCorr(m)); rownames(v) <- v$grp\n"
            "cat(v[c('A', 'B', 'C', 'A:B', 'A:C', 'B:C', 'Residual'), 'vcov'], sep = '\\n')",
            (["y", "A", "B", "C"], zip(y.ravel(), *index)))
    return {"name": name, "levels": y.shape, "values": y.ravel().tolist(), "mean": y.mean(), "want": want, "lme4": reml}


def variance_cases():
    rng = np.random.default_rng(9)

    def draw(shape, main, pair, rest):
        a, b, c = shape
        n = lambda sd, *s: sd * rng.normal(size=s)
        y = n(main, a, 1, 1) + n(main, 1, b, 1) + n(main, 1, 1, c)
        y = y + n(pair, a, b, 1) + n(pair, a, 1, c) + n(pair, 1, b, c) + n(rest, a, b, c)
        return np.round(0.8 + y, 6)

    def first_positive(name, *law):
        while True:
            case = variance_case(name, draw(*law), True)
            if case is not None:
                return case

    return [first_positive("all positive", (4, 4, 4), 0.03, 0.02, 0.01),
            first_positive("unequal levels, all positive", (5, 3, 4), 0.05, 0.03, 0.01),
            variance_case("noise only, some negative", draw((4, 4, 4), 0, 0, 0.02), False),
            variance_case("two levels each", draw((2, 2, 2), 0.02, 0.01, 0.01), False)]


# Shift between two samples


def ks_cases():
    rng = np.random.default_rng(10)
    cases = []
    for name, n0, n1, shift, digits in [("shifted", 25, 18, 0.5, 6), ("not shifted", 30, 20, 0, 6),
                                        ("ties", 30, 25, 0.5, 0), ("two against three", 2, 3, 1, 6)]:
        x, y = np.round(rng.normal(0, 1, n0), digits), np.round(rng.normal(shift, 1, n1), digits)
        order = rng.permutation(n0 + n1)
        test = scipy.stats.ks_2samp(x, y, method="exact")
        cases.append({"name": name, "scores": np.concatenate([x, y])[order].tolist(),
                      "second": np.repeat([0, 1], [n0, n1])[order].tolist(), "statistic": test.statistic,
                      "p": None if digits == 0 else test.pvalue})  # exact only without ties
    return cases


def feature_cases():
    rng = np.random.default_rng(11)
    cases = []
    for name, n, columns, ridge, shift in [("fewer features than images", 30, 5, 4.0, 1.0),
                                           ("more features than images", 18, 40, 4.0, 0.3),
                                           ("weak ridge, a constant feature", 24, 4, 0.05, 0.5)]:
        second = np.array([0] * (n - n // 3) + [1] * (n // 3))
        x = np.round(rng.normal(0, 1, (n, columns)) * rng.uniform(0.5, 3, columns) + 4 + shift * second[:, None], 3)
        if "constant" in name:
            x[:, 1] = 7
        z = StandardScaler().fit_transform(x)
        distance = scipy.spatial.distance.pdist(z)
        kernel = np.exp(-scipy.spatial.distance.squareform(distance)**2 / (2 * np.median(distance)**2))
        k00, k11, k01 = (kernel[np.ix_(second == a, second == b)] for a, b in [(0, 0), (1, 1), (0, 1)])
        unbiased = lambda k: (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))
        folds = 4
        fold = rng.permutation(np.arange(n) % folds)
        deals = [fold, np.roll(fold, 1), fold[::-1]]
        labellings = [second] + [rng.permutation(second) for _ in range(9)]
        scores = []
        for y in labellings:
            out = np.zeros(n)
            for fold in deals:
                for k in range(folds):
                    train, held = fold != k, fold == k
                    rows = z / math.sqrt(columns)
                    model = Ridge(alpha=ridge, solver="svd").fit(rows[train], y[train])
                    out[held] += (model.predict(rows[held]) - y[train].mean()) / len(deals)
            scores.append(out.tolist())
        cases.append({"name": name, "columns": columns, "features": x.ravel().tolist(), "second": second.tolist(),
                      "gram_row": (z @ z[0] / columns).tolist(),
                      "mmd": unbiased(k00) + unbiased(k11) - 2 * k01.mean(), "deals": [fold.tolist() for fold in deals],
                      "ridge": ridge, "labellings": [y.tolist() for y in labellings], "scores": scores})
    return cases


def without_nan(value):
    if isinstance(value, dict):
        return {k: without_nan(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def main():
    warnings.simplefilter("ignore")
    parts = {"metrics": metrics_cases, "multiclass": multiclass_cases, "curves": curve_cases,
             "gap": gap_cases, "variance": variance_cases,
             "ks": ks_cases, "features": feature_cases}
    document = {"command": COMMAND,
                "versions": {"python": platform.python_version(), "numpy": np.__version__,
                             "scipy": scipy.__version__, "scikit-learn": sklearn.__version__,
                             "statsmodels": statsmodels.__version__, "R": r_versions()}}
    document.update({name: make() for name, make in parts.items()})
    # one case a line: readable in a diff, half the size of indented JSON
    lines = []
    for name, value in document.items():
        value = without_nan(value)
        if isinstance(value, list):
            rows = ",\n".join(json.dumps(v, separators=(",", ":")) for v in value)
            lines.append(f'"{name}": [\n{rows}\n]')
        else:
            lines.append(f'"{name}": {json.dumps(value)}')
    (HERE / "descriptive.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    sys.exit(main())
