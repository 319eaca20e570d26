#!/usr/bin/env python3
"""Mutated .npy, .npz and CSV files through bioptic, held against NumPy and pandas.

    bench/mutate_tables.py --bioptic build/src/bioptic/cli/bioptic [--count 2000] [--seed 1] [--work DIR]

Every file is valid before one or two of its parts are changed: headers spelt otherwise, shapes and types that
contradict the data, members that are missing or there twice, values out of range, encodings, separators, quotes,
line ends, cells.  What bioptic makes of it is one of

    equal      the pixels, labels, groups, splits (scores: accuracy and Brier score of every seed) that the
               independent reader gives, by the rules of docs/data.md
    warned     the same, and a note says what was converted or left out
    refused    exit code 2 and a message, where the independent reader reads the file: all messages are listed
    both       both refuse
    more       bioptic reads what the other reader refuses, or what is unfit: listed
    SILENT     anything else, an exception among it: exit code 1 if there is one

A seed and a count give the same files.  Needs NumPy and pandas.
"""
import argparse
import collections
import csv
import io
import json
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import warnings
import zipfile
import zlib

import numpy as np
import pandas as pd

MISSING = {"", "NA", "N/A", "n/a", "<NA>", "#N/A", "#N/A N/A", "#NA", "nan", "-nan", "NaN", "-NaN", "1.#IND",
           "-1.#IND", "1.#QNAN", "-1.#QNAN", "None", "NULL", "null"}
SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
          "test": "test", "testing": "test"}
SIDE = 6  # pixels; neither a number of channels nor of images


class Refused(Exception):
    """A reader does not take the file."""


class Unfit(Refused):
    """The independent reader takes the file, but what it holds is no classified images (or predictions)."""


# ------------------------------------------------------------------------------------------- .npy


def npy_bytes(array, rng, change):
    """An array as a .npy file with one part of its header or data changed."""
    descr = array.dtype.str
    fortran = array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous
    shape = list(array.shape)
    data = array.tobytes(order="F" if fortran else "C")
    version, pad, end = (1, 0), True, "\n"
    entries = [("'descr'", repr(descr)), ("'fortran_order'", str(fortran)), ("'shape'", repr(tuple(shape)))]
    open_, close = "{", ", }"

    def put(key, value):
        for k, (name, _) in enumerate(entries):
            if key in name:
                entries[k] = (name, value)

    if change == "double quotes":
        entries = [(n.replace("'", '"'), v.replace("'", '"')) for n, v in entries]
    elif change == "order of keys":
        rng.shuffle(entries)
    elif change == "white space":
        entries = [(n + "  ", "\t" + v) for n, v in entries]
        open_, close = "{\n ", "\n}"
    elif change == "no spare comma":
        close = "}"
    elif change == "no padding":
        pad, end = False, ""
    elif change == "Python 2 shape":
        put("shape", "(" + ", ".join(f"{d}L" for d in shape) + ")")
    elif change == "version 2":
        version = (2, 0)
    elif change == "version 3":
        version = (3, 0)
    elif change == "unknown version":
        version = rng.choice([(1, 7), (4, 0), (0, 0), (9, 9)])
    elif change == "other type, same width":
        put("descr", repr(rng.choice({1: ["|i1", "|b1", "|u1"], 2: ["<i2", ">u2", "<f2", "<u2"],
                                      4: ["<i4", "<u4", "<f4", ">f4"], 8: ["<i8", "<f8", "<u8", "<c8"]}[
                                          array.itemsize])))
    elif change == "other width":
        put("descr", repr(rng.choice(["|u1", "<u2", "<f4", "<f8", "<f16", "<u3"])))
    elif change == "type without order":
        put("descr", repr(descr[1:]))
    elif change == "type by name":
        put("descr", repr(array.dtype.name))
    elif change == "odd type":
        put("descr", rng.choice(["'|O'", "[('a', '<u2')]", "'<M8[s]'", "'|V2'", "'<U2'", "'|S2'", "''", "'u'", "None"]))
    elif change == "axes swapped":
        shape = shape[:]
        rng.shuffle(shape)
        put("shape", repr(tuple(shape)))
    elif change == "axis dropped" and len(shape) > 1:
        put("shape", repr(tuple([shape[0] * shape[1]] + shape[2:])))
    elif change == "axis added":
        put("shape", repr(tuple(shape + [1]) if rng.random() < 0.5 else tuple([1] + shape)))
    elif change == "more elements":
        put("shape", repr(tuple([shape[0] + rng.randint(1, 9)] + shape[1:])))
    elif change == "fewer elements":
        put("shape", repr(tuple([max(1, shape[0] - rng.randint(1, 3))] + shape[1:])))
    elif change == "odd shape":
        put("shape", rng.choice(["()", "(0, 6, 6)", "(-1, 6, 6)", "6", "(6.0, 6, 6)", "[6, 6, 6]", "(6 6 6)",
                                 "(99999999999999999999, 6, 6)"]))
    elif change == "order flipped":
        put("fortran_order", str(not fortran))
    elif change == "odd order":
        put("fortran_order", rng.choice(["0", "1", "'True'", "true", "None"]))
    elif change == "key missing":
        entries.pop(rng.randrange(3))
    elif change == "key added":
        entries.append(("'extra'", "1"))
    elif change == "key twice":
        entries.append((entries[2][0], repr((1, SIDE, SIDE))))
    elif change == "not a dictionary":
        open_, close = rng.choice([("[", "]"), ("(", ")"), ("{", ""), ("", "}")])
    elif change == "data cut":
        data = data[:-rng.randint(1, len(data))]
    elif change == "data longer":
        data += bytes(rng.randint(1, 40))
    elif change == "values":
        array = array.copy()
        odd = [np.nan, np.inf, -np.inf, 1e300, -5.0] if array.dtype.kind == "f" else \
            [np.iinfo(array.dtype).max, np.iinfo(array.dtype).min, 300 % (np.iinfo(array.dtype).max + 1)]
        with np.errstate(over="ignore"):
            array.reshape(-1)[rng.randrange(array.size)] = rng.choice(odd)
        data = array.tobytes(order="F" if fortran else "C")
    text = open_ + ", ".join(f"{n}: {v}" for n, v in entries) + close
    fixed = 10 if version[0] <= 1 else 12
    if pad:
        text += " " * (-(fixed + len(text) + 1) % 64)
    text = (text + end).encode("latin1")
    length = len(text)
    if change == "header length":
        length = max(0, length + rng.choice([-20, -3, 3, 200, 60000]))
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version[0] <= 1 else "<I",
                                                      length & (0xffff if version[0] <= 1 else 0xffffffff)) + text + data


