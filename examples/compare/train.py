"""Does the solver, or early stopping, change a small network?  Writes predictions.csv for bioptic.

    python -m venv venv && venv/bin/pip install scikit-learn
    venv/bin/python examples/compare/train.py
    bioptic compare examples/compare/predictions.csv

The data come with scikit-learn: 569 fine-needle aspirates of breast masses, each described by 30
measurements of the nuclei in its image.  What matters for any program:

  - the test split is the same for every arm and seed;
  - a seed changes what you would let chance decide (here the initial weights, the batch order and,
    for early stopping, the held-out part), and all arms use the same seeds;
  - every score is written, not the accuracy alone.
"""

import csv
import pathlib
import warnings

import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

ARMS = {
    "adam": dict(solver="adam", max_iter=100),
    "sgd": dict(solver="sgd", learning_rate_init=0.01, max_iter=100),
    "early stop": dict(solver="adam", max_iter=100, early_stopping=True),
}
SEEDS = range(10)
OUT = pathlib.Path(__file__).with_name("predictions.csv")


def main():
    warnings.simplefilter("ignore", ConvergenceWarning)
    data = load_breast_cancer()
    label = 1 - data.target  # 1 = malignant
    rows = list(range(len(label)))
    train, test = train_test_split(rows, test_size=0.4, stratify=label, random_state=0)
    scale = StandardScaler().fit(data.data[train])
    x_train, x_test = scale.transform(data.data[train]), scale.transform(data.data[test])
    with OUT.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["arm", "seed", "image", "label", "score"])
        for arm, settings in ARMS.items():
            for seed in SEEDS:
                model = MLPClassifier((16,), random_state=seed, **settings)
                model.fit(x_train, label[train])
                for row, score in zip(test, model.predict_proba(x_test)[:, 1]):
                    table.writerow([arm, seed, f"mass {row}", label[row], f"{score:.5g}"])
    print(f"{OUT} (scikit-learn {sklearn.__version__})")


if __name__ == "__main__":
    main()
