"""Rates of what `bioptic compare` said of the studies of one cell, and the bounds that they must keep."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

ALPHA = 0.05
AT_FIVE_SEEDS = 0.07  # the crossed t with five seeds
POWER_SHARE = 0.9


@dataclass
class Study:
    """What was said of one file; lists over the pairs of arms, A the first."""
    verdicts: list
    estimates: list
    df: list  # of E2; None where it has none
    truths: list

    @property
    def refused(self):
        return all(v == "not_allowed" for v in self.verdicts)


def same_sign(verdict, truth):
    return (verdict == "a_better") == (truth > 0)


def false_better(study):
    return any(v in ("a_better", "b_better") and (t == 0 or not same_sign(v, t))
               for v, t in zip(study.verdicts, study.truths))


def false_equivalent(study, margin):
    return any(v == "no_effect" and abs(t) >= margin - 1e-12
               for v, t in zip(study.verdicts, study.truths))


def right(study):
    return all(v == "no_effect" if t == 0 else v in ("a_better", "b_better") and same_sign(v, t)
               for v, t in zip(study.verdicts, study.truths))


def t_quantile(p, df):
    """Abramowitz and Stegun 26.7.5: within 0.04 % of the quantile from 4 degrees of freedom on."""
    z = NormalDist().inv_cdf(p)
    terms = ((z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96,
             (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
             (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160)
    return z + sum(term / df**(k + 1) for k, term in enumerate(terms))


def rate(flags):
    """(share, its standard error)."""
    n = len(flags)
    share = sum(flags) / n if n else 0.0
    return {"rate": share, "error": sqrt(share * (1 - share) / n) if n else 0.0}


def most(bound, n):
    """What a rate over n studies may be where the true one is `bound`: 3 standard errors above."""
    return bound + 3 * sqrt(bound * (1 - bound) / n) if n else 1.0


def rates_of(cell, studies):
    given = [s for s in studies if not s.refused]
    better, equal = false_better, lambda s: false_equivalent(s, cell.margin)
    better_bound = most(ALPHA, len(given))
    if cell.law.seeds == 5:
        better_bound = max(better_bound, AT_FIVE_SEEDS)
    return {"cell": cell.name, "metric": cell.metric, "seeds": cell.law.seeds,
            "patients": cell.law.patients, "prevalence": cell.law.prevalence,
            "sizes": cell.law.sizes, "margin": cell.margin, "difference": cell.differences[0],
            "studies": len(studies), "given": len(given), "estimate": estimate(studies),
            "refused": rate([s.refused for s in studies]),
            "right": rate([right(s) for s in studies]),
            "false_better": {**rate([better(s) for s in studies]),
                             "of_given": rate([better(s) for s in given]), "bound": better_bound},
            "false_equivalent": {**rate([equal(s) for s in studies]),
                                 "of_given": rate([equal(s) for s in given]),
                                 "bound": most(ALPHA, len(given))}}


def estimate(studies):
    """Of the first pair, in the direction of the true difference: mean, its error, deviation."""
    n = len(studies)
    values = [s.estimates[0] if s.truths[0] >= 0 else -s.estimates[0] for s in studies]
    deviation = sqrt(sum((v - abs(s.truths[0])) ** 2 for v, s in zip(values, studies)) / n)
    return {"mean": sum(values) / n, "error": deviation / sqrt(n), "deviation": deviation}


def power(row, studies):
    """Share of studies that the t with the true variance and their own degrees of freedom would find, and
    what the right verdicts are above 0.9 of that, with its standard error (the studies are paired)."""
    given = [s for s in studies if not s.refused]
    deviation = row["estimate"]["deviation"]
    oracle = [abs(s.estimates[0]) / deviation > t_quantile(1 - ALPHA / 2, s.df[0]) for s in given]
    above = [right(s) - POWER_SHARE * o for s, o in zip(given, oracle)]
    mean = sum(above) / len(above)
    return rate(oracle), mean, sqrt(sum((x - mean) ** 2 for x in above)) / len(above)


def broken(cell, row, studies):
    out = []
    for key, what in (("false_better", "false better"), ("false_equivalent", "false equivalent")):
        if row[key]["of_given"]["rate"] > row[key]["bound"]:
            out.append(f"{what} {row[key]['of_given']['rate']:.3f} > {row[key]['bound']:.3f}")
    share = row["refused"]["rate"]
    if share != (1 if cell.refused == "all" else 0):
        out.append(f"refused {share:.3f}, should be {cell.refused}")
    if row["right"]["rate"] < cell.least_right:
        out.append(f"right {row['right']['rate']:.3f} < {cell.least_right}")
    if cell.oracle and row["given"]:
        row["oracle"], above, error = power(row, studies)
        if above + 3 * error < 0:
            out.append(f"power {row['right']['rate']:.3f} < {POWER_SHARE} of "
                       f"{row['oracle']['rate']:.3f}")
    # The generator does what it says, or the rates mean nothing.
    e = row["estimate"]
    if abs(e["mean"] - abs(row["difference"])) > 5 * e["error"] + 1e-9:
        out.append(f"mean estimate {e['mean']:.4f} is not {row['difference']:.4f}")
    return out


def judge(cell, studies):
    """The cell's row: rates with their standard errors, bounds, and `broken`, a list of sentences."""
    row = rates_of(cell, studies)
    row["broken"] = broken(cell, row, studies)
    return row