NPY_CHANGES = ["none", "double quotes", "order of keys", "white space", "no spare comma", "no padding",
               "Python 2 shape", "version 2", "version 3", "unknown version", "other type, same width", "other width",
               "type without order", "type by name", "odd type", "axes swapped", "axis dropped", "axis added",
               "more elements", "fewer elements", "odd shape", "order flipped", "odd order", "key missing",
               "key added", "key twice", "not a dictionary", "data cut", "data longer", "values", "header length"]


def random_images(rng, count):
    g = np.random.default_rng(rng.randrange(1 << 30))
    kind = rng.choice(["|u1", "|u1", "<u2", ">u2", "<i2", "<i4", "<i8", "<f2", "<f4", "<f8", ">f8", "<u4"])
    layout = rng.choice(["NHW", "NHW", "NHWC", "NCHW", "NHW1"])
    shape = {"NHW": (count, SIDE, SIDE), "NHWC": (count, SIDE, SIDE, 3), "NCHW": (count, 3, SIDE, SIDE),
             "NHW1": (count, SIDE, SIDE, 1)}[layout]
    low, high = (-1000, 2000) if kind[1] in "if" else (0, 256 if kind == "|u1" else 5000)
    values = g.uniform(low, high, shape) if kind[1] == "f" else g.integers(low, high, shape)
    array = values.astype(kind)
    return np.asfortranarray(array) if rng.random() < 0.15 else array


def load_npy(path):
    try:
        return np.load(path, allow_pickle=False)
    except Exception as e:  # every way in which NumPy refuses
        raise Refused(str(e)) from e


def pixels_of(arrays):
    """(N, C, H, W) as docs/data.md says arrays become pixels; Refused where they are none."""
    planes = []
    for a in arrays:
        if a.ndim == 3 and not (a.shape[2] in (3, 4) and a.shape[0] >= 8 and a.shape[1] >= 8):
            planes.append(a[:, None])
        elif a.ndim == 4 and a.shape[3] in (1, 3):
            planes.append(np.moveaxis(a, 3, 1))
        elif a.ndim == 4 and a.shape[1] in (1, 3):
            planes.append(a)
        else:
            raise Unfit(f"shape {a.shape}")
        if a.size == 0:
            raise Unfit("no pixels")
    kinds = {"f" if a.dtype.kind == "f" else "whole" if (a.dtype.kind, a.dtype.itemsize) not in (("u", 1), ("u", 2))
             else "pixels" for a in planes}
    if any(a.dtype.kind not in "uif" or a.dtype.itemsize > 8 for a in planes):
        raise Unfit("no numbers")
    if len(kinds) > 1 or len({a.shape[2:] for a in planes}) > 1:
        raise Unfit("arrays of several kinds")
    if kinds == {"pixels"}:
        deep = max(a.dtype.itemsize for a in planes) == 2
        planes = [a.astype(np.uint16) * (257 if deep and a.dtype.itemsize == 1 else 1) for a in planes]
    else:
        wide = [a.astype(np.float64) for a in planes]
        if not all(np.isfinite(a).all() for a in wide):
            raise Unfit("not finite")
        low, high = min(a.min() for a in wide), max(a.max() for a in wide)
        if kinds == {"f"}:
            span = high - low
            scale = 65535 / span if span > 0 else 0
            planes = [np.floor((a - low) * scale + 0.5).astype(np.uint16) for a in wide]
        else:
            added = 32768 if low < 0 else 0
            if low + added < 0 or high + added > 65535:
                raise Unfit("16 bits do not hold these integers")
            planes = [(a + added).astype(np.uint16) for a in wide]
    if len({a.shape[1] for a in planes}) > 1:  # grey and colour: grey three times
        planes = [a if a.shape[1] == 3 else np.repeat(a, 3, axis=1) for a in planes]
    return np.concatenate(planes)


