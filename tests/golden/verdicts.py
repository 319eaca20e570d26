"""Makes verdicts.json, the oracle values of the tests behind verdicts in src/bioptic/stats.

    scripts/peers && .venv-peers/bin/pip install statsmodels
    apt-get install r-base-core r-cran-proc r-cran-lmertest
    .venv-peers/bin/python tests/golden/verdicts.py

Oracles: SciPy, statsmodels, R's pROC (paired DeLong test, covariances) and lmerTest (the crossed t
where no component is floored). The floored cases and Obuchowski-Rockette, which no library computes,
come from NumPy versions that share no code with C++; the latter composes leave-one-group-out
areas from scikit-learn.
"""

import itertools
import json
import math
import pathlib
import platform
import subprocess
import tempfile

import numpy as np
import scipy
import scipy.stats as st
import sklearn
import statsmodels
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

HERE = pathlib.Path(__file__).resolve().parent
rng = np.random.default_rng(20)


def run_r(code):
    with tempfile.NamedTemporaryFile("w", suffix=".R") as script:
        script.write("options(digits = 17)\n" + code)
        script.flush()
        out = subprocess.run(["Rscript", "--vanilla", script.name], capture_output=True, text=True)
        if out.returncode != 0:
            raise RuntimeError(out.stderr)
        return [float(x) for x in out.stdout.split()]


def vector(values):
    return "c(" + ",".join(repr(float(v)) for v in np.ravel(values)) + ")"


def paired():
    cases = []
    for n, shift in ((5, 0.0), (5, 0.02), (10, 0.01), (30, -0.003)):
        a = rng.normal(shift, 0.01, n)
        p_tost = ttost_paired(a, np.zeros(n), -0.01, 0.01)[0]
        t = st.ttest_1samp(a, 0)
        ci = t.confidence_interval(0.95)
        cases.append({"d": a.tolist(), "p": t.pvalue, "low": ci.low, "high": ci.high,
                      "margin": 0.01, "tost": p_tost})
    return cases


def sign_flips():
    cases = []
    for d in ([0.01, 0.02, -0.005, 0.03, 0.01], [1, 1, 1, 1, 1], [0.5, -0.5, 0.25, 0, 0.25],
              rng.normal(0.3, 1, 12).tolist(), [0.0, 0.0, 0.0]):
        x = np.asarray(d, float)
        sums = np.array([np.dot(s, x) for s in itertools.product((1, -1), repeat=len(x))])
        p = float(np.mean(np.abs(sums) >= abs(x.sum()) - 1e-12 * np.abs(x).sum()))
        if len(x) == 12:  # SciPy's own exact test agrees
            r = st.permutation_test((x,), np.sum, permutation_type="samples", n_resamples=np.inf)
            assert abs(r.pvalue - p) < 1e-12
        cases.append({"d": x.tolist(), "p": p})
    return cases


def crossed_numpy(d):
    """d: S x G.  The crossed t with floors."""
    s, g = d.shape
    row, col, m = d.mean(1, keepdims=True), d.mean(0, keepdims=True), d.mean()
    mss = g * ((row - m) ** 2).sum() / (s - 1)
    msg = s * ((col - m) ** 2).sum() / (g - 1)
    mse = ((d - row - col + m) ** 2).sum() / ((s - 1) * (g - 1))
    a, b = max(mss, mse), max(msg, mse)
    v = a + b - mse
    df = v**2 / (a**2 / (s - 1) + b**2 / (g - 1) + mse**2 / ((s - 1) * (g - 1)))
    return {"value": m, "se": math.sqrt(v / (s * g)), "df": df, "mss": mss, "msg": msg, "mse": mse}


def group_values(differences, group):
    s, n = differences.shape
    groups = group.max() + 1
    m = differences.mean()
    out = np.full((s, groups), m)
    for k in range(groups):
        out[:, k] += groups / n * (differences[:, group == k] - m).sum(1)
    return out


def crossed():
    cases = []
    for s, groups, seed_sd, group_sd in ((5, 12, 0.3, 0.4), (8, 20, 0.5, 0.2), (6, 15, 0.0, 0.0),
                                         (3, 9, 0.0, 0.5)):
        sizes = rng.integers(1, 5, groups)
        group = np.repeat(np.arange(groups), sizes)
        base = (0.05 + seed_sd * rng.normal(size=(s, 1)) + (group_sd * rng.normal(size=groups))[group]
                + rng.normal(size=(s, len(group))))
        d = np.sign(np.round(base))  # -1, 0, 1 as differences of correctness are
        row = {"differences": d.tolist(), "group": group.tolist(), **crossed_numpy(group_values(d, group))}
        row["table"] = group_values(d, group).tolist()
        row["lmer"] = False
        if row["mss"] > row["mse"] and row["msg"] > row["mse"]:
            values = group_values(d, group)
            r = run_r(f"""suppressMessages(library(lmerTest))
d <- {vector(values)}; s <- gl({s}, {groups}); g <- rep(gl({groups}, 1), {s})
f <- lmer(d ~ 1 + (1 | s) + (1 | g), control = lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14)))
cat(coef(summary(f))[1, 1:3])""")
            # REML's optimiser stops early; the variances are exact in NumPy.
            np.testing.assert_allclose(r, [row["value"], row["se"], row["df"]], rtol=2e-3)
            row["lmer"] = True
        cases.append(row)
    return cases


