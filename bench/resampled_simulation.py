"""How often tests over overlapping training sets call two equal learners different.

Every repetition draws a pool of labelled cases from the population, divides it again and again, and really trains
both arms on every division: small models in closed form (ridge regression on the labels -1 and 1), so that thousands
of pools can be drawn.  Independent draws of scores could not show what sharing training cases does.  The null
hypothesis is that both arms have the same expected accuracy over training sets of this size:

    features    each arm reads its own five features of ten with one law: equal by symmetry
    shared      two of five features are common to both arms: equal by symmetry
    luck        both arms read all features through ten random ReLU units, drawn anew for every training
    penalties   two ridge penalties on fifteen correlated features, one too small and one too large, tuned to the same
                accuracy on pools of their own

    better      not the null: as features, but those of the second arm tell the classes less well

    python3 bench/resampled_simulation.py [--repetitions 2000] [--designs splits folds] [--metric auroc]

needs NumPy and SciPy, and prints Markdown tables.  The rules are written here once more, on purpose.
"""

import argparse
import itertools
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np
import scipy.optimize
from scipy.special import stdtr
from scipy.stats import norm

ALPHA = 0.05
COUNTS = (5, 10, 30)  # splits or repetitions
SETTINGS = ("features", "shared", "luck", "penalties", "better")
# penalties: neighbours correlate by 0.6; every third feature tells the classes apart.
COVARIANCE = 0.6 ** np.abs(np.subtract.outer(np.arange(15), np.arange(15)))
ROOT = np.linalg.cholesky(COVARIANCE)
SHIFT = np.where(np.arange(15) % 3 == 0, 0.4, 0.0)


def draw_pool(rng, setting, n, prevalence=0.5):
    """Features of each arm, (n, p) twice, and labels -1 or 1, prevalence of them 1."""
    y = np.where(rng.permutation(n) < round(prevalence * n), 1.0, -1.0)
    if setting == "penalties":
        x = rng.normal(size=(n, 15)) @ ROOT.T + SHIFT * y[:, None]
        return x, x, y
    x = rng.normal(size=(n, 10)) + 0.35 * y[:, None]
    if setting == "better":
        x[:, 5:] -= 0.17 * y[:, None]
    if setting in ("features", "better"):
        return x[:, :5], x[:, 5:], y
    if setting == "shared":
        return x[:, :5], x[:, [0, 1, 5, 6, 7]], y
    return x[:, :5], x[:, :5], y


def scores(rng, x, y, train, penalty, random_units):
    """One row per training: the score of every case by ridge regression on the cases of train (trainings, n)."""
    m, n = train.shape
    if random_units:  # features of their own for every training
        w = rng.normal(size=(m, x.shape[1] + 1, 10)) / 2
        f = np.maximum(0, np.concatenate([x, np.ones((n, 1))], 1) @ w)  # (m, n, 10)
        f = np.concatenate([f, np.ones((m, n, 1))], 2)
        ft = f * train[:, :, None]
        a = ft.transpose(0, 2, 1) @ f
        b = ft.transpose(0, 2, 1) @ y
    else:
        f = np.concatenate([x, np.ones((n, 1))], 1)
        p = f.shape[1]
        a = (train @ (f[:, :, None] * f[:, None, :]).reshape(n, p * p)).reshape(m, p, p)
        b = train @ (f * y[:, None])
    p = a.shape[-1]
    a = a + penalty * np.diag([1.0] * (p - 1) + [1e-9])
    beta = np.linalg.solve(a, b[:, :, None])[:, :, 0]
    return np.einsum("mnp,mp->mn", f, beta) if random_units else beta @ f.T


def trained_scores(rng, setting, pool, train, penalties):
    xa, xb, y = pool
    return [scores(rng, x, y, train, penalty, setting == "luck") for x, penalty in zip((xa, xb), penalties)]


def areas(score, y, test):
    """AUROC of every training on its test cases, (trainings,), and with each case left out, (trainings, n)."""
    pos, neg = y > 0, y < 0
    tp, tn = test[:, pos], test[:, neg]
    wins = (score[:, pos, None] > score[:, None, neg]) * tp[:, :, None] * tn[:, None, :]
    p, n = tp.sum(1, keepdims=True), tn.sum(1, keepdims=True)
    total = wins.sum((1, 2))[:, None]
    with np.errstate(all="ignore"):
        whole = total / (p * n)
        without = np.repeat(whole, len(y), 1)
        without[:, pos] = np.where(tp > 0, (total - wins.sum(2)) / ((p - 1) * n), whole)
        without[:, neg] = np.where(tn > 0, (total - wins.sum(1)) / (p * (n - 1)), whole)
    return whole[:, 0], without


def of_accuracy(score, y, test):
    """correct_A - correct_B of the tested cases, else 0, (trainings, n); and its mean per training."""
    d = ((score[0] * y > 0).astype(float) - (score[1] * y > 0)) * test
    return d, d.sum(1) / test.sum(1)