# -------------------------------------------------------------------------------------- programs


class Bioptic:
    def __init__(self, program, work):
        self.program, self.work = program, work

    def run(self, *arguments):
        r = subprocess.run([self.program, *map(str, arguments)], cwd=self.work, capture_output=True, timeout=300)
        try:
            out, err = r.stdout.decode("utf-8"), r.stderr.decode("utf-8")
        except UnicodeDecodeError as e:
            raise AssertionError(f"output that is not UTF-8: {e}") from e
        if r.returncode not in (0, 2) or "json.exception" in err or (r.returncode == 2 and "error: " not in err):
            raise AssertionError(f"exit code {r.returncode}: {err}")
        return r.returncode, out, err

    def dataset(self, *arguments):
        """Pixels, rows of index.csv, classes, notes; Refused."""
        target = self.work / "dataset"
        shutil.rmtree(target, ignore_errors=True)
        code, _, err = self.run("data", "import", *arguments, "--threads", "1")
        if code != 0:
            raise Refused(err.strip())
        info = json.loads((target / "dataset.json").read_text(encoding="utf-8"))
        try:
            with open(target / "index.csv", encoding="utf-8", newline="") as f:
                rows = list(csv.DictReader(f, strict=True))
        except UnicodeDecodeError as e:
            raise AssertionError(f"index.csv is not UTF-8: {e}") from e
        return np.load(target / "images.npy"), rows, info, err.strip()


def outcome(expected, got, equal, note):
    """expected, got: functions that return or raise Refused."""
    unfit = False
    try:
        want, why_not = expected(), None
    except Refused as e:
        want, why_not, unfit = None, str(e), isinstance(e, Unfit)
    try:
        have, said = got(), None
    except Refused as e:
        have, said = None, str(e)
    except AssertionError as e:
        return "SILENT", str(e)
    if said is not None:
        return ("both", "") if why_not is not None and not unfit else ("refused", said)
    if why_not is not None:
        return "more", why_not
    if not equal(want, have):
        shown = [x for x in have if not isinstance(x, np.ndarray)] if isinstance(have, tuple) else have
        return "SILENT", f"want {want!r}, have {shown!r}".replace("\n", " ")[:2000]
    return ("warned" if note(have) else "equal"), ""


def npy_case(rng, bioptic, change):
    work = bioptic.work
    a, b = random_images(rng, 5), None
    b = np.asarray(rng.choice([a, a[::-1].copy()]))
    (work / "a.npy").write_bytes(npy_bytes(a, rng, change))
    (work / "b.npy").write_bytes(npy_bytes(b, rng, "none"))

    def expected():
        return pixels_of([load_npy(work / "a.npy"), load_npy(work / "b.npy")])

    def got():
        return bioptic.dataset("dataset", "--class", "a=a.npy", "--class", "b=b.npy")

    return outcome(expected, got, lambda want, have: np.array_equal(want, have[0]), lambda have: have[3])


# ------------------------------------------------------------------------------------------- .npz

NPZ_CHANGES = ["none", "deflated", "labels (N, 1)", "labels (1, N)", "labels float", "labels float, halves",
               "labels bool", "labels from 1", "labels with a gap", "labels -1 and 1", "labels -1, 0, 1",
               "labels one-hot", "labels one-hot float", "labels two-hot", "probabilities", "labels text",
               "labels bytes", "labels Latin-1 bytes", "labels text with nan", "labels big-endian", "labels int64",
               "labels objects", "labels too many", "labels too few", "labels scalar", "labels NaN", "one class",
               "no labels", "no images", "extra array", "member twice", "name in capitals", "Keras's names",
               "without .npy", "no test split", "validation", "test only", "cut", "byte flipped", "comment",
               "labels header", "images header", "labels huge"]


