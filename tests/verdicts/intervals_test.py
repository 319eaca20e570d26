#!/usr/bin/env python3
"""No printed interval contradicts its verdict: walks what the program says, in all its forms.

    tests/verdicts/intervals_test.py --bioptic build/src/bioptic/cli/bioptic

`compare` on the example and on files of several arms, and a study with comparisons and claims: terminal,
JSON, summary.json, tables and report.  walk.py says what a contradiction is.  Needs NumPy (Debian:
python3-numpy) for the files, from the generator in bench/compare_simulation.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/compare_simulation"))

try:
    import numpy as np
except ImportError:
    sys.exit("intervals_test needs NumPy: apt-get install python3-numpy")

import walk  # noqa: E402
from law import Law, as_csv, draw  # noqa: E402

# Differences between four arms from none to clear, so that Holm's procedure stops in between.
FILES = 24
LAW = dict(lacks=((0, 0), (.015, .015), (.045, .045)), sizes="xray",
           shares=dict(seed=.002, patient=.45, arm_patient=.03, seed_patient=.05, image=.2))
AUROC = dict(LAW, auroc=True, right=.9)

STUDY = """
[study]
name = "walked"
seeds = 8
margin = 0.03
[data]
source = "phantom"
phantom = { train = 600, test = 300, shift = 0, seed = 1 }
size = 32
group = '(person\\d+|IM-\\d+)'
[train]
model = { hidden = [32] }
epochs = 8
batch_size = 16
train_eval = true
[[arm]]
name = "good"
optimizer = { kind = "adam", lr = 0.001 }
[[arm]]
name = "fair"
optimizer = { kind = "adam", lr = 0.0005 }
[[arm]]
name = "slow"
optimizer = { kind = "adam", lr = 0.00001 }
[[arm]]
name = "slow again"
optimizer = { kind = "adam", lr = 0.00001 }
"""

CLAIMS = (
    ("training", "kind = 'difference'\narms = ['fair', 'slow']\nmetric = 'loss'\nsplit = 'train'\n"
                 "direction = 'lower'\nmargin = 0.01"),
    ("wrong-way", "kind = 'difference'\narms = ['fair', 'slow']\nmetric = 'loss'\n"
                  "split = 'train'\ndirection = 'higher'\nmargin = 0.01"),
    ("varied", "kind = 'difference'\narms = ['good', 'slow']\nmetric = 'loss'\n"
               "split = 'train'\ndirection = 'lower'\nmargin = 0.001"),
    ("test", "kind = 'difference'\narms = ['fair', 'slow']"),
    ("test-varied", "kind = 'difference'\narms = ['good', 'slow']"),
    ("copy", "kind = 'difference'\narms = ['slow', 'slow again']"),
    ("wide", "kind = 'difference'\narms = ['good', 'fair']\nmargin = 0.3"),
    ("auroc", "kind = 'difference'\narms = ['fair', 'slow']\nmetric = 'auroc'"),
    ("trend", "kind = 'trend'\nsetting = 'optimizer.lr'\ndirection = 'lower'"),
    ("best", "kind = 'order'\narms = ['fair', 'good', 'slow']"),
    ("steady", "kind = 'index'\narms = ['slow', 'good']\ndirection = 'lower'\nmargin = 0.01"),
    ("rises", "kind = 'shape'\narms = ['fair']\nsplit = 'train'\nshape = 'rises'"),
)

# The walker sees what it is for: one line of each form that contradicts itself, one that does not.
WRONG = (
    "- Undecided whether a and b differ in test accuracy: +1.05 points (95 % interval +0.11 to\n"
    "  +2.01 points; p 0.051 corrected for 3 pairs), for other seeds.",
    "- a is better than b in test accuracy by 1.05 points (98.33 % interval -0.11 to +2.01 points; "
    "p 0.010), for other seeds.",
    "- No verdict on a and b in test accuracy: 8 patients. On these images only, it is undecided whether a "
    "and b differ in test accuracy: +1.05 points (95 % interval +0.11 to +2.01 points; p 0.051), for other "
    "seeds.",
    "- a and b differ in test accuracy by less than the margin of 2.00 points (90 % interval -2.31 to "
    "+0.71 points; test of equivalence p 0.012), for other seeds.")
RIGHT = (
    "- Undecided whether a and b differ in test accuracy: +1.05 points (uncorrected 95 % interval +0.11 "
    "to +2.01 points; p 0.051 corrected for 3 pairs), for other seeds.",
    "- Undecided whether a and b differ in test accuracy: +1.05 points (95 % interval +0.00 to +2.01 "
    "points; p 0.051), for other seeds.",
    "- a is better than b in test accuracy by 1.05 points (98.33 % interval +0.11 to +2.01 points; "
    "p 0.010), for other seeds.",
    "- a and b differ in test accuracy by less than the margin of 2.00 points (90 % interval -1.31 to "
    "+0.71 points; test of equivalence p 0.012), for other seeds.")
WRONG_ROWS = ("a  b  test accuracy  +1.05  [+0.11, +2.01]  98.3 %  0.051  0.90  E2  undecided",
              "a  b  test accuracy  +1.05  [+0.11, +2.01]  0.051  0.90  E2  undecided",
              "a  b  test accuracy  +1.05  [-0.11, +2.01]  0.041  0.90  E2  a better",
              "a  b  test brier  -0.0105  [-0.0211, -0.0010]  0.041  0.90  E2  b better",
              "a  b  test accuracy  +1.05  [+0.11, +2.01]  0.051  0.90  E2  no effect")
RIGHT_ROWS = ("a  b  test accuracy  +1.05  [-0.11, +2.01]  0.051  0.90  E2  undecided",
              "a  b  test brier  -0.0105  [-0.0211, -0.0010]  0.041  0.90  E2  a better",
              "a  b  test accuracy  +1.05  [+0.11, +1.90]  0.051  0.90  E2  no effect")


def the_walker_sees():
    margins = {"test accuracy": 2.0, "test brier": None}
    for expected, texts, rows in ((1, WRONG, WRONG_ROWS), (0, RIGHT, RIGHT_ROWS)):
        for form, words in [("sentence", t) for t in texts] + [("row", r) for r in rows]:
            found = walk.Findings()
            if form == "sentence":
                walk.sentences(found, form, words)
            else:
                walk.text_table(found, form, words, margins)
            assert len(found.contradictions) == expected, (words, found.contradictions)
            assert "uncorrected" in words or sum(found.judged.values()) == 1, words


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(done.args)}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def compare(findings, program, file, *options):
    walk.compare_output(findings, run(program, "compare", file, *options),
                        json.loads(run(program, "compare", file, "--json", *options)))


def generated(folder):
    for number in range(FILES):
        law = Law(seeds=(5, 10, 20)[number % 3], patients=(150, 300, 700)[number // 3 % 3],
                  **(AUROC if number % 4 == 3 else LAW))
        label, patient, z = draw(law, np.random.Generator(np.random.PCG64([77, number])))
        file = folder / f"{number}.csv"
        file.write_bytes(as_csv(label, patient, z, "ABCD"))
        yield file


def study(findings, program, folder):
    claims = "".join(f"[[claim]]\nid = '{name}'\nsentence = 'Of {name}'\n{text}\n"
                     for name, text in CLAIMS)
    (folder / "walked.toml").write_text(STUDY + claims)
    said = run(program, "run", folder / "walked.toml", "--out", folder / "runs")
    out = folder / "runs/walked"
    walk.study_output(findings, said, out, json.loads((out / "summary.json").read_text()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bioptic", default=str(ROOT / "build/src/bioptic/cli/bioptic"))
    options = parser.parse_args()
    the_walker_sees()
    findings = walk.Findings()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        compare(findings, options.bioptic, ROOT / "examples/compare/predictions.csv")
        for file in generated(folder):
            compare(findings, options.bioptic, file, "--margin", "0.03")
        study(findings, options.bioptic, folder)
    for place, kind in sorted(findings.judged):
        print(f"{findings.judged[place, kind]:5d} judged, {findings.wrong[place, kind]:4d} contradict  "
              f"{place}: {kind}")
    # A form that is no longer found would pass in silence.
    blind = [f"{place}: {kind}" for place, kind in EXPECTED if not findings.judged[place, kind]]
    for line in findings.contradictions[:60]:
        print("CONTRADICTION", line)
    for line in blind:
        print("NOT FOUND", line)
    judged = sum(findings.judged.values())
    print(f"{judged} intervals beside a verdict; {len(findings.contradictions)} contradict it; "
          f"{len(blind)} forms not found")
    return 1 if findings.contradictions or blind else 0


# Each form must be found with each of these kinds of verdict, or the test has gone blind.
ALL = ("above", "below", "undecided", "within")
EXPECTED = [(place, kind) for place, kinds in (
    ("compare, table", ALL), ("compare --json", ALL), ("compare, sentence", ("above", "undecided", "within")),
    ("terminal, table", ("above", "undecided")), ("terminal, sentence", ("above", "undecided")),
    ("terminal, claim", ("above", "below", "undecided", "within")),
    ("summary.json", ("above", "below", "undecided")), ("summary.json, claims", ALL),
    ("summary.json, sentence", ("above", "undecided")),
    ("report.html", ALL)) for kind in kinds]

if __name__ == "__main__":
    sys.exit(main())
