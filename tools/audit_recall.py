"""Plants faults among clean images and asks `bioptic data audit` for them, apart from the program's own tests.

    python tools/audit_recall.py BIOPTIC DATASET WORK [--seed N]      needs NumPy and Pillow

DATASET is a grey 8-bit dataset with groups and a train and a test split, such as

    bioptic data phantom DATASET --seed 77

WORK, a new folder, gets it as PNG files with a manifest and is audited: once as it is, once with 20 each of
exact copies, JPEG of quality 50, half the size and back, 10 % brighter or darker, 3 % cropped (from each edge,
or in all), a tenth of the range brighter or darker, and of patients whose images stand in both splits.  Printed: what was found of each, and the pairs
that were found but not planted (less those of the clean set).  The exit code is 1 where recall is below 0.9 or more than one
pair per 1,000 images is false.
"""
import argparse
import csv
import json
import pathlib
import re
import subprocess
import sys

import numpy as np
from PIL import Image

EACH = 20
EXACT, GROUPS = r"^(\d+) image", r"groups, (\d+) have"  # in what the program says


def png(work, name, pixels):
    Image.fromarray(pixels).save(work / name)
    return name


def jpeg(work, name, image):
    name = name.replace(".png", ".jpg")
    image.save(work / name, quality=50)
    return name


def halved(image, how):
    small = image.resize((image.width // 2, image.height // 2), how)
    return np.asarray(small.resize(image.size, how))


def grey_levels(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def cropped(image, share):
    x, y = round(share * image.width), round(share * image.height)
    box = (x, y, image.width - x, image.height - y)
    return np.asarray(image.crop(box).resize(image.size, Image.Resampling.BICUBIC))


# Beyond what is promised: up to a third of a dark picture's pixels become black, and their detail is lost.
SHIFTED = "25.5 levels brighter or darker"
FAULTS = {
    "exact copy": lambda work, name, image, k: png(work, name, np.asarray(image)),
    "JPEG, quality 50": lambda work, name, image, k: jpeg(work, name, image),
    "half the size and back": lambda work, name, image, k: png(
        work, name, halved(image, list(Image.Resampling)[1 + k % 5])),
    "10 % brighter or darker": lambda work, name, image, k: png(
        work, name, grey_levels(np.asarray(image) * (1.1, 0.9)[k % 2])),
    "3 % cropped": lambda work, name, image, k: png(work, name, cropped(image, (0.03, 0.015)[k % 2])),
    SHIFTED: lambda work, name, image, k: png(
        work, name, grey_levels(np.asarray(image) + (25.5, -25.5)[k % 2])),
}


def audit(bioptic, work, rows, name):
    with open(work / name, "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["path", "label", "split", "group"])
        writer.writerows(rows)
    done = subprocess.run([bioptic, "data", "audit", work / name, "--split-by", "group", "--json", "--quiet"],
                          capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    checks = {c["id"]: c for c in found["checks"]}
    return checks, {frozenset((p["first"], p["second"])) for p in found["near_duplicates"]}


def number(check, pattern):
    found = re.search(pattern, check["said"])
    return int(found.group(1)) if found else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bioptic")
    parser.add_argument("dataset", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    work, rng = arguments.work, np.random.default_rng(arguments.seed)
    work.mkdir()
    images = np.load(arguments.dataset / "images.npy", mmap_mode="r")[:, 0]
    with open(arguments.dataset / "index.csv", newline="", encoding="utf-8") as index:
        records = list(csv.DictReader(index))
    classes = [r["class"] for r in records]
    clean = []
    for i, record in enumerate(records):
        group = record["group"] or f"alone{i}"
        clean.append([png(work, f"{i:06}.png", images[i]), classes[i], record["split"], group])

    checks, clean_pairs = audit(arguments.bioptic, work, clean, "clean.csv")
    print(f"{len(clean)} images as they are: near pairs {len(clean_pairs)}; checks that found something: "
          + (", ".join(c["id"] for c in checks.values() if c["state"] == "found") or "none"))
    clean_exact = number(checks["exact_duplicates"], EXACT)
    clean_groups = number(checks["split_groups"], GROUPS)

    rows = [list(r) for r in clean]
    chosen = iter(rng.permutation(len(clean)))
    planted = {}  # fault -> pairs of file names
    for fault, make in FAULTS.items():
        planted[fault] = set()
        for k in range(EACH):
            i = next(chosen)
            name = make(work, f"planted{len(rows):06}.png", Image.fromarray(np.asarray(images[i])), k)
            rows.append([name, clean[i][1], clean[i][2], f"planted{len(rows)}"])
            planted[fault].add(frozenset((clean[i][0], name)))
    groups = {side: sorted({r[3] for r in clean if r[2] == side}) for side in ("train", "test")}
    both = list(zip(rng.choice(sorted(set(groups["test"]) - set(groups["train"])), EACH, replace=False),
                    rng.choice(sorted(set(groups["train"]) - set(groups["test"])), EACH, replace=False)))
    for test_group, train_group in both:  # one patient of each split becomes the same
        for row in rows:
            if row[3] == test_group:
                row[3] = train_group

    checks, pairs = audit(arguments.bioptic, work, rows, "planted.csv")
    everything = set().union(*planted.values())
    right = True
    for fault, wanted in planted.items():
        found = len(wanted & pairs)
        if fault == "exact copy":  # ten are named, all are counted
            named = sum(any(name in e for e in checks["exact_duplicates"]["examples"])
                        for name in (n for pair in wanted for n in pair if n.startswith("planted")))
            found = number(checks["exact_duplicates"], EXACT) - clean_exact
            print(f"  of the exact copies that are named as examples, {named} were planted")
        print(f"{fault:31} {found:3} of {len(wanted)}")
        for pair in sorted(map(sorted, wanted - pairs if fault != "exact copy" else ())):
            print("    missed:", *pair)
        right = right and (fault == SHIFTED or 0.9 * EACH <= found <= EACH)
    found = number(checks["split_groups"], GROUPS) - clean_groups
    print(f"{'patient on both sides':31} {found:3} of {EACH}")
    false = pairs - everything - clean_pairs
    print(f"{'pairs not planted':31} {len(false):3} among {len(rows)} images")
    for pair in sorted(map(sorted, false)):
        print("   ", *pair)
    right = right and 0.9 * EACH <= found <= EACH and len(false) <= len(rows) / 1000
    sys.exit(0 if right else 1)


main()
