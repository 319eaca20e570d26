#!/usr/bin/env python3
"""Lets one call to the system fail in every command of bioptic, again and again, and judges what becomes of it.

    tools/faults.py PROGRAM SHIM [--count 3000] [--jobs 2] [--seed 1] [--scenes NAME,...] [--log FILE]
    tools/faults.py PROGRAM SHIM --calls       the calls that each command makes, as a Markdown table
    tools/faults.py PROGRAM SHIM --kills 200   kills at random times instead

SHIM is tests/faults/shim.cpp, built.  An injection gives a command (tools/fault_scenes.py) a folder of its own, lets
the k-th call of a kind (open, write, ..., allocation) fail, come back short or kill the process, and gives the same
command again, undisturbed.  Wrong is

  - a signal that was not sent, another exit code than 0, 1 and 2, a failure without a message,
  - a file that is neither what it was nor what it will be, once the command has failed,
  - exit code 0 with another result than that of an undisturbed command,
  - anything left behind, or another result, once the command was given again.

Prints a table and every wrong outcome; exits with 1 where there was one.  Standard library only."""
import argparse
import collections
import functools
import json
import multiprocessing
import os
import pathlib
import random
import sys
import tempfile

from fault_scenes import SCENES
from fault_stage import KINDS, Stage

FAULTS = {  # what may become of a call of each kind
    "open": ("fail EIO", "fail EMFILE", "fail-on ENOSPC", "kill", "kill-after"),
    "write": ("fail EIO", "fail ENOSPC", "fail EINTR", "fail-on ENOSPC", "short", "kill", "kill-after"),
    "sync": ("fail EIO", "fail-on EIO", "kill", "kill-after"),
    "rename": ("fail EIO", "fail ENOSPC", "kill", "kill-after"),
    "truncate": ("fail EIO", "fail ENOSPC", "kill", "kill-after"),
    "unlink": ("fail EIO", "fail EACCES", "kill", "kill-after"),
    "mkdir": ("fail ENOSPC", "fail EACCES", "kill", "kill-after"),
    "mmap": ("fail ENOMEM", "fail-on ENOMEM", "kill"),
    "read": ("fail EIO", "fail EINTR", "fail-on EIO", "short", "kill"),
    "alloc": ("fail ENOMEM", "fail-on ENOMEM", "kill"),
}
KILLED_AT_RANDOM = ("run", "run with figures", "run, going on", "import folder", "import npz", "report with figures",
                    "export folder", "export npz")
make_stage = None  # of a worker process


def begin(program, shim, root, alloc):
    global make_stage
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stage-", dir=root))
    make_stage = functools.cache(lambda: Stage(program, shim, folder, alloc))  # what fails here, a pool tries again


def play(task):
    """A line of the log."""
    name, fault, share = task
    # A processor, so that calls come in one order; sometimes all of them, so that threads meet faults, too.
    os.sched_setaffinity(0, everywhere if share < 0.2 else {sorted(everywhere)[os.getpid() % len(everywhere)]})
    seconds = make_stage().undisturbed(name)[3]
    outcome, wrong, said = make_stage().disturb(name, fault, None if fault else share * 1.1 * seconds + 0.001)
    return {"scene": name, "fault": fault or ["kill", round(share, 3), ""], "outcome": outcome, "wrong": wrong,
            "said": said[-600:], "seconds": round(seconds, 3)}


everywhere = os.sched_getaffinity(0)


def calls_of(name):
    os.sched_setaffinity(0, {min(everywhere)})
    return name, make_stage().undisturbed(name)[2].calls


def injections(calls, names, count, chance):
    """About `count` of (scene, fault, share): every call with every fault where there are few, else some, spread."""
    weights = {(n, k): SCENES[n].weight for n in names for k in KINDS if calls[n][k] > 0}
    unit = count / sum(weights.values())
    room, chosen = collections.Counter(), []
    for (name, kind), weight in sorted(weights.items(), key=lambda item: calls[item[0][0]][item[0][1]]):
        every = [(at, what) for at in range(1, calls[name][kind] + 1) for what in FAULTS[kind]]
        wanted = round(unit * weight + room[0])  # what the small ones leave goes to the larger ones
        if len(every) > wanted:
            step = len(every) / max(1, wanted)
            # Steps through calls and faults at once: the faults of a call are neighbours.
            every = [every[int(i * step + chance.random() * step)] for i in range(wanted)]
        room[0] = unit * weight + room[0] - len(every)
        chosen += [(name, (kind, at, what), chance.random()) for at, what in every]
    chance.shuffle(chosen)
    return chosen


def print_calls(calls):
    print("| command | " + " | ".join(KINDS) + " |\n|---|" + "---|" * len(KINDS))
    for name, numbers in calls.items():
        print(f"| {name} | " + " | ".join(str(numbers[kind]) for kind in KINDS) + " |")


def print_outcomes(lines, rows):
    """rows: "scene" or the kind of fault."""
    outcomes = ("right", "refused", "killed", "not reached")
    table = collections.defaultdict(collections.Counter)
    for line in lines:
        row = line["scene"] if rows == "scene" else line["fault"][0]
        for key in (row, "all"):
            table[key][line["outcome"]] += 1
            table[key]["wrong"] += bool(line["wrong"])
    print(f"\n| {rows} | injected | " + " | ".join(outcomes) + " | wrong |\n|---|---|" + "---|" * (len(outcomes) + 1))
    for row in [*(r for r in (SCENES if rows == "scene" else (*KINDS, "kill")) if r in table), "all"]:
        numbers = [sum(table[row][o] for o in outcomes), *(table[row][o] for o in outcomes), table[row]["wrong"]]
        print(f"| {row} | " + " | ".join(map(str, numbers)) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("shim", type=os.path.abspath)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--calls", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alloc", type=int, default=0, help="leave smaller allocations (bytes) alone")
    parser.add_argument("--scenes", help="only these, separated by ;")
    parser.add_argument("--log", help="a line of JSON for each injection")
    parser.add_argument("--again", help="only the wrong injections of such a file")
    options = parser.parse_args()
    names = options.scenes.split(";") if options.scenes else list(SCENES)
    chance = random.Random(options.seed)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # 10,000 syncs of a disk take minutes
    with tempfile.TemporaryDirectory(prefix="faults-", dir=memory) as root, multiprocessing.Pool(
            options.jobs, begin, (options.program, options.shim, root, options.alloc)) as pool:
        if options.kills:
            tasks = [(KILLED_AT_RANDOM[i % len(KILLED_AT_RANDOM)], None, chance.random())
                     for i in range(options.kills)]
        elif options.again:
            with open(options.again, encoding="utf-8") as file:
                before = [json.loads(line) for line in file]
            tasks = [(b["scene"], tuple(b["fault"]), 0.5) for b in before if b["wrong"]]
        else:
            calls = dict(pool.map(calls_of, names, chunksize=1))
            if options.calls:
                print_calls(calls)
                return 0
            tasks = injections(calls, names, options.count, chance)
        lines = []
        log = open(options.log, "w", encoding="utf-8") if options.log else None
        for line in pool.imap_unordered(play, tasks):
            lines.append(line)
            if log:
                print(json.dumps(line), file=log, flush=True)
            if line["wrong"]:
                print(f"WRONG: {line['scene']}, {' '.join(map(str, line['fault']))}: {line['outcome']}, "
                      f"{line['wrong']}: {line['said']}", flush=True)
    for rows in ("scene", "kind"):
        print_outcomes(lines, rows)
    return 1 if any(line["wrong"] for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
