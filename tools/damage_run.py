#!/usr/bin/env python3
"""Damages a run's store or dataset, again and again, and counts what becomes of it.

    tools/damage_run.py PROGRAM [COUNT]

Trains a small study on the phantom with PROGRAM, then makes COUNT copies (default: 250 of the store, 250 of the
dataset), each with 1 to 64 bytes changed at one place, and lets PROGRAM report (store) or describe and report
(dataset) it.  A copy is refused (exit code 1 or 2 with a message), or read: then the report's numbers must be those
of the undamaged one.  Prints a line of counts for each, and exits with 1 where anything else happened: other numbers,
a signal, or no message."""
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

STUDY = """[study]
name = "s"
seeds = 3
[data]
source = "{data}"
[train]
epochs = 2
model = {{ kind = "mlp", hidden = [4] }}
[[arm]]
name = "a"
[[arm]]
name = "b"
batch_size = 10
"""


def call(program, *arguments):
    # Without gnuplot: figures take most of a report's time and hold none of its numbers.
    environment = dict(os.environ, PATH="/nonexistent")
    return subprocess.run([program, *map(str, arguments)], capture_output=True, env=environment, timeout=120)


def numbers(folder):
    """What a report says, without where it stands."""
    files = [folder / "s/summary.json", *sorted((folder / "s/tables").iterdir())]
    return {file.name: file.read_bytes() for file in files}


def damage(file, draw):
    content = bytearray(file.read_bytes())
    count = draw.randint(1, 64)
    at = draw.randrange(len(content))
    for i in range(at, min(at + count, len(content))):
        content[i] = draw.randrange(256)
    file.write_bytes(bytes(content))


def main():
    program = os.path.abspath(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 250
    draw = random.Random(1)
    work = pathlib.Path(tempfile.mkdtemp(prefix="damage-run-"))
    subprocess.run([program, "data", "phantom", work / "data", "--train", "60", "--test", "20", "--size", "32"],
                   check=True, capture_output=True)
    (work / "s.toml").write_text(STUDY.format(data=work / "data"))
    subprocess.run([program, "run", work / "s.toml", "--out", work / "runs", "--quiet"], check=True,
                   capture_output=True)
    assert call(program, "report", work / "runs", "--out", work / "good").returncode == 0
    good = numbers(work / "good")
    strange = 0
    for kind in ("store", "dataset"):
        refused = same = other = 0
        for i in range(count):
            shutil.rmtree(work / "out", ignore_errors=True)
            shutil.rmtree(work / "try", ignore_errors=True)
            if kind == "store":
                (work / "try").mkdir()
                shutil.copy(work / "runs/bioptic.sqlite", work / "try")
                damage(work / "try/bioptic.sqlite", draw)
                result = call(program, "report", work / "try", "--out", work / "out")
                whole = result.returncode == 0 and numbers(work / "out") == good
            else:
                shutil.copytree(work / "data", work / "try")
                # Each file as often as the others: nearly all bytes are pixels.
                damage(draw.choice(sorted((work / "try").iterdir())), draw)
                result = call(program, "run", work / "s.toml", "--data", work / "try", "--out", work / "out",
                              "--quiet")
                whole = result.returncode == 0 and numbers(work / "out")["trials.csv"].count(b"\n") == 7
                if whole:  # trained to the same weights
                    text = numbers(work / "out")["history.csv"]
                    whole = text == good["history.csv"]
            if result.returncode in (1, 2) and result.stderr:
                refused += 1
            elif whole:
                same += 1
            else:
                other += 1
                kept = work / f"kept-{kind}-{i}"
                shutil.copytree(work / "try", kept)
                print(f"{kept}: exit code {result.returncode} {result.stderr[-300:]!r}", file=sys.stderr)
        print(f"{kind}: {count} damaged, {refused} refused, {same} read the same, {other} otherwise", flush=True)
        strange += other
    if strange == 0:
        shutil.rmtree(work)
    return 1 if strange else 0


if __name__ == "__main__":
    sys.exit(main())
