"""Makes edges.json: oracle values at the edges, ties, tiny and degenerate inputs, of the statistics in
src/bioptic/stats, and Obuchowski-Rockette composed in R from pROC's covariances.

    scripts/peers && .venv-peers/bin/pip install statsmodels
    apt-get install r-base-core r-cran-proc r-cran-lmertest r-cran-lme4
    .venv-peers/bin/python tests/golden/edges.py

All goldens of the statistics at once: tests/golden/statistics.py.  null is "undefined".
"""

import json
import math
import pathlib
import platform

import numpy as np
import scipy
import scipy.stats as st
import sklearn
import sklearn.metrics as skm
import statsmodels
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from descriptive import r_versions
from verdicts import crossed_numpy, group_values, run_r, vector

HERE = pathlib.Path(__file__).resolve().parent
COMMAND = ".venv-peers/bin/python tests/golden/edges.py"
rng = np.random.default_rng(40)


def wilson():
    return [{"hits": k, "n": n, "low": max(0, proportion_confint(k, n, method="wilson")[0]),
             "high": min(1, proportion_confint(k, n, method="wilson")[1])}
            for k, n in ((0, 1), (1, 1), (0, 7), (7, 7), (1, 2), (3, 400), (399, 400), (200, 400), (295, 400))]


def t_intervals():
    cases = []
    for values in ([0.5, 0.5], [0.1, 0.9], [0.74, 0.73, 0.755, 0.7475, 0.7275], [1e-9, 2e-9, 4e-9],
                   [1e6 + 0.25, 1e6 + 0.5, 1e6 + 0.125], rng.normal(0.8, 0.02, 30).tolist()):
        x = np.array(values)
        if x.std() == 0:
            low = high = x.mean()
        else:
            low, high = st.t.interval(0.95, len(x) - 1, x.mean(), st.sem(x))
        cases.append({"values": values, "mean": x.mean(), "sd": x.std(ddof=1), "low": low, "high": high})
    return cases


def crossed():
    """Tiny tables, ties, one group of nearly everything, differences that are 0 or +-1 as accuracy's are."""
    cases = []
    for name, s, sizes, kind in (
            ("two seeds, two groups", 2, [1, 1], "normal"), ("two seeds, three groups", 2, [2, 1, 4], "sign"),
            ("accuracy, sizes to seven", 5, [1] * 12 + [2] * 5 + [3] * 2 + [7], "sign"),
            ("one group of most images", 6, [30, 1, 1, 1], "sign"), ("thirty seeds", 30, [1] * 25 + [2] * 5, "sign"),
            ("seeds alone differ", 5, [1] * 8, "seeds"), ("groups alone differ", 5, [1] * 8, "groups"),
            ("all zero", 4, [1, 2, 1], "zero"), ("all the same", 4, [1, 2, 1], "same")):
        group = np.repeat(np.arange(len(sizes)), sizes)
        n = len(group)
        d = {"normal": lambda: rng.normal(size=(s, n)), "sign": lambda: rng.integers(-1, 2, (s, n)).astype(float),
             "seeds": lambda: np.repeat(np.arange(s)[:, None] / 8.0, n, 1),
             "groups": lambda: np.repeat(np.arange(n)[None, :] / 8.0, s, 0),
             "zero": lambda: np.zeros((s, n)), "same": lambda: np.full((s, n), 0.25)}[kind]()
        table = group_values(d, group)
        with np.errstate(all="ignore"):
            want = crossed_numpy(table) if kind not in ("zero", "same") else {
                "value": d.mean(), "se": 0.0, "df": s - 1, "mss": 0.0, "msg": 0.0, "mse": 0.0}
        p = 1.0 if kind == "zero" else None if kind == "same" else 2 * st.t.sf(abs(want["value"] / want["se"]), want["df"])
        cases.append({"name": name, "differences": d.tolist(), "group": group.tolist(), "p": p, **want})
    return cases


def holm():
    cases = []
    for p in ([0.03], [0.05, 0.05, 0.05], [0.0, 1.0, 0.5], [0.011, 0.02, 0.9, 0.012], [1.0, 1.0],
              rng.uniform(0, 0.1, 28).tolist()):
        cases.append({"p": p, "corrected": multipletests(p, method="holm")[1].tolist()})
    return cases


def equivalence():
    """Two one-sided t tests written out, at and around the margin."""
    rows = []
    for value, se, df, margin in ((0, 0.004, 4, 0.01), (0.01, 0.004, 4, 0.01), (-0.01, 0.004, 9, 0.01),
                                  (0.02, 0.001, 29, 0.01), (0.003, 1e-9, 4.7, 0.01), (0.0, 0.5, 1.2, 0.01)):
        p = max(st.t.sf((value + margin) / se, df), st.t.cdf((value - margin) / se, df))
        rows.append({"value": value, "se": se, "df": df, "margin": margin, "p": p})
    return rows