def gap():
    rows = []
    for s, g1, g2 in ((5, 10, 14), (7, 6, 30)):
        a = (rng.normal(size=(s, 1)) * 0.1 + rng.normal(size=(1, g1)) * 0.3 + rng.normal(size=(s, g1)))
        b = (rng.normal(size=(s, 1)) * 0.1 + rng.normal(size=(1, g2)) * 0.3 + rng.normal(size=(s, g2)))
        r = a.mean(1) - b.mean(1)
        e, bk = [], []
        for t, g in ((a, g1), (b, g2)):
            c = crossed_numpy(t)
            e.append(c["mse"] / (s * g))
            bk.append(max(c["msg"], c["mse"]) / (s * g))
        top = max(r.var(ddof=1) / s, sum(e))
        v = top + sum(bk) - sum(e)
        df = v**2 / (top**2 / (s - 1) + sum(x**2 / (g - 1) for x, g in zip(bk, (g1, g2)))
                     + sum(x**2 / ((s - 1) * (g - 1)) for x, g in zip(e, (g1, g2))))
        rows.append({"first": a.tolist(), "second": b.tolist(), "value": r.mean(),
                     "se": math.sqrt(v), "df": df})
    return rows


def areas():
    cases = []
    for n, decimals in ((40, 1), (60, 6)):
        y = np.tile([0, 1], n // 2)
        a = np.round(y * 0.8 + rng.normal(size=n), decimals)
        b = np.round(y * 1.1 + rng.normal(size=n), decimals)
        r = run_r(f"""suppressMessages(library(pROC))
y <- {vector(y)}; a <- roc(y, {vector(a)}, direction = "<", quiet = TRUE)
b <- roc(y, {vector(b)}, direction = "<", quiet = TRUE); t <- roc.test(a, b, method = "delong")
cat(auc(a) - auc(b), t$statistic, t$p.value)""")
        cases.append({"y": y.tolist(), "a": a.tolist(), "b": b.tolist(), "difference": r[0],
                      "z": r[1], "p": r[2]})
    return cases


def readers():
    cases = []
    for seeds, groups in ((5, 25), (6, 40)):
        group = np.repeat(np.arange(groups), rng.integers(1, 4, groups))
        n = len(group)
        y = rng.integers(0, 2, groups)[group]
        y[:2] = [0, 1]
        scores = {}
        for t, strength in (("a", 1.0), ("b", 0.6)):
            scores[t] = np.round(y * strength + rng.normal(size=(1, n)) + 0.5 * rng.normal(size=(seeds, n)), 2)
        area = lambda x, keep: roc_auc_score(y[keep], x[keep])
        everything = np.ones(n, bool)
        value = {t: [area(x, everything) for x in scores[t]] for t in scores}
        without = {t: np.array([[area(x, group != k) for k in range(groups)] for x in scores[t]])
                   for t in scores}
        cov = lambda u, v: (groups - 1) / groups * ((u - u.mean()) * (v - v.mean())).sum()
        r = seeds
        cov2 = np.mean([cov(without[t][j], without[t][k]) for t in "ab" for j in range(r) for k in range(r) if j != k])
        cov3 = np.mean([cov(without["a"][j], without["b"][k]) for j in range(r) for k in range(r) if j != k])
        theta = np.array([value["a"], value["b"]])
        inter = theta - theta.mean(0) - theta.mean(1, keepdims=True) + theta.mean()
        mstr = (inter**2).sum() / (r - 1)
        denominator = mstr + r * max(cov2 - cov3, 0)
        mst = r * ((theta.mean(1) - theta.mean()) ** 2).sum()
        df = denominator**2 / (mstr**2 / (r - 1))
        cases.append({"y": y.tolist(), "group": group.tolist(), "a": scores["a"].tolist(),
                      "b": scores["b"].tolist(), "values": theta.tolist(),
                      "without": [without["a"].tolist(), without["b"].tolist()],
                      "difference": theta[0].mean() - theta[1].mean(),
                      "p": st.f.sf(mst / denominator, 1, df), "df": df})
    return cases


def main():
    p = [0.01, 0.04, 0.03, 0.005, 0.04, 0.9]
    power = TTestPower()
    result = {
        "made_by": ".venv-peers/bin/python tests/golden/verdicts.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__,
                     "scipy": scipy.__version__, "sklearn": sklearn.__version__,
                     "statsmodels": statsmodels.__version__},
        "paired": paired(), "sign_flip": sign_flips(), "crossed": crossed(), "gap": gap(),
        "delong": areas(), "readers": readers(),
        "holm": {"p": p, "corrected": multipletests(p, method="holm")[1].tolist()},
        "binomial": [{"hits": k, "n": n, "p": st.binomtest(k, n).pvalue}
                     for k, n in ((0, 5), (3, 5), (9, 10), (15, 30), (1, 1))],
        "mcnemar": [{"a": a, "b": b, "p": float(mcnemar([[5, a], [b, 5]], exact=True).pvalue)}
                    for a, b in ((3, 9), (0, 6), (10, 10), (20, 45))],
        "power": [{"n": n, "detect": d, "sd": sd,
                   "power": power.power(d / sd, n, 0.05, alternative="two-sided")}
                  for n, d, sd in ((5, 0.02, 0.01), (10, 0.02, 0.03), (30, 0.01, 0.02))],
    }
    (HERE / "verdicts.json").write_text(json.dumps(result, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
