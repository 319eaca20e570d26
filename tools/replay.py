#!/usr/bin/env python3
"""Trains traced trials again in PyTorch, in float32 and in float64, and compares the losses.

    bioptic run studies/scheduler.toml --trace --out runs
    .venv-peers/bin/python tools/replay.py runs/scheduler/trace/cosine/seed*

Rule: r is the largest |loss - loss64| over the first ten steps, bioptic's over PyTorch float32's
own, where loss64 is PyTorch's in float64 from the same weights, batches and inputs. The median of r
over at least five traces must be at most 2. (It is a median because a correct float32 engine that
only sums in another order exceeds 2 in about one seed of eight: Adam's first updates are the learning
rate times the sign of the gradient, whatever its size.) A trace is also checked on its own: its first
loss, before any update, its learning rates, and that r stays below 1000.

Exit code: 0 the rule holds; 1 it does not, or a trace is not that of its specification; 2 the rule
cannot be applied (fewer than five traces, a trace that cannot be read, a trial with dropout or
augmentation, whose masks and images a trace does not hold).
"""

import argparse
import csv
import json
import math
import os
import pathlib
import statistics
import sys

import numpy as np
import torch
from safetensors.torch import load_file

import torch_trial

STEPS = 10  # that the rule looks at
LIMIT = 2.0  # of the median
HOPELESS = 1000.0  # of one trace
NEEDED = 5  # traces
# A first loss is a float32 forward pass: errors of 1e-6 are usual, 1e-4 is not rounding.
FIRST_LOSS = 1e-4
SCALE = np.float32(1) / np.float32(255)  # a pixel becomes an input by this, in every engine


class Unusable(Exception):
    """A trace that cannot be replayed."""


class Trace:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        try:
            self.spec = json.loads((self.folder / "spec.json").read_text())
            self.rows = [[int(r) for r in line["rows"].split()]
                         for line in self._csv("order.csv")]
            steps = self._csv("steps.csv")
            self.lr = [float(s["lr"]) for s in steps]
            self.momentum = [float(s["momentum"]) for s in steps]
            self.loss = np.array([float(s["loss"]) for s in steps])
            tensors = load_file(self.folder / "initial.safetensors")
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise Unusable(f"{folder}: not a trace: {error}") from error
        self.train = self.spec["train"]
        if self.train["model"]["dropout"] > 0:
            raise Unusable(f"{folder}: trained with dropout, whose masks a trace does not hold; "
                           "replay an arm without dropout")
        if "augment" in self.train:
            raise Unusable(f"{folder}: trained with augmentation, whose images a trace does not hold; "
                           "replay an arm with augment = false")
        if "normalisation" in self.train:
            raise Unusable(f"{folder}: its inputs are not p / 255 but "
                           f"{self.train['normalisation']['kind']}; replay an arm without normalisation")
        if len(self.rows) != len(self.loss) or not self.rows:
            raise Unusable(f"{folder}: order.csv has {len(self.rows)} steps and steps.csv "
                           f"{len(self.loss)}; trace the trial again")
        modules = sorted({int(name.split(".")[0]) for name in tensors})
        self.tensors = [(tensors[f"{m}.weight"], tensors[f"{m}.bias"]) for m in modules]
        dataset = pathlib.Path(self.spec["dataset"])
        try:
            self.images = np.load(dataset / "images.npy", mmap_mode="r")
            self.labels = np.load(dataset / "labels.npy").astype(np.int64)
            self.weights = None
            if self.train.get("sample_weight"):
                with open(dataset / "index.csv", newline="") as file:
                    self.weights = np.array([float(r["weight"]) for r in csv.DictReader(file)])
        except (OSError, KeyError, ValueError) as error:
            raise Unusable(f"{folder}: its dataset {dataset} cannot be read: {error}") from error
        if self.images.dtype != np.uint8:
            raise Unusable(f"{folder}: dataset {dataset} is {self.images.dtype}, not uint8")
        if max(max(r) for r in self.rows) >= len(self.images):
            raise Unusable(f"{folder}: order.csv names rows that {dataset} does not have")

    def _csv(self, name):
        with open(self.folder / name, newline="") as file:
            return list(csv.DictReader(file))

    def replay(self, steps, dtype):
        """Losses of the first `steps` steps; learning rate and momentum of each."""
        net = torch_trial.Net(self.train, self.tensors, dtype)
        optimizer = torch_trial.make_optimizer(self.train, net.tensors())
        loss_of = torch_trial.loss_function(self.train, dtype)
        # Reduce-on-plateau depends on validation, which a trace does not hold: its recorded rates.
        recorded = self.train["scheduler"]["kind"] == "plateau"
        scheduler = None
        if not recorded:
            scheduler = torch_trial.Scheduler(self.train, optimizer, self.spec["steps_per_epoch"],
                                              self.spec["epochs"])
        losses, rates = [], []
        for step in range(steps):
            rows = self.rows[step]
            pixels = torch.from_numpy(self.images[rows].reshape(len(rows), -1))
            # The factor is a float32 number in either precision: both see the same inputs.
            x = pixels.to(dtype) * torch.tensor(SCALE).to(dtype)
            if recorded:
                optimizer.param_groups[0]["lr"] = self.lr[step]
                rates.append((self.lr[step], self.momentum[step]))
            else:
                rates.append((scheduler.lr(), scheduler.momentum()))
            optimizer.zero_grad()
            weights = None
            if self.weights is not None:
                weights = torch.from_numpy(self.weights[rows]).to(dtype)
            loss = loss_of(net(x), torch.from_numpy(self.labels[rows]), weights)
            loss.backward()
            losses.append(loss.item())
            optimizer.step()
            if scheduler is not None:
                scheduler.after_step()
        return np.array(losses), rates


