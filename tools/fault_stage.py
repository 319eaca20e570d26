"""Plays the scenes of tools/fault_scenes.py with a fault, and judges what comes of it (tools/faults.py)."""
import errno
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import time

from fault_scenes import SCENES, environment, make_stock

# In the order of tests/faults/shim.cpp.
KINDS = ("open", "write", "sync", "rename", "truncate", "unlink", "mkdir", "mmap", "read", "alloc")
MARK = ".bioptic-tmp-"
NUMBERS = f"{len(KINDS) + 1}Q"
WHEN = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
TIME = re.compile(rb'"wall_seconds": ?[-+.e0-9]+')


def files_of(folder):
    """Every file by name, without what differs between any two runs: times, process numbers, the layout of a
    database."""
    files = {}
    for where, folders, names in os.walk(folder):
        for name in folders:
            if MARK in name:
                files[os.path.relpath(f"{where}/{name}", folder)] = b"folder"
        for name in names:
            path = f"{where}/{name}"
            if name == ".bioptic.lock" or name.endswith((".sqlite-wal", ".sqlite-shm", ".sqlite-journal")):
                continue
            content = rows_of(path) if name.endswith(".sqlite") else pathlib.Path(path).read_bytes()
            if name == "trials.csv":
                content = without_column(content, b"wall_seconds")
            files[os.path.relpath(path, folder)] = TIME.sub(b"", content)
    return files


def without_column(table, name):
    rows = [row.split(b",") for row in table.splitlines()]
    at = rows[0].index(name) if rows and name in rows[0] else None
    return table if at is None else b"\n".join(b",".join(row[:at] + row[at + 1:]) for row in rows)


def rows_of(path):
    db = sqlite3.connect(path)
    try:
        out = []
        for (table,) in sorted(db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")):
            cursor = db.execute(f"SELECT * FROM {table}")
            keep = [i for i, column in enumerate(cursor.description) if column[0] != "wall_seconds"]
            rows = [tuple(row[i] for i in keep) for row in cursor]
            if table == "checksums":  # of a trial it is over the time, too
                rows = [row[:2] if row[0] == "trial" else row for row in rows]
            out.append((table, sorted(map(repr, rows))))
        return WHEN.sub(b"", repr(out).encode())
    except sqlite3.Error as error:
        return f"no database: {error}".encode()
    finally:
        db.close()


def differences(files, expected):
    names = sorted(set(files) | set(expected))
    return [f"{name} {'is missing' if name not in files else 'differs' if name in expected else 'is left'}"
            for name in names if files.get(name) != expected.get(name)]


class Play:
    """What a command did."""

    def __init__(self, code, out, err, numbers):
        self.code, self.out, self.err = code, out, err
        self.calls, self.reached = dict(zip(KINDS, numbers)), numbers[-1] == 1


class Stage:
    """A folder in which scenes are played, and what they come to undisturbed."""

    def __init__(self, program, shim, root, alloc):
        self.program, self.shim, self.alloc = program, shim, alloc
        self.here, self.stock, self.counts = root / "here", root / "stock", root / "counts"
        make_stock(program, self.here)
        self.here.rename(self.stock)
        self.known = {}

    def set(self, scene):
        shutil.rmtree(self.here, ignore_errors=True)
        self.here.mkdir()
        stock = [self.stock / name for name in ("home", "tmp", "cache", *scene.needs)]
        subprocess.run(["cp", "-a", *stock, self.here], check=True)

    def play(self, scene, fault=None, kill_after=None, more=()):
        """fault: (kind, number of the call, what becomes of it), None = only count the calls."""
        kind, at, what = fault or (None, 0, "fail")
        how, _, name = what.partition(" ")
        variables = environment(self.here, scene.figures)
        self.counts.write_bytes(bytes(4096))
        variables |= {"LD_PRELOAD": str(self.shim), "FAULT_COUNTS": str(self.counts), "FAULT_DO": how,
                      "FAULT_ERROR": str(getattr(errno, name or "EIO")), "FAULT_AT": str(at),
                      "FAULT_KIND": str(KINDS.index(kind) if kind else len(KINDS)), "FAULT_ALLOC": str(self.alloc)}
        process = subprocess.Popen([self.program, *scene.words, *more], cwd=self.here, env=variables,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   start_new_session=True)
        try:
            out, err = process.communicate(timeout=kill_after or 60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            if kill_after is None:
                return Play("hangs", out, err, (0,) * len(KINDS) + (1,))
        return Play(process.returncode, out, err, struct.unpack_from(NUMBERS, self.counts.read_bytes()))

    def undisturbed(self, name):
        """(files before, files after, what the command did, seconds), which depend on the processors: a store tells
        the number of threads."""
        key = name, len(os.sched_getaffinity(0))
        if key not in self.known:
            scene = SCENES[name]
            self.set(scene)
            before, begin = files_of(self.here), time.monotonic()
            play = self.play(scene)
            if play.code != 0:
                raise RuntimeError(f"{name}: undisturbed it ends with {play.code}: {play.err.decode()}")
            self.known[key] = (before, files_of(self.here), play, time.monotonic() - begin)
        return self.known[key]

    def disturb(self, name, fault=None, kill_after=None):
        """("right", "refused", "killed" or "not reached"; what is wrong, "" = nothing; the message)."""
        scene = SCENES[name]
        before, after, undisturbed, _ = self.undisturbed(name)
        self.set(scene)
        play = self.play(scene, fault, kill_after)
        said = play.err.decode(errors="replace")
        wants_kill = kill_after is not None or fault[2].startswith("kill")
        outcome = "right" if play.code == 0 else "killed" if play.code == -9 and wants_kill else "refused"
        if kill_after is None and not play.reached:
            outcome = "not reached"
        wrong = self.wrong_at_once(scene, play, outcome, before, after, undisturbed)
        return outcome, wrong or self.wrong_again(scene, after, undisturbed), said

    def wrong_at_once(self, scene, play, outcome, before, after, undisturbed):
        files = files_of(self.here)
        if outcome in ("right", "not reached"):
            if play.code != 0:
                return f"ended with {play.code}"
            # A temporary file that could not be removed is the next command's to clear.
            found = differences({name: content for name, content in files.items() if MARK not in name}, after)
            return "exit code 0, but " + ", ".join(found) if found else \
                "exit code 0, but it printed other things" if scene.prints and play.out != undisturbed.out else ""
        if outcome == "refused":
            if play.code not in (1, 2):
                return f"ended with {play.code}"
            if b"bioptic: error: " not in play.err and b"DAMAGED" not in play.out:  # of `check`
                return "no message"
        half = [name for name, content in files.items()
                if MARK not in name and not name.endswith(".sqlite")
                and content not in (before.get(name), after.get(name))]
        return "neither as before nor as after: " + ", ".join(half) if half else ""

    def wrong_again(self, scene, after, undisturbed):
        again = self.play(scene)
        if again.code == 2 and b"--force" in again.err:  # of a figure's three files, some are there
            again = self.play(scene, more=["--force"])
        if again.code == 2 and b" exists" in again.err:  # it was done before the process died
            left = differences({n: c for n, c in files_of(self.here).items() if MARK not in n}, after)
            if left:
                return "is refused when it is given again, but " + ", ".join(left)
            for path in self.here.glob("new*"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            again = self.play(scene)
        if again.code != 0:
            return f"ends with {again.code} when it is given again: {again.err.decode(errors='replace')}"
        if left := differences(files_of(self.here), after):
            return "when it was given again, " + ", ".join(left)
        return "printed other things when it was given again" if scene.prints and again.out != undisturbed.out else ""