def npz_case(rng, bioptic, change):
    g = np.random.default_rng(rng.randrange(1 << 30))
    n = rng.randint(6, 12)
    images = random_images(rng, n)
    labels = np.arange(n) % 3 if rng.random() < 0.5 else np.arange(n) % 2
    g.shuffle(labels)
    labels = labels.astype(rng.choice(["u1", "i8", "<i4"]))
    k = int(labels.max()) + 1
    arrays = {"train_images": images, "train_labels": labels, "test_images": images[:4], "test_labels": labels[:4]}

    def both(function):
        for name in ("train_labels", "test_labels"):
            arrays[name] = function(arrays[name])

    raw, names, extra = {}, {}, []
    simple = {
        "labels (N, 1)": lambda x: x[:, None], "labels (1, N)": lambda x: x[None], "labels float": lambda x: x * 1.0,
        "labels float, halves": lambda x: x + 0.5, "labels bool": lambda x: x > 0, "labels from 1": lambda x: x + 1,
        "labels with a gap": lambda x: x * 2, "labels -1 and 1": lambda x: np.where(x > 0, 1, -1),
        "labels -1, 0, 1": lambda x: x.astype(int) % 3 - 1, "labels one-hot": lambda x: np.eye(k, dtype=np.uint8)[x],
        "labels one-hot float": lambda x: np.eye(k, dtype=np.float32)[x],
        "labels two-hot": lambda x: np.minimum(1, np.eye(k + 1, dtype=np.uint8)[x] + np.eye(k + 1, dtype=np.uint8)[x + 1]),
        "probabilities": lambda x: np.eye(k)[x] * 0.8 + 0.2 / k,
        "labels text": lambda x: np.array(["benign", "Müller", "z"])[x],
        "labels bytes": lambda x: np.array([b"benign", b"ill", b"z"])[x],
        "labels Latin-1 bytes": lambda x: np.array([b"benign", b"M\xfcller", b"z"])[x],
        "labels text with nan": lambda x: np.array(["benign", "nan", "z"])[x],
        "labels big-endian": lambda x: x.astype(">i4"), "labels int64": lambda x: x.astype("<i8"),
        "labels objects": lambda x: np.array([str(v) for v in x], dtype=object),
        "labels too many": lambda x: np.concatenate([x, x]), "labels too few": lambda x: x[:-1],
        "labels scalar": lambda x: np.array(3), "labels NaN": lambda x: np.where(x > 0, np.nan, 0.0),
        "one class": lambda x: x * 0, "labels huge": lambda x: x.astype("i8") * 123456}
    if change in simple:
        both(simple[change])
    elif change == "no labels":
        del arrays[rng.choice(["train_labels", "test_labels"])]
    elif change == "no images":
        del arrays[rng.choice(["train_images", "test_images"])]
    elif change == "extra array":
        extra.append(("patients.npy", np.arange(n)))
    elif change == "member twice":
        extra.append(("train_labels.npy", labels[::-1].copy()))
    elif change == "name in capitals":
        names["train_images"] = "Train_Images.npy"
    elif change == "Keras's names":
        names = {"train_images": "x_train.npy", "train_labels": "y_train.npy", "test_images": "x_test.npy",
                 "test_labels": "y_test.npy"}
    elif change == "without .npy":
        names = {name: name for name in arrays}
    elif change == "no test split":
        del arrays["test_images"], arrays["test_labels"]
    elif change == "validation":
        arrays["val_images"], arrays["val_labels"] = images[:3], labels[:3]
    elif change == "test only":
        del arrays["train_images"], arrays["train_labels"]
    elif change.endswith("header"):
        name = "train_labels" if change.startswith("labels") else "train_images"
        raw[name] = npy_bytes(arrays[name], rng, rng.choice(NPY_CHANGES))
    path = bioptic.work / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if change == "deflated" else zipfile.ZIP_STORED) as z:
        for name, array in list(arrays.items()) + extra:
            b = io.BytesIO()
            np.save(b, array, allow_pickle=True)
            z.writestr(names.get(name, name if name.endswith(".npy") else name + ".npy"), raw.get(name, b.getvalue()))
        if change == "comment":
            z.comment = b"x" * rng.randint(1, 500)
    if change == "cut":
        path.write_bytes(path.read_bytes()[:-rng.randint(1, 400)])
    if change == "byte flipped":
        data = bytearray(path.read_bytes())
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)

    def expected():
        try:
            archive = np.load(path, allow_pickle=False)
            loaded = {f: archive[f] for f in archive.files}
        except Exception as e:
            raise Refused(str(e)) from e
        keras = not any(f.endswith(("_images", "_labels")) for f in loaded)
        used, found = [], []
        for split in ("train", "val", "test"):
            i, l = (f"x_{split}", f"y_{split}") if keras else (f"{split}_images", f"{split}_labels")
            if i not in loaded and l not in loaded and split != "train":
                continue
            if i not in loaded or l not in loaded:
                raise Unfit(f"{split} is not whole")
            used.append((split, loaded[i]))
            found.append(plain_labels(loaded[l], len(loaded[i])))
        pixels = pixels_of([a for _, a in used])
        values = [v for part in found for v in part]
        if len(set(values)) < 2:
            raise Unfit("one class")
        numbers = [v for v in values if not isinstance(v, str)]
        if numbers and (max(numbers) > 9999 or (min(numbers) < 0 and set(numbers) != {-1, 1})):
            raise Unfit("labels that are no classes")
        width = len(str(max(numbers))) if numbers else 0
        classes = [v if isinstance(v, str) else str(v) if v < 0 else str(v).zfill(width) for v in values]
        return pixels, classes, [s for s, a in used for _ in range(len(a))]

    def equal(want, have):
        rows = have[1]
        return np.array_equal(want[0], have[0]) and want[1] == [r["class"] for r in rows] and \
            want[2] == [r["split"] for r in rows]

    return outcome(expected, lambda: bioptic.dataset("x.npz", "dataset"), equal, lambda have: have[3])


