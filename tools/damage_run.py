#!/usr/bin/env python3
"""Damages a run's store, dataset or models, again and again, and counts what becomes of it.

    tools/damage_run.py PROGRAM [COUNT]

Trains a small study on the phantom with PROGRAM, then makes COUNT copies (default: 250 of the store, 250 of the
dataset, 250 of its models), each damaged at one place: 1 to 64 bytes are overwritten or taken out, a bit of each is
flipped, or the file ends there.  PROGRAM then reports (store), trains and reports (dataset), or evaluates, predicts
and checks (models).  A copy is refused (exit code 1 or 2 with a message), or read: then what comes out must be what
comes of the undamaged one.  Prints a line of counts for each, and exits with 1 where anything else happened: other
numbers, a signal, or no message."""
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
    content = file.read_bytes()
    at = draw.randrange(len(content))
    end = min(at + draw.randint(1, 64), len(content))
    how = draw.choice(("overwritten", "overwritten", "flipped", "taken out", "ended"))
    bad = {"overwritten": bytes(draw.randrange(256) for _ in range(at, end)),
           "flipped": bytes(byte ^ 1 << draw.randrange(8) for byte in content[at:end])}.get(how, b"")
    file.write_bytes(content[:at] + bad + (b"" if how == "ended" else content[end:]))
    return f"{file.name}, {how} at {at} to {end}"


class Study:
    """A trained study, and what comes of a damaged copy of each of its parts: (results, whether all of them are as
    from the undamaged one)."""

    def __init__(self, program, work):
        self.program, self.work = program, work
        subprocess.run([program, "data", "phantom", work / "data", "--train", "60", "--test", "20", "--size", "32"],
                       check=True, capture_output=True)
        subprocess.run([program, "data", "export", work / "data", work / "images"], check=True, capture_output=True)
        (work / "s.toml").write_text(STUDY.format(data=work / "data"))
        subprocess.run([program, "run", work / "s.toml", "--out", work / "runs", "--quiet"], check=True,
                       capture_output=True)
        assert call(program, "report", work / "runs", "--out", work / "good").returncode == 0
        self.good = numbers(work / "good")
        self.models = sorted((work / "runs/s/models").iterdir())
        self.used = {model: self.use(model) for model in self.models}

    def store(self, draw):
        (self.work / "try").mkdir()
        shutil.copy(self.work / "runs/bioptic.sqlite", self.work / "try")
        what = damage(self.work / "try/bioptic.sqlite", draw)
        result = call(self.program, "report", self.work / "try", "--out", self.work / "out")
        return what, [result], result.returncode == 0 and numbers(self.work / "out") == self.good

    def dataset(self, draw):
        shutil.copytree(self.work / "data", self.work / "try")
        # Each file as often as the others: nearly all bytes are pixels.
        what = damage(draw.choice(sorted((self.work / "try").iterdir())), draw)
        result = call(self.program, "run", self.work / "s.toml", "--data", self.work / "try", "--out",
                      self.work / "out", "--quiet")
        whole = result.returncode == 0 and numbers(self.work / "out")["trials.csv"].count(b"\n") == 7
        # Trained to the same weights.
        return what, [result], whole and numbers(self.work / "out")["history.csv"] == self.good["history.csv"]

    def use(self, model):
        image = next(iter(sorted((self.work / "images").rglob("*.png"))))
        return [call(self.program, "eval", model, "--data", self.work / "data", "--json"),
                call(self.program, "predict", model, image, "--json")]

    def model(self, draw):
        """Half of the damage comes to the header, which is a small part of the file."""
        (self.work / "try/s/models").mkdir(parents=True)
        shutil.copy(self.work / "runs/bioptic.sqlite", self.work / "try")
        model = draw.choice(self.models)
        bad = self.work / "try/s/models" / model.name
        content = model.read_bytes()
        header = 8 + int.from_bytes(content[:8], "little")
        parts = (content[:header], content[header:])
        chosen = draw.randrange(2)
        bad.write_bytes(parts[chosen])
        what = damage(bad, draw)
        bad.write_bytes(bad.read_bytes() + parts[1] if chosen == 0 else parts[0] + bad.read_bytes())
        if bad.read_bytes() == content:  # overwritten with the same
            return what, [], True
        results = self.use(bad)
        whole = [r.returncode == 0 and r.stdout.replace(str(bad).encode(), str(model).encode()) == g.stdout
                 for r, g in zip(results, self.used[model])]
        check = call(self.program, "check", self.work / "try")
        found = check.returncode == 1 and b"DAMAGED" in check.stdout
        # One refusal counts, where everything else is right; what cannot be loaded is what `check` calls damaged.
        right = all(ok or (r.returncode in (1, 2) and r.stderr) for ok, r in zip(whole, results))
        if not right or all(whole) == found or check.returncode not in (0, 1):
            return f"{what}; check ended with {check.returncode}", [*results, check], False
        return what, [] if all(whole) else [r for r, ok in zip(results, whole) if not ok], all(whole)


def main():
    program = os.path.abspath(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 250
    draw = random.Random(1)
    work = pathlib.Path(tempfile.mkdtemp(prefix="damage-run-"))
    study = Study(program, work)
    strange = 0
    for kind in ("store", "dataset", "model"):
        refused = same = other = 0
        for i in range(count):
            shutil.rmtree(work / "out", ignore_errors=True)
            shutil.rmtree(work / "try", ignore_errors=True)
            what, results, whole = getattr(study, kind)(draw)
            if whole:
                same += 1
            elif results and all(r.returncode in (1, 2) and r.stderr for r in results):
                refused += 1
            else:
                other += 1
                kept = work / f"kept-{kind}-{i}"
                shutil.copytree(work / "try", kept)
                said = [(r.returncode, r.stderr[-300:]) for r in results]
                print(f"{kept}: {what}: {said!r}", file=sys.stderr)
        print(f"{kind}: {count} damaged, {refused} refused, {same} read the same, {other} otherwise", flush=True)
        strange += other
    if strange == 0:
        shutil.rmtree(work)
    return 1 if strange else 0


if __name__ == "__main__":
    sys.exit(main())
