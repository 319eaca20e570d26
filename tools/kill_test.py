#!/usr/bin/env python3
"""Kills `bioptic run` (SIGKILL) at random moments, starts the same command again each time, and compares
what comes out with an uninterrupted run.  Standard library only.

  tools/kill_test.py --out DIR [--kills 20] [--program build/src/bioptic/cli/bioptic] -- STUDY... [--data PATH] [...]

Everything behind "--" goes to `bioptic run`.  DIR/whole is the uninterrupted run, DIR/killed the other one.
Half of the kills come after a random time, the other half at the moment when something is being written: a
temporary file is there, or the store's log has grown.  Exits 1 unless

  - no finished trial is lost or trained again after any kill,
  - tables/history.csv, tables/predictions.csv, every weights_sha256 and every model are equal byte by byte,
  - no temporary file is left.
"""
import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

MARK = ".bioptic-tmp-"


def status(program, out):
    """(finished, running, all trials) over all studies; None where there is no store yet."""
    answer = subprocess.run([program, "status", out, "--json"], capture_output=True, text=True)
    if answer.returncode == 2:
        return None
    if answer.returncode != 0:
        sys.exit(f"status failed: {answer.stderr}")
    studies = json.loads(answer.stdout)["studies"]
    finished = sum(s["done"] + s["collapsed"] for s in studies)
    running = sum(s["running"] for s in studies)
    return finished, running, sum(s[k] for s in studies for k in ("done", "collapsed", "running", "missing", "failed"))


def temporaries(folder):
    return [os.path.join(where, name) for where, folders, files in os.walk(folder)
            for name in folders + files if MARK in name]


def log_size(out):
    try:
        return os.stat(os.path.join(out, "bioptic.sqlite-wal")).st_size
    except FileNotFoundError:
        return 0


def kill_somewhere(program, command, out, delay, while_writing, limit, most):
    """Starts the command and kills it `delay` seconds later, or at the first write after that, but as soon as more
    than `most` trials are finished.  Returns (seconds, where) or None when it ended by itself."""
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    start, where, size = time.monotonic(), "after a random time", None
    asked = start
    while True:
        elapsed = time.monotonic() - start
        if run.poll() is not None:
            return None
        if most is not None and time.monotonic() - asked > 0.2:
            asked = time.monotonic()
            now = status(program, out) if os.path.exists(out) else None
            if now is not None and now[0] > most:
                where = "after a trial was finished"
                break
        if elapsed >= delay:
            if not while_writing or elapsed > delay + limit:
                break
            size = log_size(out) if size is None else size
            if log_size(out) > size:
                where = "while the store was being written"
                break
            if temporaries(out):
                where = "while a file was being written"
                break
        time.sleep(0.0005)
    os.killpg(run.pid, signal.SIGKILL)  # gnuplot too, as a machine that loses power
    run.wait()
    return time.monotonic() - start, where


def main():
    arguments = sys.argv[1:]
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--program", default="build/src/bioptic/cli/bioptic")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    options = parser.parse_args(arguments[:cut])
    run = [options.program, "run", *arguments[cut + 1:], "--json"]
    whole, killed = (os.path.join(options.out, name) for name in ("whole", "killed"))
    for folder in (whole, killed):
        if os.path.exists(folder):
            sys.exit(f"{folder} exists already; choose another --out")

    start = time.monotonic()
    subprocess.run([*run, "--out", whole], check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    start = time.monotonic()
    subprocess.run([*run, "--out", whole], check=True, stdout=subprocess.DEVNULL)  # only the reports
    tail = time.monotonic() - start
    trials = status(options.program, whole)[2]
    print(f"uninterrupted: {seconds:.1f} s, of which {tail:.1f} s are start-up and reports", flush=True)

    chance = random.Random(options.seed)
    command = [*run, "--out", killed]
    failures, before, kills = [], 0, 0
    while kills < options.kills:
        now = status(options.program, killed) if os.path.exists(killed) else None
        everything_done = now is not None and now[2] > 0 and now[0] == now[2]
        # Start-up, then on average a fraction of the training, so that the kills are spread over all of it.
        reach = tail if everything_done else tail / 2 + 2 * (seconds - tail) / options.kills
        # However fast the machine has become since: the training lasts for 70 % of the kills.
        most = None if everything_done else trials * (kills + 1) / (0.7 * options.kills)
        hit = kill_somewhere(options.program, command, killed, chance.uniform(0, reach), kills % 2 == 1, reach, most)
        if hit is None:
            continue
        kills += 1
        now = status(options.program, killed) if os.path.exists(killed) else None
        finished, running, total = now or (0, 0, 0)
        print(f"kill {kills:3}: {hit[0]:7.2f} s, {hit[1]}; {finished} of {total} trials finished", flush=True)
        if finished < before:
            failures.append(f"kill {kills}: {before - finished} finished trials were lost")
        if running:
            failures.append(f"kill {kills}: status calls {running} trials of a dead process running")
        before = finished

    end = subprocess.run(command, capture_output=True, text=True)
    if end.returncode != 0:
        sys.exit(f"the last run failed with {end.returncode}: {end.stderr}")
    found = sum(s["found"] for s in json.loads(end.stdout)["studies"])
    # Trials that studies share are in the store once, and are found by each of them.
    if found < before:
        failures.append(f"{before} trials were finished, the last run found only {found}")

    compared = 0
    for folder in sorted(p for p in pathlib.Path(whole).iterdir() if (p / "summary.json").exists()):
        other = pathlib.Path(killed) / folder.name
        names = ["tables/history.csv", "tables/predictions.csv"]
        names += [str(p.relative_to(folder)) for p in sorted(folder.glob("models/*"))]
        for name in names:
            compared += 1
            if (folder / name).read_bytes() != (other / name).read_bytes():
                failures.append(f"{other / name} differs from {folder / name}")
        hashes = [[(t["arm"], t["seed"], t["status"], t["weights_sha256"])
                   for t in json.loads((f / "summary.json").read_text())["trials"]] for f in (folder, other)]
        compared += len(hashes[0])
        if hashes[0] != hashes[1]:
            failures.append(f"{other}: other weights_sha256 than {folder}")
    failures += [f"left behind: {name}" for name in temporaries(killed)]

    print(f"{kills} kills; {compared} files and hashes compared")
    for failure in failures:
        print("FAILED:", failure)
    if failures:
        return 1
    print("all equal, nothing left behind")
    return 0


if __name__ == "__main__":
    sys.exit(main())