def plain_labels(x, n):
    """A label an image, by the rules of docs/data.md; Refused where there is none."""
    if x.ndim == 0 or x.ndim > 2 or x.dtype.kind not in "uifbUS":
        raise Unfit("no labels")
    if x.ndim == 2 and x.shape[1] != 1 and x.shape != (1, n):
        if x.dtype.kind in "US" or x.shape[0] != n or not np.isin(x, (0, 1)).all() or not (x.sum(axis=1) == 1).all():
            raise Unfit("several numbers an image")
        x = x.argmax(axis=1)
    x = x.reshape(-1)
    if len(x) != n:
        raise Unfit("another number of labels")
    if x.dtype.kind == "S":
        try:
            x = np.char.decode(x, "utf-8")
        except UnicodeDecodeError as e:
            raise Unfit("not UTF-8") from e
    if x.dtype.kind == "U":
        if any(v.strip() in MISSING for v in x.tolist()):
            raise Unfit("a label is missing")
        return [v.strip() for v in x.tolist()]
    if x.dtype.kind == "f" and (not np.isfinite(x).all() or (x != np.floor(x)).any()):
        raise Unfit("no whole number")
    return [int(v) for v in x.tolist()]


# -------------------------------------------------------------------------------------------- CSV


class Table:
    """Rows of text, and how they are written."""

    def __init__(self, header, rows):
        self.header, self.rows = header, rows
        self.encoding, self.separator, self.end, self.quote = "utf-8", ",", "\n", csv.QUOTE_MINIMAL
        self.before = self.after = ""
        self.spare_header = self.spare = 0  # separators at the ends of lines
        self.blank = ""  # after a separator
        self.cut = False  # without the last line's end
        self.intended = {}  # of pandas.read_csv, where its defaults do not do

    def text(self):
        out = io.StringIO()
        w = csv.writer(out, delimiter=self.separator, lineterminator=self.end, quoting=self.quote)
        lines = []
        for k, row in enumerate([self.header] + self.rows):
            out.seek(0)
            out.truncate()
            w.writerow(row)
            line = out.getvalue()[:-len(self.end)]
            if self.blank:
                line = line.replace(self.separator, self.separator + self.blank)
            lines.append(line + self.separator * (self.spare_header if k == 0 else self.spare) + self.end)
        text = self.before + "".join(lines) + self.after
        return text[:-len(self.end)] if self.cut else text

    def bytes(self):
        return self.text().encode(self.encoding)


COMMON_CHANGES = ["none", "byte order mark", "UTF-16", "UTF-16 big-endian", "UTF-16 without mark", "Latin-1",
                  "CRLF", "CR", "mixed line ends", "semicolons", "tabs", "bars", "colons", "sep= line", "all quoted",
                  "spare commas", "spare commas in rows", "blank lines", "empty rows", "header in capitals",
                  "space after comma", "extra column", "column missing", "column twice", "columns shuffled",
                  "row short", "row long", "quote open", "zero byte", "no last line end", "index column",
                  "empty file", "header only", "group NA", "group nan", "group empty", "group all empty",
                  "group as float", "group padded", "label missing", "label NA", "label None", "label padded",
                  "split in capitals", "split odd", "split missing", "number with comma", "number odd",
                  "comment line", "two changes"]