def areas():
    """AUROC with all ties, one image each, infinite ranks; average precision the same."""
    rows = []
    for name, y, s in (("all tied", [0, 1, 0, 1], [3, 3, 3, 3]), ("one each", [0, 1], [1, 2]),
                       ("one each, wrong way", [0, 1], [2, 1]), ("one each, tied", [0, 1], [1, 1]),
                       ("perfect", [0, 0, 1, 1], [1, 2, 3, 4]), ("reversed", [1, 1, 0, 0], [1, 2, 3, 4]),
                       ("one positive in nine", [0] * 8 + [1], [1, 2, 3, 4, 5, 6, 7, 8, 4]),
                       ("coarse", (y := rng.integers(0, 2, 40)).tolist(), (y + rng.integers(0, 3, 40)).tolist())):
        rows.append({"name": name, "y": y, "s": [float(v) for v in s], "auroc": skm.roc_auc_score(y, s),
                     "average_precision": skm.average_precision_score(y, s)})
    return rows


def readers():
    """Obuchowski-Rockette in R from pROC's DeLong covariances.

    With as many positive as negative images, m each, and every image its own group, the jackknife's
    covariance is DeLong's times (2m - 1) / (2m - 2) exactly: leaving image i out moves the area by
    (area - V_i) / (m - 1), and the V_i of a class have the area for their mean.
    """
    cases = []
    for seeds, m in ((5, 20), (8, 30)):
        y = np.tile([0, 1], m)
        image = rng.normal(size=2 * m)
        scores = {t: np.round(y * strength + image + 0.7 * rng.normal(size=(seeds, 2 * m)), 1)
                  for t, strength in (("a", 1.3), ("b", 0.8))}
        both = np.concatenate([scores["a"], scores["b"]])
        code = f"""suppressMessages(library(pROC))
y <- {vector(y)}; S <- {seeds}; m <- {m}
s <- matrix({vector(both)}, nrow = 2 * S, byrow = TRUE)
r <- lapply(1:(2 * S), function(k) roc(y, s[k, ], levels = c(0, 1), direction = "<", quiet = TRUE))
a <- matrix(sapply(r, function(x) as.numeric(auc(x))), nrow = 2, byrow = TRUE)
v <- outer(1:(2 * S), 1:(2 * S), Vectorize(function(i, j)
  if (i == j) as.numeric(var(r[[i]], method = "delong")) else as.numeric(cov(r[[i]], r[[j]], method = "delong"))))
v <- v * (2 * m - 1) / (2 * m - 2)
arm <- rep(1:2, each = S); reader <- rep(1:S, 2)
pick <- function(same_arm) mean(v[outer(arm, arm, "==") == same_arm & outer(reader, reader, "!=")])
cov2 <- pick(TRUE); cov3 <- pick(FALSE)
inter <- a - rowMeans(a) - rep(colMeans(a), each = 2) + mean(a)
mstr <- sum(inter^2) / (S - 1); mst <- S * sum((rowMeans(a) - mean(a))^2)
den <- mstr + S * max(cov2 - cov3, 0); F <- mst / den; df <- den^2 / (mstr^2 / (S - 1))
d <- rowMeans(a)[1] - rowMeans(a)[2]; se <- sqrt(2 / S * den)
cat(d, se, df, pf(F, 1, df, lower.tail = FALSE), d - qt(0.975, df) * se, d + qt(0.975, df) * se, sep = "\\n")"""
        d, se, df, p, low, high = run_r(code)
        cases.append({"y": y.tolist(), "a": scores["a"].tolist(), "b": scores["b"].tolist(), "difference": d,
                      "se": se, "df": df, "p": p, "low": low, "high": high})
    return cases


def tails():
    """Far and small: the distributions where rounding could hide."""
    return {"t_cdf": [{"t": t, "df": df, "p": st.t.cdf(t, df)}
                      for t, df in ((-40, 3), (-8, 1.3), (-1e-8, 5), (0, 1), (2.5, 0.7), (-6, 1e9), (-37, 1e6))],
            "t_quantile": [{"p": p, "df": df, "t": st.t.ppf(p, df)}
                           for p, df in ((0.975, 0.8), (0.975, 1), (0.975, 4.3), (0.975, 1e9), (0.95, 29))],
            "binomial": [{"hits": k, "n": n, "p": st.binomtest(k, n).pvalue}
                         for k, n in ((0, 1), (0, 30), (30, 30), (7, 15), (8, 15), (500, 1100))]}


def without_nan(value):
    if isinstance(value, dict):
        return {k: without_nan(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value


def main():
    parts = {"wilson": wilson, "t_intervals": t_intervals, "crossed": crossed, "holm": holm,
             "equivalence": equivalence, "areas": areas, "readers": readers, "tails": tails}
    lines = [f'"command": {json.dumps(COMMAND)}',
             '"versions": ' + json.dumps({"python": platform.python_version(), "numpy": np.__version__,
                                          "scipy": scipy.__version__, "scikit-learn": sklearn.__version__,
                                          "statsmodels": statsmodels.__version__, "R": r_versions()})]
    for name, make in parts.items():
        value = without_nan(make())
        if isinstance(value, list):
            value = "[\n" + ",\n".join(json.dumps(v, separators=(",", ":")) for v in value) + "\n]"
        else:
            value = json.dumps(value)
        lines.append(f'"{name}": {value}')
    (HERE / "edges.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
