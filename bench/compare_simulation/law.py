"""One study drawn from a law of which the true difference is known, as a file for `bioptic compare`.

Every image of every arm and seed has an evidence z, normal with variance 1 around a mean that says
how often the arm is right: it is, where z > 0.  The variance is shared out between effects of

    seed           arm and seed               (a training that went well)
    patient        patient, both arms         (an easy patient)
    arm_patient    arm and patient            (a patient that suits an arm: what other patients change)
    seed_patient   arm, seed and patient
    image          image, both arms
    the rest       arm, seed and image

so that P(right) = Phi(mean) over other seeds and other patients, whatever the shares.  The score is
the logistic function of z in the direction of the image's label.  Besides, for a share
`all_or_none` of the patients (of the positive ones only where the metric is of positives) arm A is
right and arm B wrong on every image with every seed: the corner in which a sample without such a
patient says nothing of them.

Shares no code with the program.
"""

from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np

NORMAL = NormalDist()
SURE = 6.0  # evidence for or against of the all-or-none patients, far from all others
STEEP = 1.3  # logit of a score per unit of evidence: few scores round to 0 or 1
DIGITS = 5

# Images of a patient: shares of the patients, as in a collection of chest X-rays (Kish's effective
# number is 0.73 of the patients).
XRAY = {1: .810, 2: .125, 3: .039, 4: .013, 5: .007, 6: .003, 7: .003}


@dataclass(frozen=True)
class Law:
    seeds: int
    patients: int
    right: float = 0.85  # share right of arm A, or its AUROC where `auroc` is set
    # What B, C, ... lack of that, in negatives and in positives (AUROC: the second).
    lacks: tuple = ((0.0, 0.0),)
    prevalence: float = 0.5  # share of patients whose images are positive
    sizes: str = "one"  # one, xray, few_large, one_third
    auroc: bool = False
    all_or_none: float = 0.0
    of_positives: bool = False  # all-or-none patients are all positive
    shares: dict = field(default_factory=lambda: dict(seed=.004, patient=.35, arm_patient=.06,
                                                      seed_patient=.08, image=.2))

    @property
    def arms(self):
        return 1 + len(self.lacks)


def sizes_of(law, rng):
    """Images of each patient, in random order."""
    g = law.patients
    if law.sizes == "one":
        return np.ones(g, int)
    if law.sizes == "xray":
        return rng.choice(list(XRAY), size=g, p=list(XRAY.values()))
    counts = np.ones(g, int)
    if law.sizes == "few_large":
        counts[:g // 20] = 8  # Kish's effective number: 0.42 of the patients
    elif law.sizes == "one_third":
        counts[0] = round(0.54 * g)  # 35 % of the images; effective number below 10
    else:
        raise ValueError(law.sizes)
    return rng.permutation(counts)


def means(law):
    """Mean evidence by arm (A, B, ...) and label (0, 1)."""
    out = []
    for negatives, positives in ((0.0, 0.0),) + law.lacks:
        if law.auroc:
            # A positive and a negative of two patients, same seed: the seed's effect moves them apart.
            spread = (2 + 2 * law.shares["seed"]) ** 0.5
            half = spread * NORMAL.inv_cdf(law.right - positives) / 2
            out.append((half, half))
        else:
            out.append((NORMAL.inv_cdf(law.right - negatives),
                        NORMAL.inv_cdf(law.right - positives)))
    return np.array(out)


def draw(law, rng):
    """Label and patient of each image, evidence by arm, seed and image."""
    g, s, arms = law.patients, law.seeds, law.arms
    positive = np.zeros(g, int)
    positive[:round(law.prevalence * g)] = 1
    counts = sizes_of(law, rng)
    patient = np.repeat(np.arange(g), counts)
    label = positive[patient]
    n = len(patient)

    def effect(name, *shape):
        return law.shares[name] ** 0.5 * rng.standard_normal(shape)

    rest = max(1 - sum(law.shares.values()), 0.0)
    z = rest ** 0.5 * rng.standard_normal((arms, s, n))
    z += effect("seed", arms, s, 1)
    z += (effect("patient", 1, 1, g) + effect("arm_patient", arms, 1, g) +
          effect("seed_patient", arms, s, g))[:, :, patient]
    z += effect("image", 1, 1, n)
    z += means(law)[:, label][:, None, :]
    if law.all_or_none:
        struck = rng.random(g) < law.all_or_none
        if law.of_positives:
            struck &= positive == 1
        at = struck[patient]
        sure = SURE + 0.1 * rng.standard_normal((arms, s, at.sum()))
        z[:, :, at] = np.where(np.arange(arms)[:, None, None] == 0, sure, -sure)
    return label, patient, z


def true_difference(law, metric):
    """A minus B, ... over other seeds and other patients; exact."""
    out = []
    for negatives, positives in law.lacks:
        kind = {"accuracy": (1 - law.prevalence) * negatives + law.prevalence * positives,
                "sensitivity": positives, "specificity": negatives, "auroc": positives,
                "balanced_accuracy": (negatives + positives) / 2}[metric]
        q = law.all_or_none
        if q:  # where they are not all positive they are as frequent in both classes
            on = {"accuracy": law.prevalence, "sensitivity": 1, "specificity": 0, "auroc": 1,
                  "balanced_accuracy": .5}[metric] if law.of_positives else 1
            if metric == "auroc" and not law.of_positives:
                raise ValueError("the AUROC of struck negatives and positives is not known here")
            kind = kind * (1 - q) + q * on
        out.append(kind)
    return out


def digits(values, width):
    """Decimal digits of whole numbers as bytes, (..., width)."""
    powers = 10 ** np.arange(width - 1, -1, -1)
    return (values[..., None] // powers % 10 + ord("0")).astype(np.uint8)


def as_csv(label, patient, z, names):
    """arm,seed,image,label,score,group; `names` one letter for each arm of z."""
    arms, seeds, n = z.shape
    right = np.where(label == 1, 1.0, -1.0)
    score = 1 / (1 + np.exp(-STEEP * z * right))
    top, half = 10 ** DIGITS, 10 ** DIGITS // 2
    whole = np.clip(np.rint(score * top).astype(int), 1, top - 1)
    # Rounding must not move an image over the threshold of 0.5.
    whole = np.where(z * right > 0, np.maximum(whole, half + 1), np.minimum(whole, half))
    row = np.frombuffer(b"A,00,i0000,0,0.00000,g0000\n", np.uint8)
    rows = np.empty((arms, seeds, n, len(row)), np.uint8)
    rows[:] = row
    rows[..., 0] = np.frombuffer("".join(names).encode(), np.uint8)[:, None, None]
    rows[..., 2:4] = digits(10 + np.arange(seeds), 2)[None, :, None]
    rows[..., 6:10] = digits(np.arange(n), 4)
    rows[..., 11] = label + ord("0")
    rows[..., 15:20] = digits(whole, DIGITS)
    rows[..., 22:26] = digits(patient, 4)
    return b"arm,seed,image,label,score,group\n" + rows.tobytes()