def change_table(t, rng, change, numbers):
    """numbers: the column of a number that may be mutated."""
    def cells(name, share, function):
        found = [c for c, h in enumerate(t.header) if h.lower() == name]
        for row in t.rows:
            if found and found[0] < len(row) and rng.random() < share:
                row[found[0]] = function(row[found[0]])

    if change == "two changes":
        for one in rng.sample([c for c in COMMON_CHANGES if c not in ("two changes", "empty file", "header only")], 2):
            change_table(t, rng, one, numbers)
    elif change == "byte order mark":
        t.encoding = "utf-8-sig"
    elif change == "UTF-16":
        t.encoding, t.intended["encoding"] = "utf-16", "utf-16"
    elif change == "UTF-16 big-endian":
        t.before, t.encoding = "\ufeff" + t.before, "utf-16-be"
        t.intended["encoding"] = "utf-16"
    elif change == "UTF-16 without mark":
        t.encoding, t.intended["encoding"] = "utf-16-le", "utf-16-le"
    elif change == "Latin-1":
        cells("group", 1, lambda v: v + "ü")
        t.encoding = "latin-1"
    elif change in ("CRLF", "CR"):
        t.end = "\r\n" if change == "CRLF" else "\r"
    elif change == "mixed line ends":
        t.after = "\r\n" + "\r" * rng.randint(0, 2)
    elif change in ("semicolons", "tabs", "bars", "colons"):
        t.separator = {"semicolons": ";", "tabs": "\t", "bars": "|", "colons": ":"}[change]
        t.intended["sep"] = t.separator
    elif change == "sep= line":
        t.separator = rng.choice(";,\t")
        t.before = f"sep={t.separator}" + t.end
        t.intended.update(sep=t.separator, skiprows=1)
    elif change == "all quoted":
        t.quote = csv.QUOTE_ALL
    elif change == "spare commas":
        t.spare = t.spare_header = rng.randint(1, 3)
    elif change == "spare commas in rows":
        t.spare = rng.randint(1, 3)
        t.intended["index_col"] = False
    elif change == "blank lines":
        t.before, t.after = t.end * rng.randint(0, 2), t.end * 2 + "  " + t.end
    elif change == "empty rows":
        t.rows.insert(rng.randint(0, len(t.rows)), [""] * len(t.header))
        t.rows.append([" "] * len(t.header))
    elif change == "header in capitals":
        t.header = [h.upper() if rng.random() < 0.5 else h.capitalize() for h in t.header]
    elif change == "space after comma":
        t.blank = " " * rng.randint(1, 2)
        t.intended["skipinitialspace"] = True
    elif change == "extra column":
        at = rng.randint(0, len(t.header))
        t.header.insert(at, rng.choice(["age", "note", "Label2", ""]))
        for row in t.rows:
            row.insert(at, rng.choice(["1", "a, b", 'say "x"', "line\nbreak", ""]))
    elif change == "column missing":
        at = rng.randrange(len(t.header))
        for row in [t.header] + t.rows:
            row.pop(at)
    elif change == "column twice":
        at = rng.randrange(len(t.header))
        for row in [t.header] + t.rows:
            row.append(row[at])
    elif change == "columns shuffled":
        order = list(range(len(t.header)))
        rng.shuffle(order)
        t.header, t.rows = [t.header[k] for k in order], [[row[k] for k in order] for row in t.rows]
    elif change == "row short":
        t.rows[rng.randrange(len(t.rows))].pop()
    elif change == "row long":
        t.rows[rng.randrange(len(t.rows))].append("more")
    elif change == "quote open":
        t.after = '"open' + t.separator + "x"
    elif change == "zero byte":
        cells("label", 0.3, lambda v: v + "\0")
    elif change == "no last line end":
        t.cut = True
    elif change == "index column":
        t.header.insert(0, "")
        for k, row in enumerate(t.rows):
            row.insert(0, str(k))
    elif change == "empty file":
        t.header, t.rows = [], []
    elif change == "header only":
        t.rows = []
    elif change in ("group NA", "group nan", "group empty"):
        word = {"group NA": "NA", "group nan": "nan", "group empty": ""}[change]
        cells("group", 0.5, lambda v: word)
    elif change == "group all empty":
        cells("group", 1, lambda v: "")
    elif change == "group as float":
        cells("group", rng.choice([0.5, 1]), lambda v: v + ".0" if v.isdigit() else v)
    elif change == "group padded":
        cells("group", 0.5, lambda v: " " + v + " ")
    elif change in ("label missing", "label NA", "label None"):
        word = {"label missing": "", "label NA": "NA", "label None": "None"}[change]
        cells("label", 0.3, lambda v: word)
    elif change == "label padded":
        cells("label", 1, lambda v: v + "  ")
    elif change == "split in capitals":
        cells("split", 0.7, lambda v: rng.choice([v.upper(), v.capitalize(), v + "ing" if v != "val" else "Valid"]))
    elif change == "split odd":
        cells("split", 0.2, lambda v: rng.choice(["holdout", "tset", "0"]))
    elif change == "split missing":
        cells("split", 0.2, lambda v: rng.choice(["", "NA"]))
    elif change == "number with comma":
        cells(numbers, 1, lambda v: v.replace(".", ","))
    elif change == "number odd":
        cells(numbers, 0.2, lambda v: rng.choice(["NaN", "", "1e400", "0x1p-2", "1e-3", "+0.5", "abc", "inf", "1_0", " 0.25 "]))
    elif change == "comment line":
        t.before = "# made by hand" + t.end


