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
    """Abramowitz and Stegun 26.7.5: within 0.1 % of the quantile from 6 degrees of freedom on."""
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


def judge(cell, studies):
    """The cell's row: rates, bounds, and `broken`, a list of sentences."""
    given = [s for s in studies if not s.refused]
    fb, fe = [false_better(s) for s in studies], [false_equivalent(s, cell.margin) for s in studies]
    fb_given = [false_better(s) for s in given]
    fe_given = [false_equivalent(s, cell.margin) for s in given]
    n, seeds = len(studies), cell.law.seeds
    better_bound = most(ALPHA, len(given))
    if seeds == 5:
        better_bound = max(better_bound, AT_FIVE_SEEDS)
    mean = sum(s.estimates[0] * (1 if s.truths[0] >= 0 else -1) for s in studies) / n
    spread = sqrt(sum((abs(s.truths[0]) - s.estimates[0] * (1 if s.truths[0] >= 0 else -1)) ** 2
                      for s in studies) / n)
    row = {"cell": cell.name, "metric": cell.metric, "seeds": seeds, "patients": cell.law.patients,
           "prevalence": cell.law.prevalence, "sizes": cell.law.sizes, "margin": cell.margin,
           "difference": cell.differences[0], "studies": n, "given": len(given),
           "estimate": {"mean": mean, "error": spread / sqrt(n), "deviation": spread},
           "refused": rate([s.refused for s in studies]), "right": rate([right(s) for s in studies]),
           "false_better": {**rate(fb), "of_given": rate(fb_given), "bound": better_bound},
           "false_equivalent": {**rate(fe), "of_given": rate(fe_given),
                                "bound": most(ALPHA, len(given))}}
    broken = []
    for key, what in (("false_better", "false better"), ("false_equivalent", "false equivalent")):
        if row[key]["of_given"]["rate"] > row[key]["bound"]:
            broken.append(f"{what} {row[key]['of_given']['rate']:.3f} > {row[key]['bound']:.3f}")
    share = row["refused"]["rate"]
    if cell.refused == "all" and share < 1:
        broken.append(f"refused {share:.3f}, not 1")
    if cell.refused == "none" and share > 0:
        broken.append(f"refused {share:.3f}, not 0")
    if row["right"]["rate"] < cell.least_right:
        broken.append(f"right {row['right']['rate']:.3f} < {cell.least_right}")
    if cell.oracle and given:
        # The t of the true variance, with each study's own degrees of freedom.
        oracle = [abs(s.estimates[0]) / spread > t_quantile(1 - ALPHA / 2, s.df[0] or 1e9)
                  for s in given]
        kept = [right(s) for s in given]
        gap = [k - POWER_SHARE * o for k, o in zip(kept, oracle)]
        centre = sum(gap) / len(gap)
        error = sqrt(sum((x - centre) ** 2 for x in gap)) / len(gap)
        row["oracle"] = rate(oracle)
        if centre + 3 * error < 0:
            broken.append(f"power {rate(kept)['rate']:.3f} < {POWER_SHARE} of "
                          f"{row['oracle']['rate']:.3f}")
    # The generator does what it says, or the rates mean nothing.
    if abs(mean - abs(row["difference"])) > 5 * spread / sqrt(n) + 1e-9:
        broken.append(f"mean estimate {mean:.4f} is not {row['difference']:.4f}")
    row["broken"] = broken
    return row