def deviation(loss, loss64):
    """|loss - loss64| per step; equal non-finite values agree, others are infinitely far."""
    with np.errstate(invalid="ignore"):
        d = np.abs(loss - loss64)
    same = (loss == loss64) | (np.isnan(loss) & np.isnan(loss64))
    return np.where(same, 0.0, np.where(np.isfinite(d), d, np.inf))


def ratio(ours, theirs, loss64):
    """Ours over theirs; where PyTorch float32 is exact, over half an ulp of the largest loss: no
    float32 loss can be asked to be nearer."""
    if ours == 0:
        return 0.0
    return ours / (theirs if theirs > 0 else 2.0**-24 * max(np.abs(loss64).max(), 2.0**-126))


def compare(trace, full):
    """Compares one trace; returns its row of the table and what is wrong with the trace itself."""
    steps = len(trace.loss) if full else min(STEPS, len(trace.loss))
    loss32, rates = trace.replay(steps, torch.float32)
    loss64, _ = trace.replay(steps, torch.float64)
    ours = deviation(trace.loss[:steps], loss64)
    theirs = deviation(loss32, loss64)
    first = slice(0, STEPS)
    row = {"trace": str(trace.folder), "threads": trace.spec.get("threads", "?"),
           "ours": ours[first].max(), "theirs": theirs[first].max(),
           "r": ratio(ours[first].max(), theirs[first].max(), loss64[first])}
    if full:
        row["whole"] = {"bioptic": ours, "PyTorch float32": theirs}
    wrong = []
    if not ours[0] <= FIRST_LOSS * max(1.0, abs(loss64[0])):
        wrong.append(f"the first loss is {trace.loss[0]:.9g}, PyTorch's {loss64[0]:.9g}: "
                     "other weights, images or loss")
    near = lambda a, b: math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-14)
    for step, (lr, momentum) in enumerate(rates):
        if not (near(lr, trace.lr[step]) and near(momentum, trace.momentum[step])):
            wrong.append(f"step {step} has learning rate {trace.lr[step]:.12g} and momentum "
                         f"{trace.momentum[step]:.12g}, PyTorch's schedule {lr:.12g} and "
                         f"{momentum:.12g}")
            break
    if not row["r"] <= HOPELESS:
        wrong.append(f"r = {row['r']:.3g} is beyond any rounding")
    return row, wrong


def print_table(rows, full):
    width = max(len(r["trace"]) for r in rows)
    print(f"{'trace':{width}}  {'bioptic':>9}  {'float32':>9}  {'r':>7}   "
          "largest |loss - loss64| over the first 10 steps; r is their ratio")
    for r in rows:
        print(f"{r['trace']:{width}}  {r['ours']:9.2e}  {r['theirs']:9.2e}  {r['r']:7.3f}")
    if not full:
        return
    print("\nwhole run, |loss - loss64|")
    print(f"{'trace':{width}}  {'':15}  {'steps':>6}  {'largest':>9}  {'mean':>9}  {'last step':>9}")
    for r in rows:
        for name, d in r["whole"].items():
            print(f"{r['trace']:{width}}  {name:15}  {len(d):6d}  {d.max():9.2e}  {d.mean():9.2e}  "
                  f"{d[-1]:9.2e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("traces", nargs="+", metavar="TRACE", help="a folder written by --trace")
    parser.add_argument("--full", action="store_true", help="also compare the whole run")
    parser.add_argument("--threads", type=int, default=os.cpu_count(),
                        help="PyTorch's threads (default: all processors)")
    args = parser.parse_args()
    torch.set_num_threads(max(1, args.threads))
    try:
        traces = [Trace(folder) for folder in args.traces]
    except Unusable as error:
        print(error, file=sys.stderr)
        return 2

    rows, failed = [], False
    for trace in traces:
        row, wrong = compare(trace, args.full)
        rows.append(row)
        for message in wrong:
            failed = True
            print(f"{row['trace']}: {message}")
    print_table(rows, args.full)
    ours = ", ".join(sorted({str(r["threads"]) for r in rows}))
    print(f"\nthreads: bioptic {ours}; PyTorch {torch.__version__} {torch.get_num_threads()}")
    median = statistics.median(r["r"] for r in rows)
    print(f"median r = {median:.3f} over {len(rows)} traces; the limit is {LIMIT:g}")
    if failed:
        print("FAILED: see the messages above the table")
        return 1
    if len(rows) < NEEDED:
        print(f"The rule needs at least {NEEDED} traces (seeds); with {len(rows)} it is not applied.")
        return 2
    if not median <= LIMIT:
        print("FAILED: the median is above the limit")
        return 1
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