def read_rows(path, t):
    """The rows as pandas gives them, as text; Refused where it does not, or the header is not there."""
    try:
        f = pd.read_csv(path, dtype=str, keep_default_na=False, **t.intended)
    except Exception as e:
        raise Refused(f"pandas: {e}") from e
    names = [str(c).strip() for c in f.columns]
    columns = {}
    for k, name in enumerate(names):
        exact = name.lower()
        if re.fullmatch(r".*\.\d+", name) and name.rsplit(".", 1)[0] in names:
            if name.rsplit(".", 1)[0].lower() in ("path", "label", "group", "split", "weight", "image", "seed", "score", "arm"):
                raise Refused("a column twice")
        columns.setdefault(exact, k)
    rows = []
    for values in f.itertuples(index=False, name=None):
        values = ["" if v is None or (isinstance(v, float) and v != v) else str(v) for v in values]
        if any(v.strip() for v in values):
            rows.append({name: values[k] for name, k in columns.items()})
    return rows, columns


def plain(text):
    return re.sub(r"^([+-]?\d+)\.0+$", r"\1", text.strip())


def number(text, comma):
    text = text.strip()
    if text in MISSING:
        return float("nan")
    if comma and "." not in text:
        text = text.replace(",", ".", 1)
    if "_" in text or "x" in text.lower():
        raise Unfit("no number")
    try:
        return float(text)
    except ValueError as e:
        raise Unfit("no number") from e