def random_splits(rng, n, n_test, count):
    return rng.permuted(np.tile(np.arange(n) < n_test, (count, 1)), axis=1).astype(float)


def folds(rng, y, k, repetitions, stratified):
    fold_of = np.zeros((repetitions, len(y)), int)
    for part in (y > 0, y < 0) if stratified else (y == y,):
        deal = np.arange(part.sum()) % k
        fold_of[:, part] = rng.permuted(np.tile(deal, (repetitions, 1)), axis=1)
    return (fold_of[:, None, :] == np.arange(k)[None, :, None]).reshape(-1, len(y)).astype(float)


def tuned_penalties(n_train, pools=2000):
    """A large penalty, and the small one that has the same accuracy with n_train cases of the population."""
    rng = np.random.default_rng(99)
    drawn = [draw_pool(rng, "penalties", n_train) for _ in range(pools)]
    f = np.array([np.concatenate([x, np.ones((n_train, 1))], 1) for x, _, _ in drawn])
    a = f.transpose(0, 2, 1) @ f
    b = (f.transpose(0, 2, 1) @ np.array([y for _, _, y in drawn])[:, :, None])

    def accuracy(penalty):  # mean over the pools, each exactly: the features are normal
        beta = np.linalg.solve(a + penalty * np.diag([1.0] * 15 + [1e-9]), b)[:, :, 0]
        w, c = beta[:, :15], beta[:, 15]
        spread, shift = np.sqrt(np.einsum("mp,pq,mq->m", w, COVARIANCE, w)), w @ SHIFT
        return np.mean(norm.cdf((shift + c) / spread) + norm.cdf((shift - c) / spread)) / 2

    # Accuracy rises with the penalty to its best and then falls to that of the largest.
    tried = 10.0 ** np.arange(-3, 6, 0.25)
    best = tried[np.argmax([accuracy(p) for p in tried])]
    large = best * 100
    goal, low, high = accuracy(large), 1e-6, best
    if accuracy(low) > goal:  # the small one cannot be as bad: take a larger large one's place
        large = brent(lambda p: accuracy(p) - accuracy(low), best, 1e7)
        return low, large
    return brent(lambda p: accuracy(p) - goal, low, high), large


def brent(function, low, high):
    return 10 ** scipy.optimize.brentq(lambda e: function(10 ** e), np.log10(low), np.log10(high))


def least_cases(metric, y):
    return len(y) - 1 if metric == "accuracy" else min((y > 0).sum(), (y < 0).sum()) - 1


def t_p(value, variance, df, most):
    """most: the cases that the metric rests on, less 1 (every case is its own patient here); at least 4."""
    df = min(df, max(most, 4))
    if variance <= 0:
        return 1.0 if value == 0 else 0.0
    return 2 * stdtr(df, -abs(value) / np.sqrt(variance))


def resampled(d, ratio):
    """Nadeau and Bengio 2003: variance and degrees of freedom."""
    return (1 / len(d) + ratio) * d.var(ddof=1), len(d) - 1


def crossed(d):
    """The crossed t over repetitions and cases, with floors: variance, degrees of freedom."""
    s, g = d.shape
    row, column, m = d.mean(1), d.mean(0), d.mean()
    ms_s = g * ((row - m) ** 2).sum() / (s - 1)
    ms_g = s * ((column - m) ** 2).sum() / (g - 1)
    ms_e = ((d - row[:, None] - column[None, :] + m) ** 2).sum() / ((s - 1) * (g - 1))
    a, b = max(ms_s, ms_e), max(ms_g, ms_e)
    total = a + b - ms_e
    if total == 0:
        return 0.0, s - 1
    df = total ** 2 / (a ** 2 / (s - 1) + b ** 2 / (g - 1) + ms_e ** 2 / ((s - 1) * (g - 1)))
    return total / (s * g), df


def readers(value, without):
    """Obuchowski and Rockette with repetitions as readers, jackknife over cases; Hillis' degrees of freedom."""
    r, n = without.shape
    own = value.var(ddof=1) / r
    rest = without - without.mean(1, keepdims=True)
    c = (n - 1) / n * rest @ rest.T
    v = own + max((c.sum() - np.trace(c)) / (r * (r - 1)), 0)
    return v, v * v / (own * own / (r - 1)) if own > 0 else r - 1


