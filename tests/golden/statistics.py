"""Makes every golden file of src/bioptic/stats: descriptive.json, verdicts.json, edges.json, resampled.json.

    scripts/peers && .venv-peers/bin/pip install statsmodels
    apt-get install r-base-core r-cran-proc r-cran-lmertest r-cran-lme4
    .venv-peers/bin/python tests/golden/statistics.py [--check]

--check makes them in a temporary folder instead and compares: numbers to 1e-9, words
exactly, versions not at all.  Exit status 1 and the first differences where they disagree.
"""

import importlib
import json
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def differences(a, b, where=""):
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return [d for k in a if k not in ("versions", "made_by", "command") for d in differences(a[k], b[k], f"{where}/{k}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [d for k, (x, y) in enumerate(zip(a, b)) for d in differences(x, y, f"{where}/{k}")]
    number = lambda v: isinstance(v, (int, float)) and not isinstance(v, bool)
    if number(a) and number(b):
        return [] if abs(a - b) <= 1e-9 * max(abs(a), abs(b)) + 1e-13 else [f"{where}: {a} and {b}"]
    return [] if a == b else [f"{where}: {str(a)[:60]} and {str(b)[:60]}"]


def main():
    check = "--check" in sys.argv[1:]
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("descriptive", "verdicts", "edges", "resampled"):
            module = importlib.import_module(name)
            if check:
                module.HERE = pathlib.Path(folder)
            module.main()
            if check:
                made = json.loads((pathlib.Path(folder) / f"{name}.json").read_text())
                stored = json.loads((HERE / f"{name}.json").read_text())
                wrong += [f"{name}.json{d}" for d in differences(stored, made)]
            print(name, file=sys.stderr, flush=True)
    print("\n".join(wrong[:20]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
