"""Every DICOM file that pydicom ships, through bioptic's importer and through pydicom: the table of docs/dicom.md.

    python tests/golden/dicom_table.py BIOPTIC [--outcomes FILE] > TABLE       needs what dicom.py needs

With pydicom-data (from PyPI) installed, its files follow.  --outcomes also writes what becomes of every file as JSON, by its path below
pydicom's data folder: tests/golden/dicom_outcomes.json, which a test holds against the files that the distribution ships.

Each file is imported twice by the program: --window none (16 bits) and --window file (8 bits), and
every pixel is compared with what dicom.py expects.  The exit code is 1 where a file differs (lossy
JPEG: by more than dicom.lossy_levels), where only one of the two reads it though docs/data.md calls it
supported, or where something without pixels is imported.
"""
import argparse
import importlib
import json
import logging
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pydicom
from pydicom.uid import UID

from dicom import LOSSY_JPEG, MENDED, expected, lossy_levels, number_of_frames, supported

# Where pydicom is no witness.
REASONS = {
    "OBXXXX1A_expb.dcm": "equal to OBXXXX1A.dcm; pydicom takes the palette's words for little endian ones",
    "OBXXXX1A_expb_2frame.dcm": "equal to OBXXXX1A_2frame.dcm; pydicom takes the palette's words for little endian ones",
    "OT-PAL-8-face.dcm": "read; pydicom does not decode a file that names no transfer syntax",
}
NO_DICOM = {".py", ".pyc", ".json", ".txt", ".dump", ".icc", ".md", ".gz"}


class Refused(Exception):
    pass


def shipped():
    """Files of pydicom's data folder, and of pydicom-data's, that claim to be DICOM, by their path there."""
    roots = [pathlib.Path(pydicom.__file__).parent / "data"]
    try:
        roots.append(pathlib.Path(importlib.import_module("data_store").__file__).parent / "data")
    except ImportError:
        pass
    for root in roots:
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.suffix not in NO_DICOM and path.name != "README":
                yield str(path.relative_to(root)), path


def imported(bioptic, path, window):
    """Frames x H x W x C as the program imports them, and its scale (dicom_window in dataset.json)."""
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        (work / "key").write_text("0123456789abcdef")
        copy = work / "copy.dcm"  # a dataset has two classes
        shutil.copy(path, copy)
        (work / "list.csv").write_text(f'path,label\n"{path}",a\n"{copy}",b\n')
        done = subprocess.run(
            [bioptic, "data", "import", work / "list.csv", work / "out", "--window", window, "--group-key",
             work / "key", "--quiet"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            message = (done.stderr.strip().splitlines() or ["no message"])[-1].split(f"{path}: ")[-1]
            raise Refused(re.sub(r" \(\d of \d images cannot.*", "", message))
        info = json.loads((work / "out" / "dataset.json").read_text())
        images = np.load(work / "out" / "images.npy").transpose(0, 2, 3, 1)
        return images[: len(images) // 2], info["preprocessing"].get("dicom_window", {})


def comparison(bioptic, path, data, window):
    """Words for the table, and whether they are as they should be."""
    if path.name in MENDED:
        data = pydicom.dcmread(path.with_name(MENDED[path.name]))
    unreadable = False
    try:
        expected(data, window)
    except Exception:  # whatever pydicom's decoders throw
        unreadable = True
    try:
        ours, scale = imported(bioptic, path, window)
    except Refused as refused:
        return f"refused: {refused}", unreadable or not supported(data)
    if unreadable:
        return "read; pydicom does not read it", False
    theirs = expected(data, window, scale)
    if theirs.shape != ours.shape:
        return f"shape {ours.shape}, pydicom's {theirs.shape}", False
    difference = np.abs(theirs.astype(float) - ours.astype(float))
    if difference.max() == 0:
        return "equal", True
    share = 100 * np.count_nonzero(difference) / difference.size
    lossy = data.file_meta.TransferSyntaxUID in LOSSY_JPEG
    return (f"{difference.max():g} apart at most, in {share:.2g} %",
            lossy and difference.max() <= lossy_levels(data, window))


def row(bioptic, name, path, data):
    syntax = UID(getattr(data, "file_meta", {}).get("TransferSyntaxUID", "")).name or "none"
    frames = number_of_frames(data)
    size = f"{data.get('Columns', '-')} x {data.get('Rows', '-')}" + (f" x {frames}" if frames > 1 else "")
    kind = f"{data.get('PhotometricInterpretation', '-')}, {data.get('BitsStored', '-')}"
    if data.get("PixelRepresentation"):
        kind += " signed"
    kept, kept_right = comparison(bioptic, path, data, "none")
    shown, shown_right = comparison(bioptic, path, data, "file")
    outcome = shown if shown == kept else f"16 bit: {kept}; 8 bit: {shown}"
    right = kept_right and shown_right
    if name in REASONS and not outcome.startswith("refused"):
        outcome, right = REASONS[name], True
    syntax = re.sub(r" Image Compression|, Non-Hierarchical, First-Order Prediction| \[.*\]", "", syntax)
    print(f"| {name} | {syntax} | {size} | {kind} | {outcome}{'' if right else ' WRONG'} |", flush=True)
    return right, "decoded with loss" if right and " apart " in outcome else outcome


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bioptic")
    parser.add_argument("--outcomes", type=pathlib.Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    all_right, rows, outcomes, without_pixels = True, 0, {}, []
    print("| file | transfer syntax | size | pixels, bits | outcome |\n|---|---|---|---|---|")
    for name, path in shipped():
        data = pydicom.dcmread(path, force=True)
        if "PixelData" in data:
            right, outcomes[name] = row(options.bioptic, name, path, data)
            all_right = all_right and right
            rows += 1
        else:
            without_pixels.append((name, path))
    print(f"\npydicom {pydicom.__version__}: {rows} files with pixels, {len(without_pixels)} without:\n")
    refusals = {}
    for name, path in without_pixels:
        try:
            imported(options.bioptic, path, "file")
            reason, all_right = "IMPORTED", False
        except Refused as refused:
            reason = str(refused)
        outcomes[name] = f"refused: {reason}"
        refusals.setdefault(reason, []).append(name)
    for reason, names in refusals.items():
        print(f"- {len(names)}: {reason} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})")
    if options.outcomes:
        lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(outcomes[name])}" for name in sorted(outcomes))
        options.outcomes.write_text('{"made_by": "tests/golden/dicom_table.py", "pydicom": %s, "files": {\n%s\n}}\n' % (
            json.dumps(pydicom.__version__), lines))
    return 0 if all_right else 1


sys.exit(main())