def study_of_splits(rng, metric, prevalence, setting, n, share, penalties):
    """p values by rule and number of splits."""
    n_test = round(share * n)
    test = random_splits(rng, n, n_test, max(COUNTS))
    pool = draw_pool(rng, setting, n, prevalence)
    score = trained_scores(rng, setting, pool, 1 - test, penalties)
    if metric == "accuracy":
        per_split = of_accuracy(score, pool[2], test)[1]
    else:
        per_split = areas(score[0], pool[2], test)[0] - areas(score[1], pool[2], test)[0]
    out = {}
    for s in COUNTS:
        x = per_split[:s]
        out["paired t over splits", s] = t_p(x.mean(), x.var(ddof=1) / s, s - 1, np.inf)
        v, df = resampled(x, n_test / (n - n_test))
        out["corrected resampled t", s] = t_p(x.mean(), v, df, least_cases(metric, pool[2]))
    return out


def study_of_folds(rng, metric, prevalence, setting, n, k, penalties):
    """p values by rule and number of repetitions."""
    pool = draw_pool(rng, setting, n, prevalence)
    test = folds(rng, pool[2], k, max(COUNTS), stratified=prevalence < 0.5)
    score = trained_scores(rng, setting, pool, 1 - test, penalties)
    if metric == "accuracy":
        d, per_fold = of_accuracy(score, pool[2], test)
        whole = d.reshape(-1, k, n).sum(1)  # of every case in every repetition
    else:
        (a, a_without), (b, b_without) = (areas(one, pool[2], test) for one in score)
        per_fold = a - b
        whole = (a_without - b_without).reshape(-1, k, n).mean(1)
    out = {}
    most = least_cases(metric, pool[2])
    for r in COUNTS:
        x = per_fold[:r * k]
        v_r, df_r = resampled(x, 1 / (k - 1))
        if metric == "accuracy":
            m, (v_c, df_c) = whole[:r].mean(), crossed(whole[:r])
        else:
            m, (v_c, df_c) = x.mean(), readers(x.reshape(r, k).mean(1), whole[:r])
        out["paired t over folds", r] = t_p(x.mean(), x.var(ddof=1) / (r * k), r * k - 1, np.inf)
        out["resampled, 1/(k-1)", r] = t_p(m, v_r, df_r, most)
        out["crossed over repetitions", r] = t_p(m, v_c, df_c, most)
        out["the larger of both", r] = t_p(m, max(v_r, v_c), df_r if v_r > v_c else df_c, most)
    return out


def rates(study, repetitions, rng, *arguments):
    """Share of p <= alpha by rule and count, and how many of the pools had a p."""
    found = {}
    for _ in range(repetitions):
        for key, p in study(rng, *arguments).items():
            found.setdefault(key, []).append(p)
    # Not a number: a split without one of the classes has no AUROC, and then there is no verdict.
    given = {key: np.array(p)[~np.isnan(p)] for key, p in found.items()}
    return {key: (np.mean(p <= ALPHA) if len(p) > 0 else np.nan, len(p)) for key, p in given.items()}


def cell(rate, given, repetitions, is_level):
    too_many = is_level and rate > ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / max(given, 1))
    return f"{rate:.3f}" + ("*" if too_many else "") + (f" ({given} given)" if given < repetitions else "")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pools", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--settings", nargs="+", default=SETTINGS, choices=SETTINGS)
    parser.add_argument("--metric", default="accuracy", choices=["accuracy", "auroc"])
    parser.add_argument("--prevalence", type=float, default=0.5)
    parser.add_argument("--designs", nargs="+", default=["splits", "folds"], choices=["splits", "folds"])
    o = parser.parse_args()
    print(f"{o.metric}, {o.prevalence} of the cases positive, {o.repetitions} pools a row; "
          "a level above 0.05 + 3 standard errors has a star; fewer positives than half: folds are stratified\n")
    designs = [("splits", study_of_splits, 0.2), ("splits", study_of_splits, 0.5), ("folds", study_of_folds, 5),
               ("folds", study_of_folds, 10)]
    designs = [design for design in designs if design[0] in o.designs]
    heads = {"splits": ["paired t over splits", "corrected resampled t"],
             "folds": ["paired t over folds", "resampled, 1/(k-1)", "crossed over repetitions", "the larger of both"]}
    said = None
    for (kind, study, what), setting, n in itertools.product(designs, o.settings, o.pools):
        if said != kind:
            print(f"\n| arms differ by | pool | {kind} | count | " + " | ".join(heads[kind]) + " |")
            print("|---|---|---|---|" + "---|" * len(heads[kind]), flush=True)
            said = kind
        n_train = n - round(what * n) if kind == "splits" else n - n // what
        penalties = tuned_penalties(n_train) if setting == "penalties" else (1.0, 1.0)
        rng = np.random.default_rng([o.seed, n, int(100 * what), SETTINGS.index(setting)])
        level = rates(study, o.repetitions, rng, o.metric, o.prevalence, setting, n, what, penalties)
        for count in COUNTS:
            cells = [cell(*level[h, count], o.repetitions, setting != "better") for h in heads[kind]]
            named = f"{round(100 * what)} % tested" if kind == "splits" else f"{what}-fold"
            print(f"| {setting} | {n} | {named} | {count} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
