"""The cells of the simulation: a law, a metric, a margin, and what must hold."""

from dataclasses import dataclass

from law import Law, true_difference

# All that varies lies in patients: the arms agree on the others, and errors do not vary with seeds.
STILL = dict(seed=0.0, patient=.9, arm_patient=1e-7, seed_patient=1e-7, image=.1 - 3e-7)
# Each arm has patients of its own that it gets wrong, with every seed.
PATIENTS = dict(seed=.001, patient=.3, arm_patient=.35, seed_patient=.02, image=.2)
# Trainings differ much.
SEEDS = dict(seed=.02, patient=.35, arm_patient=.02, seed_patient=.1, image=.2)
# Little varies: for power.
CALM = dict(seed=.001, patient=.45, arm_patient=.012, seed_patient=.05, image=.25)


@dataclass(frozen=True)
class Cell:
    name: str
    metric: str
    law: Law
    margin: float = 0.02
    refused: str = "none"  # how many studies must be: none or all
    least_right: float = 0.0  # share of right verdicts
    oracle: bool = False  # power at least 0.9 of the same t with the true variance

    @property
    def differences(self):
        return true_difference(self.law, self.metric)


def struck(share, seeds, patients, **more):
    """All-or-none patients; the difference is their share."""
    return Law(seeds=seeds, patients=patients, all_or_none=share,
               **{"right": .9, "shares": STILL, **more})


def lacking(difference, seeds, patients, **more):
    return Law(seeds=seeds, patients=patients, lacks=((difference, difference),), **more)


CELLS = [
    # ---- No difference: how often is one arm called better? ----
    Cell("same accuracy, S 5, G 50", "accuracy", Law(5, 50), .06),
    Cell("same accuracy, S 10, G 50", "accuracy", Law(10, 50, shares=SEEDS), .06),
    Cell("same accuracy, S 10, patients differ", "accuracy",
         Law(10, 305, sizes="xray", shares=PATIENTS), .03),
    Cell("same accuracy, S 30, patients differ", "accuracy", Law(30, 400, shares=PATIENTS), .03),
    Cell("same accuracy, S 5, trainings differ", "accuracy", Law(5, 200, shares=SEEDS), .03),
    Cell("same accuracy, S 10, few large patients", "accuracy",
         Law(10, 200, sizes="few_large", shares=PATIENTS), .03),
    Cell("same accuracy, S 10, rare errors", "accuracy", Law(10, 200, right=.99, shares=PATIENTS)),
    Cell("same accuracy, S 10, three arms", "accuracy", Law(10, 200, lacks=((0, 0), (0, 0))), .03),
    Cell("same sensitivity, S 5, 50 positives", "sensitivity",
         Law(5, 1000, prevalence=.05, shares=PATIENTS), .06),
    Cell("same sensitivity, S 10, 30 positives", "sensitivity", Law(10, 300, prevalence=.1), .1),
    Cell("same balanced accuracy, S 10, 20 %", "balanced_accuracy",
         Law(10, 400, prevalence=.2, shares=PATIENTS), .03),
    Cell("same AUROC, S 5, 10 %", "auroc", Law(5, 300, prevalence=.1, auroc=True)),
    Cell("same AUROC, S 10, 50 %", "auroc", Law(10, 200, auroc=True, shares=PATIENTS)),
    Cell("same AUROC, S 30, 30 %", "auroc", Law(30, 100, prevalence=.3, auroc=True)),
    # No difference, and it can be shown: the standard error of the difference is 0.0058.
    Cell("same accuracy shown, S 10, G 1,000", "accuracy",
         Law(10, 1000, shares=dict(CALM, arm_patient=.04)), least_right=.8),
    # ---- Where other patients cannot be spoken of. ----
    Cell("S 3, same accuracy", "accuracy", Law(3, 400), refused="all"),
    Cell("S 3, all-or-none patients", "accuracy", struck(.02, 3, 400), refused="all"),
    Cell("8 positives, same AUROC", "auroc",
         Law(10, 160, prevalence=.05, auroc=True, shares=PATIENTS), refused="all"),
    Cell("one patient with 35 % of the images, same accuracy", "accuracy",
         Law(10, 200, sizes="one_third", shares=PATIENTS), .05, refused="all"),
    # ---- A true difference of the margin: how often is it called none? ----
    # Worst where a sample without an all-or-none patient is just enough: (1 - M)^K a little below 0.05.
    Cell("all-or-none at the margin, S 5, G 100", "accuracy", struck(.02, 5, 100)),
    Cell("all-or-none at the margin, S 10, G 150", "accuracy", struck(.02, 10, 150)),
    Cell("all-or-none at the margin, S 10, 305 X-ray patients", "accuracy",
         struck(.03, 10, 305, sizes="xray"), .03),
    Cell("all-or-none at the margin, S 10, few large patients", "accuracy",
         struck(.05, 10, 200, sizes="few_large"), .05),
    Cell("all-or-none at the margin, S 30, G 1,000", "accuracy", struck(.02, 30, 1000)),
    Cell("all-or-none at the margin, sensitivity, S 5, 20 positives", "sensitivity",
         struck(.04, 5, 400, prevalence=.05, of_positives=True), .04),
    Cell("all-or-none at the margin, sensitivity, S 10, 100 positives", "sensitivity",
         struck(.03, 10, 400, prevalence=.25, of_positives=True), .03),
    Cell("all-or-none at the margin, balanced accuracy, S 10, 75 positives", "balanced_accuracy",
         struck(.04, 10, 400, prevalence=.1875, of_positives=True)),
    Cell("all-or-none at the margin, AUROC, S 10, 10 %", "auroc",
         struck(.03, 10, 1000, prevalence=.1, of_positives=True, auroc=True), .03),
    Cell("rare errors at the margin, S 10, G 400", "accuracy",
         lacking(.02, 10, 400, right=.995, shares=PATIENTS)),
    Cell("accuracy at the margin, S 5, G 1,000", "accuracy", lacking(.02, 5, 1000, shares=CALM)),
    Cell("accuracy at the margin, S 30, G 1,000", "accuracy", lacking(.02, 30, 1000, shares=CALM)),
    Cell("sensitivity at the margin, S 10, 20 %", "sensitivity",
         lacking(.03, 10, 1000, prevalence=.2, shares=CALM), .03),
    Cell("AUROC at the margin, S 10, 50 %", "auroc",
         lacking(.02, 10, 400, auroc=True, shares=CALM)),
    # ---- Beyond the margin. ----
    Cell("all-or-none 4 points, S 10, G 100", "accuracy", struck(.04, 10, 100)),
    Cell("4 points, S 5, G 400", "accuracy", lacking(.04, 5, 400), oracle=True),
    Cell("4 points, S 10, G 1,000", "accuracy", lacking(.04, 10, 1000, shares=PATIENTS),
         oracle=True),
    Cell("4 points of sensitivity, S 30, 30 %", "sensitivity",
         lacking(.04, 30, 600, prevalence=.3), oracle=True),
    Cell("4 points of AUROC, S 10, 30 %", "auroc",
         lacking(.04, 10, 300, prevalence=.3, auroc=True), oracle=True),
]