def manifest_case(rng, bioptic, change):
    work = bioptic.work
    n = 8
    rows = [[f"im/{k}.png", "sick" if k % 2 else "well", str(k // 2 + 1), "test" if k > 5 else rng.choice(["train", "val"]),
             rng.choice(["1.5", "0.25", "2"])] for k in range(n)]
    t = Table(["path", "label", "group", "split", "weight"], rows)
    change_table(t, rng, change, "weight")
    path = work / "m.csv"
    path.write_bytes(t.bytes())

    def expected():
        found, columns = read_rows(path, t)
        if not found or "path" not in columns or "label" not in columns:
            raise Unfit("no rows or columns")
        out = []
        for row in found:
            label = row["label"].strip()
            if label in MISSING:
                raise Unfit("a label is missing")
            file = row["path"].strip()
            if not (work / file).is_file():
                raise Unfit("no such file")
            split = SPLITS.get(row["split"].strip().lower()) if "split" in row else ""
            if split is None:
                raise Unfit("no split")
            weight = number(row["weight"], t.separator == ";") if "weight" in row else 1.0
            if not (0 < weight < float("inf")):
                raise Unfit("no weight")
            group = row.get("group", "")
            out.append([file, label, split, "" if group.strip() in MISSING else group, weight])
        if len({r[1] for r in out}) < 2 or len({r[0] for r in out}) != len(out):
            raise Unfit("one class, or a file twice")
        # Where a group is spelt in two ways, the plain one; else as it stands there.
        spelt = collections.defaultdict(set)
        for r in out:
            if r[3]:
                spelt[plain(r[3])].add(r[3])
        if any(len(s) > 1 for s in spelt.values()):
            for r in out:
                r[3] = plain(r[3])
        return out

    def equal(want, have):
        got = [[r["source"].strip(), r["class"], r["split"], r["group"].strip(), float(r.get("weight") or 1)]
               for r in have[1]]
        # White space that all groups have stays; it must not make two of one.
        return got == [[*r[:3], r[3].strip(), r[4]] for r in want] and \
            len({r["group"] for r in have[1]}) == len({r["group"].strip() for r in have[1]})

    return outcome(expected, lambda: bioptic.dataset("m.csv", "dataset"), equal, lambda have: have[3])


def compare_case(rng, bioptic, change):
    rows = []
    for arm in "ab":
        for seed in range(2):
            for k in range(10):
                rows.append([arm, str(seed), f"im{k}", str(k % 2), f"{rng.uniform(0.05, 0.95):.4f}", str(k // 2 + 1), "test"])
    t = Table(["arm", "seed", "image", "label", "score", "group", "split"], rows)
    change_table(t, rng, change, "score")
    path = bioptic.work / "p.csv"
    path.write_bytes(t.bytes())

    def expected():
        found, columns = read_rows(path, t)
        if not found or any(c not in columns for c in ("arm", "seed", "image", "label", "score")):
            raise Unfit("no rows or columns")
        scores, images = collections.defaultdict(dict), {}
        for row in found:
            label, group = row["label"].strip(), row.get("group", "").strip()
            if label in MISSING:
                raise Unfit("a label is missing")
            split = row.get("split", "test").strip()
            if split in MISSING:
                raise Unfit("a split is missing")
            if SPLITS.get(split.lower(), split) != "test":
                continue
            image = (plain(label), "" if group in MISSING else plain(group))
            if images.setdefault(row["image"].strip(), image) != image:
                raise Unfit("an image of two groups")
            if not re.fullmatch(r"[+-]?\d+(\.0*)?", row["seed"].strip()):
                raise Unfit("no seed")
            trial = scores[row["arm"].strip(), int(float(row["seed"]))]
            if row["image"].strip() in trial:
                raise Unfit("an image twice")
            s = number(row["score"], t.separator == ";")
            if np.isfinite(s) and not -1e-6 <= s <= 1 + 1e-6:
                raise Unfit("no probability")
            trial[row["image"].strip()] = s
        if len({a for a, _ in scores}) < 2 or any(set(v) != set(images) for v in scores.values()) or \
                {i[0] for i in images.values()} - {"0", "1"}:
            raise Unfit("arms that do not match")
        out = {}
        for key, trial in scores.items():
            right, brier = [], []
            for image, s in trial.items():
                y = int(images[image][0])
                if not np.isfinite(s):
                    s = 1.0 - y  # counts as wrong, with certainty
                right.append((s > 0.5) == (y == 1))
                brier.append((s - y) ** 2)
            out[key] = (np.mean(right), np.mean(brier))
        return out, len({g or name for name, (_, g) in images.items()}), len(images)

    def got():
        code, out, err = bioptic.run("compare", "p.csv", "--json")
        if code != 0:
            raise Refused(err.strip())
        return json.loads(out)

    def equal(want, have):
        values, groups, images = want
        for arm in have["arms"]:
            for metric, k in (("accuracy", 0), ("brier", 1)):
                if metric not in arm["levels"]:
                    return False
                for seed, v in arm["levels"][metric]["values"].items():
                    if abs(v - values[arm["name"], int(seed)][k]) > 1e-9:
                        return False
        return len(values) == sum(len(a["levels"]["accuracy"]["values"]) for a in have["arms"]) and \
            groups == have["groups"] and images == have["images"]

    return outcome(expected, got, equal, lambda have: len(have["notes"]) > 1)


# ------------------------------------------------------------------------------------------- main

FORMATS = {".npy": (npy_case, NPY_CHANGES), ".npz": (npz_case, NPZ_CHANGES), "manifest": (manifest_case, COMMON_CHANGES),
           "predictions": (compare_case, COMMON_CHANGES)}
COLUMNS = ["equal", "warned", "refused", "both", "more", "SILENT"]


def reason(text):
    """A refusal without what differs from file to file."""
    text = re.sub(r"^.*?error: ", "", text.split("\n")[0] if "error: " in text.split("\n")[0] else text)
    text = re.sub(r"^\S+?(:#)?: ", "", re.sub(r"\d+", "#", re.sub(r"'[^']*'", "'...'", text)))
    return re.sub(r"\(#[#, ]*\)", "(#)", text)[:150]


def main():
    warnings.simplefilter("ignore")  # of members that are there twice, of headers of Python 2
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bioptic", required=True, type=pathlib.Path)
    p.add_argument("--count", type=int, default=2000, help="mutated files altogether")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/tmp/mutate-tables"))
    p.add_argument("--only", choices=FORMATS, help="one format")
    o = p.parse_args()
    shutil.rmtree(o.work, ignore_errors=True)
    (o.work / "im").mkdir(parents=True)
    for k in range(8):
        write_png(o.work / "im" / f"{k}.png", k)
    bioptic = Bioptic(o.bioptic.resolve(), o.work)
    formats = [o.only] if o.only else list(FORMATS)
    counts = {f: collections.Counter() for f in formats}
    lists = {"refused": collections.Counter(), "more": collections.Counter()}
    silent = []
    for k in range(o.count):
        name = formats[k % len(formats)]
        case, changes = FORMATS[name]
        change = changes[k // len(formats) % len(changes)]
        what, why = case(random.Random(f"{o.seed} {k}"), bioptic, change)
        counts[name][what] += 1
        if change == "none":
            counts[name]["unchanged"] += 1
            if what not in ("equal", "warned"):
                silent.append((name, change, k, "unchanged, yet " + what + ": " + why))
        if what in lists:
            lists[what][f"{name}: {reason(why)}"] += 1
        if what == "SILENT":
            silent.append((name, change, k, why))
            shutil.copytree(o.work, o.work.parent / f"{o.work.name}-{k}", dirs_exist_ok=True)
    print("| files | count | unchanged, all read | " + " | ".join(COLUMNS) + " |")
    print("|---" * (3 + len(COLUMNS)) + "|")
    for name in formats:
        c = counts[name]
        print(f"| {name} | {sum(c[x] for x in COLUMNS)} | {c['unchanged']} | " + " | ".join(str(c[x]) for x in COLUMNS) + " |")
    for kind, title in (("refused", "Refused where the other reader reads"), ("more", "Read where the other reader refuses")):
        print(f"\n{title}:")
        for text, n in sorted(lists[kind].items()):
            print(f"{n:5}  {text}")
    for name, change, k, why in silent:
        print(f"SILENT: file {k} ({name}, {change}): {why}")
    return 1 if silent else 0


def write_png(path, k):
    """A grey PNG of 6 x 6 pixels, without any library."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes((17 * k + 5 * y + x) % 256 for x in range(SIDE)) for y in range(SIDE))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


if __name__ == "__main__":
    sys.exit(main())
