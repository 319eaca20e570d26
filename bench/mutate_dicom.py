"""Valid DICOM files, changed one or two tags at a time, through the importer and through pydicom: is a difference ever silent?

    pip install pydicom==3.0.2 pylibjpeg pylibjpeg-openjpeg pylibjpeg-libjpeg pyjpegls pillow numpy
    python bench/mutate_dicom.py BIOPTIC [--count 1200] [--seed 1] [--keep FOLDER]

Each changed file is imported with --window none and held against pydicom's pixels with its rescale applied (tests/golden/dicom.py).
It must be equal, warned of with a count, or refused; what differs in silence is listed, with the reason where the importer is
right, and so is what pydicom reads and the importer refuses, by its message ("dcmtk too": dcmtk's dcm2pnm, dcmj2pnm or dcml2pnm makes a
picture of it).  Exit code 1: a silent difference without a reason, or a file that was not changed and is not equal.
"""
import argparse
import collections
import io
import json
import logging
import multiprocessing
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_color_lut, pixel_array

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden"))
from dicom import functional_group, inverted, is_grey, modality_values, number_of_frames, possible_range  # noqa: E402

SIDE = 32
LE, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
RLE, JPEG, J2K, JLS = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.80"
LONG = {b"OB", b"OW", b"OF", b"SQ", b"UN", b"UT", b"UC", b"UR"}
PIXELS = (0x7FE0, 0x0010)

# ------------------------------------------------------------------------------------- files


def dataset(pixels, photometric="MONOCHROME2", stored=None, **tags):
    data, meta = Dataset(), FileMetaDataset()
    meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3.4"
    meta.TransferSyntaxUID = LE
    data.file_meta = meta
    data.PatientID, data.StudyInstanceUID = "p", "1.2.3"
    colour = photometric.startswith(("RGB", "YBR"))
    frames = pixels if pixels.ndim == (4 if colour else 3) else pixels[None]
    if len(frames) > 1:
        data.NumberOfFrames = len(frames)
    data.SamplesPerPixel = 3 if colour else 1
    data.PhotometricInterpretation = photometric
    if colour:
        data.PlanarConfiguration = 0
    data.Rows, data.Columns = frames.shape[1:3]
    data.BitsAllocated = 8 * pixels.dtype.itemsize
    data.BitsStored = stored or data.BitsAllocated
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    for name, value in tags.items():
        setattr(data, name, value)
    data.PixelData = pixels.tobytes()
    data["PixelData"].VR = "OB" if data.BitsAllocated == 8 else "OW"
    return data


def compressed(data, syntax, streams):
    data.file_meta.TransferSyntaxUID = syntax
    data.PixelData = encapsulate(streams)
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    return data


def jpeg(pixels):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


def originals():
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    eight = (x * 7 + y).astype(np.uint8)
    twelve = (x * 120 + y * 9).astype(np.uint16)
    signed = (x * 100 - 1500 + y).astype(np.int16)
    colour = np.stack([eight, 255 - eight, eight // 2 + 40], -1)
    yield "grey 8", dataset(eight)
    yield "grey 12", dataset(twelve, stored=12, RescaleSlope="2", RescaleIntercept="-1024", WindowCenter="40", WindowWidth="400")
    yield "grey 16", dataset(twelve * 16)
    yield "signed", dataset(signed, stored=16, RescaleSlope="1", RescaleIntercept="-1024", PixelPaddingValue=-2000)
    yield "signed 12", dataset(signed, stored=12)
    yield "PET", dataset(twelve, stored=12, RescaleSlope="0.0123", RescaleIntercept="0")
    yield "inverted", dataset(twelve, "MONOCHROME1", stored=12)
    yield "frames", dataset(np.stack([eight, eight[::-1], 255 - eight]))
    yield "RGB", dataset(colour, "RGB")
    yield "RGB planes", dataset(np.ascontiguousarray(colour.transpose(2, 0, 1)), "RGB", PlanarConfiguration=1, Rows=SIDE,
                                Columns=SIDE, NumberOfFrames=1)
    yield "YBR", dataset(colour, "YBR_FULL")
    ramp = (np.arange(256) * 257).astype(np.uint16)
    tables = {}
    for c, name in enumerate(("Red", "Green", "Blue")):
        tables[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tables[f"{name}PaletteColorLookupTableData"] = np.roll(ramp, 40 * c).tobytes()
    yield "palette", dataset(eight, "PALETTE COLOR", **tables)
    lut = Dataset()
    lut.LUTDescriptor, lut.ModalityLUTType = [256, 0, 16], "US"
    lut.LUTData = (np.arange(256) * 100).astype(np.uint16).tobytes()
    lut["LUTData"].VR = "OW"
    yield "modality table", dataset(eight, ModalityLUTSequence=[lut])
    for name, data in (("grey 12", dataset(twelve, stored=12)), ("RGB", dataset(colour, "RGB")), ("signed", dataset(signed))):
        for syntax, coding in ((RLE, "RLE"), (J2K, "JPEG 2000"), (JLS, "JPEG-LS")):
            if coding == "JPEG-LS" and name == "signed":
                continue
            data2 = pydicom.dcmread(io.BytesIO(written(data)))
            data2.compress(syntax, generate_instance_uid=False)
            yield f"{coding} {name}", data2
    yield "RLE frames", _rle(dataset(np.stack([eight, eight[::-1], 255 - eight])))
    yield "JPEG grey", compressed(dataset(eight), JPEG, [jpeg(eight)])
    yield "JPEG colour", compressed(dataset(colour, "YBR_FULL_422"), JPEG, [jpeg(colour)])
    yield "JPEG frames", compressed(dataset(np.stack([eight, eight[::-1]])), JPEG, [jpeg(eight), jpeg(eight[::-1].copy())])


def _rle(data):
    data = pydicom.dcmread(io.BytesIO(written(data)))
    data.compress(RLE, generate_instance_uid=False)
    return data


def written(data):
    out = io.BytesIO()
    pydicom.dcmwrite(out, data, enforce_file_format=True)
    return out.getvalue()


class Elements:
    """The top level of a file in Explicit VR Little Endian, so that any byte can be wrong."""

    def __init__(self, content):
        self.syntax = LE
        self.values, self.fragments = {}, None
        at = 132
        while at < len(content):
            group, element = struct.unpack_from("<HH", content, at)
            vr = content[at + 4:at + 6]
            if vr in LONG:
                length, begin = struct.unpack_from("<I", content, at + 8)[0], at + 12
            else:
                length, begin = struct.unpack_from("<H", content, at + 6)[0], at + 8
            if length == 0xFFFFFFFF:  # compressed pixels
                self.fragments, at = [], begin
                while content[at:at + 4] == b"\xfe\xff\x00\xe0":
                    size = struct.unpack_from("<I", content, at + 4)[0]
                    self.fragments.append(content[at + 8:at + 8 + size])
                    at += 8 + size
                self.fragments = self.fragments[1:]  # behind the table of offsets
                self.values[group, element] = (vr, b"")
                at += 8
                continue
            value = content[begin:begin + length]
            at = begin + length
            if (group, element) == (2, 0x10):
                self.syntax = value.rstrip(b"\0").decode()
            if group != 2:
                self.values[group, element] = (vr, value)

    def content(self):
        implicit = self.syntax == IMPLICIT
        body = b"".join(self._element(tag, *self.values[tag], implicit) for tag in sorted(self.values))
        meta = b"".join(self._element(tag, b"UI", value.encode() + b"\0" * (len(value) % 2), False) for tag, value in (
            ((2, 2), "1.2.840.10008.5.1.4.1.1.7"), ((2, 3), "1.2.3.4"), ((2, 0x10), self.syntax), ((2, 0x12), "1.2")))
        return b"\0" * 128 + b"DICM" + self._element((2, 0), b"UL", struct.pack("<I", len(meta)), False) + meta + body

    def _element(self, tag, vr, value, implicit):
        head = struct.pack("<HH", *tag)
        if tag == PIXELS and self.fragments is not None:
            items = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<I", len(f)) + f for f in [b"", *self.fragments])
            return head + vr + b"\0\0\xff\xff\xff\xff" + items + b"\xfe\xff\xdd\xe0\0\0\0\0"
        if implicit:
            return head + struct.pack("<I", len(value)) + value
        if vr in LONG:
            return head + vr + b"\0\0" + struct.pack("<I", len(value)) + value
        return head + vr + struct.pack("<H", len(value)) + value

# ------------------------------------------------------------------------------------- changes


US = {(0x28, 2): [0, 1, 2, 3, 4], (0x28, 6): [0, 1, 2, 255], (0x28, 0x10): [0, 1, 16, 31, 33, 64, 65535],
      (0x28, 0x11): [0, 1, 16, 31, 33, 64, 65535], (0x28, 0x100): [0, 1, 8, 12, 16, 24, 32, 64],
      (0x28, 0x101): [0, 1, 7, 8, 10, 12, 13, 16, 17], (0x28, 0x102): [0, 7, 11, 12, 15, 16], (0x28, 0x103): [0, 1, 2, 65535],
      (0x28, 0x106): [0, 500], (0x28, 0x107): [0, 3], (0x28, 0x120): [0, 5, 2047, 63536]}
TEXTS = {(0x28, 4): ["MONOCHROME1", "MONOCHROME2", "MONOCHROME", "monochrome2", "MONOCHROME 2", "RGB", "rgb", "YBR_FULL", "YBR_FULL_422",
                     "YBR_RCT", "YBR_ICT", "YBR_PARTIAL_422", "PALETTE COLOR", "ARGB", "HSV", ""],
         (0x28, 8): ["0", "1", "2", "3", "4", "-1", "1.0", "1.5", "two", " 3 ", "+1", "1\\2", "1,0", "", "1e0", "0003"],
         (0x28, 0x1053): ["1", "1.0", "0.5", "0,5", "2", "-1", "0", "1e-8", "1E-3", "3.2", " 2 ", "+2", "2\\3", "two", "1,000.5", "nan",
                          "inf", "", "0x2", "1.5.0", "2\0", "1 2"],
         (0x28, 0x1052): ["0", "-1024", "-1024.5", "-1024,5", "1000", "70000", "-70000", "none", "", "1\\2", " -5 ", "+-5", "1e3"],
         (0x28, 0x1050): ["40", "40\\50", "", "x", "4,5"], (0x28, 0x1051): ["0", "-1", "400", "1", "", "x"],
         (0x28, 0x1056): ["LINEAR", "SIGMOID", "CUBIC", ""], (8, 0x16): ["1.2.3", "", "CT Image Storage", "1.2.840.10008.5.1.4.1.1.66"]}
SYNTAXES = [LE, IMPLICIT, RLE, JPEG, J2K, JLS, "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.201",
            "1.2.840.10008.1.2.4.102", "1.2.3.4", "text", "1.2.840.10008.1.2.1.98"]
NAMES = {(0x28, 2): "SamplesPerPixel", (0x28, 4): "PhotometricInterpretation", (0x28, 6): "PlanarConfiguration", (0x28, 8): "NumberOfFrames",
         (0x28, 0x10): "Rows", (0x28, 0x11): "Columns", (0x28, 0x100): "BitsAllocated", (0x28, 0x101): "BitsStored", (0x28, 0x102): "HighBit",
         (0x28, 0x103): "PixelRepresentation", (0x28, 0x120): "PixelPaddingValue", (0x28, 0x1050): "WindowCenter",
         (0x28, 0x1051): "WindowWidth", (0x28, 0x1052): "RescaleIntercept", (0x28, 0x1053): "RescaleSlope", PIXELS: "PixelData"}


def padded(value, vr):
    return value + (b"\0" if vr in (b"UI", b"OB") else b" ") * (len(value) % 2)


def set_number(file, choose):
    tag = choose.choice(sorted(US))
    value = choose.choice(US[tag])
    file.values[tag] = (b"US", struct.pack("<H", value))
    return f"{NAMES.get(tag, tag)} = {value}"


def set_text(file, choose):
    tag = choose.choice(sorted(TEXTS))
    value = choose.choice(TEXTS[tag])
    vr = {4: b"CS", 8: b"IS", 0x16: b"UI", 0x1056: b"CS"}.get(tag[1], b"DS")
    file.values[tag] = (vr, padded(value.encode(), vr))
    return f"{NAMES.get(tag, tag)} = {value!r}"


def remove(file, choose):
    tag = choose.choice([t for t in sorted(file.values) if t[0] == 0x28 or t == PIXELS])
    del file.values[tag]
    return f"without {NAMES.get(tag, tag)}"


def empty(file, choose):
    tag = choose.choice([t for t in sorted(file.values) if t[0] == 0x28])
    file.values[tag] = (file.values[tag][0], b"")
    return f"empty {NAMES.get(tag, tag)}"


def other_type(file, choose):
    """The same number in another value representation, or the same bytes under another name."""
    tag = choose.choice([t for t in sorted(file.values) if t[0] == 0x28])
    vr, value = file.values[tag]
    new = choose.choice([b"US", b"SS", b"UL", b"IS", b"DS", b"LO", b"UN", b"OW", b"FD", b"CS", b"SH"])
    if vr == b"US" and len(value) == 2 and choose.random() < 0.6:
        number = struct.unpack("<H", value)[0]
        value = {b"UL": struct.pack("<I", number), b"FD": struct.pack("<d", number)}.get(
            new, value if new in (b"US", b"SS", b"UN", b"OW") else padded(str(number).encode(), new))
    file.values[tag] = (new, value)
    return f"{NAMES.get(tag, tag)} as {new.decode()}"


def longer(file, choose):
    tag = choose.choice([t for t in sorted(file.values) if t[0] == 0x28])
    vr, value = file.values[tag]
    value = value + value if choose.random() < 0.5 else value[: len(value) // 2 // 2 * 2]
    file.values[tag] = (vr, value)
    return f"{NAMES.get(tag, tag)} of {len(value)} bytes"


def other_syntax(file, choose):
    file.syntax = choose.choice(SYNTAXES)
    return f"syntax {file.syntax}"


def pixels(file, choose):
    vr, value = file.values.get(PIXELS, (b"OB", b""))
    if file.fragments is None:
        what = choose.choice(["half", "two short", "two more", "a frame more", "none", "in fragments", "other type"])
        if what == "in fragments":
            file.fragments = [value]
        if what == "other type":
            vr = choose.choice([b"OB", b"OW", b"UN"])
        value = {"half": value[: len(value) // 4 * 2], "two short": value[:-2], "two more": value + b"\1\2",
                 "a frame more": value + value, "none": b""}.get(what, value)
        file.values[PIXELS] = (vr, value)
        return f"pixels: {what}"
    what = choose.choice(["one fewer", "one twice", "first split", "first cut", "cut, end kept", "spare bytes", "an empty one", "no fragments", "a wrong byte"])
    f = file.fragments
    if not f:
        return "fragments: none left"
    if what == "one fewer":
        f.pop()
    if what == "one twice":
        f.append(f[-1])
    if what == "first split":
        half = len(f[0]) // 4 * 2
        f[:1] = [f[0][:half], f[0][half:]]
    if what == "first cut":
        f[0] = f[0][: len(f[0]) // 4 * 2]
    if what == "cut, end kept":
        f[0] = f[0][: len(f[0]) * 3 // 4 // 2 * 2] + f[0].rstrip(b"\0")[-2:]
    if what == "spare bytes":
        f[0] += b"\0" * 6
    if what == "an empty one":
        f.insert(choose.randrange(len(f) + 1), b"")
    if what == "a wrong byte":
        at = choose.randrange(min(len(f[0]), 64))
        f[0] = f[0][:at] + bytes([choose.randrange(256)]) + f[0][at + 1:]
    if what == "no fragments":
        file.values[PIXELS] = (b"OB", b"".join(f))
        file.fragments = None
    return f"fragments: {what}"


CHANGES = [set_number] * 4 + [set_text] * 5 + [remove] * 2 + [empty] * 2 + [other_type] * 3 + [longer] * 2 + [other_syntax] + [pixels] * 4

# ------------------------------------------------------------------------------------- readers


def theirs(path, scale):
    """Frames x H x W x C as the import should hold them, by pydicom."""
    data = pydicom.dcmread(path)
    values = pixel_array(data)
    values = values.astype(values.dtype.newbyteorder("="))
    if number_of_frames(data) == 1 and values.ndim == (3 if data.SamplesPerPixel == 3 else 2):
        values = values[None]
    if data.PhotometricInterpretation == "PALETTE COLOR":
        values = apply_color_lut(values, data)
        return values if values.dtype == np.uint8 else (values >> 8).astype(np.uint8)
    if not is_grey(data):
        return values
    frames = []
    for f, stored in enumerate(values):
        v = modality_values(data, stored, f)
        if inverted(data):
            v = sum(possible_range(data, f)) - v
        v = (v - scale.get("zero", 0)) / scale.get("unit", 1) + scale.get("added", 0)
        frames.append(np.clip(np.floor(v + 0.5), 0, 65535))
    return np.stack(frames)[..., None]


def ours(bioptic, path, work):
    (work / "key").write_text("0123456789abcdef")
    shutil.copy(path, work / "copy.dcm")  # a dataset has two classes
    (work / "list.csv").write_text(f'path,label\n"{path}",a\n"{work}/copy.dcm",b\n')
    done = subprocess.run([bioptic, "data", "import", work / "list.csv", work / "out", "--window", "none", "--threads", "1",
                           "--group-key", work / "key"], capture_output=True, text=True, check=False)
    if done.returncode == 2:
        message = done.stderr.strip().splitlines()[-1].split(f"{path}: ")[-1]
        return None, re.sub(r" \(\d of \d images cannot.*", "", message), {}
    if done.returncode != 0:
        raise RuntimeError(f"{path}: exit code {done.returncode}: {done.stderr}")
    scale = json.loads((work / "out" / "dataset.json").read_text())["preprocessing"].get("dicom_window", {})
    images = np.load(work / "out" / "images.npy").transpose(0, 2, 3, 1)
    said = [line for line in done.stderr.splitlines() if line.startswith("Warning:") and "same patient" not in line]
    return images[: len(images) // 2], " ".join(said), scale


def dcmtk_reads(path):
    for program in ("dcm2pnm", "dcmj2pnm", "dcml2pnm"):
        if shutil.which(program):
            done = subprocess.run([program, "-q", path, "/dev/null"], capture_output=True, check=False)
            if done.returncode == 0:
                return True
    return False


def reason(what, path):
    """Why a silent difference is right."""
    data = pydicom.dcmread(path)
    if "a wrong byte" in what:
        return "a byte of the compressed stream was changed, and both decoders make something of it"
    if data.get("PlanarConfiguration") and data.file_meta.TransferSyntaxUID.is_compressed:
        return "planes are a matter of uncompressed pixels (PS3.5 8.2); pydicom takes the decoder's pixels for planes"
    if data.SamplesPerPixel == 3 and data.PixelRepresentation == 1:
        return "colours have no sign (PS3.3 C.7.6.3.1.2); pydicom makes bytes above 127 negative"
    if ("RescaleSlope" in data) != ("RescaleIntercept" in data):
        return "one of slope and intercept alone: pydicom leaves both out, an absent one changes nothing here"
    for name in ("RescaleSlope", "RescaleIntercept"):
        if name in data and data[name].is_empty:
            return "an empty slope or intercept changes nothing here; pydicom stops or leaves both out"
    return None


def judged(job):
    bioptic, path, what = job
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        images, said, scale = ours(bioptic, path, pathlib.Path(folder))
    try:
        right, fault = theirs(path, scale), ""
    except BaseException as error:  # whatever pydicom's decoders throw; those in Rust throw no Exception
        right, fault = None, f"{type(error).__name__}: {error}".splitlines()[0][:90]
    if images is None:
        if right is None:
            return "both refuse", what, said
        return "refused, pydicom reads", what, said + ("; dcmtk too" if dcmtk_reads(path) else "")
    if right is None:
        return "read, pydicom refuses", what, fault + ("; dcmtk reads" if dcmtk_reads(path) else "")
    lossy = " JPEG colour: " in what or " JPEG grey: " in what or " JPEG frames: " in what  # whatever the changed syntax
    if images.shape == right.shape and np.abs(images.astype(float) - right).max() <= (3 if lossy else 0):
        return ("equal, with a warning" if said else "equal"), what, ""
    if said:
        return "different, with a warning", what, said
    why = reason(what, path)
    return ("different, for a reason" if why else "SILENT DIFFERENCE"), what, why or f"{images.shape} {right.shape}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bioptic")
    parser.add_argument("--count", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    choose = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        bases = [(name, written(data)) for name, data in originals()]
        jobs = []
        for k, (name, content) in enumerate(bases):
            path = folder / f"original{k:02}.dcm"
            path.write_bytes(content)
            jobs.append((options.bioptic, path, f"unchanged {name}: "))
        for k in range(options.count):
            name, content = bases[k % len(bases)]
            file = Elements(content)
            changes = [choose.choice(CHANGES)(file, choose) for _ in range(1 if choose.random() < 0.7 else 2)]
            path = folder / f"changed{k:05}.dcm"
            path.write_bytes(file.content())
            jobs.append((options.bioptic, path, f"{path.stem} {name}: " + ", ".join(changes)))
        with multiprocessing.Pool(2) as pool:
            results = pool.map(judged, jobs, chunksize=8)
    unchanged, changed = results[: len(bases)], results[len(bases):]
    bad = [r for r in unchanged if r[0] != "equal"]
    print(f"{len(unchanged)} files that were not changed: {len(unchanged) - len(bad)} equal")
    for outcome, what, said in bad:
        print(f"  {what}: {outcome}: {said}")
    counts = collections.Counter(outcome for outcome, _, _ in changed)
    print(f"\n{len(changed)} changed files, seed {options.seed}\n\n| outcome | files |\n|---|---|")
    for outcome, count in counts.most_common():
        print(f"| {outcome} | {count} |")
    for outcome in ("SILENT DIFFERENCE", "different, for a reason", "different, with a warning", "refused, pydicom reads",
                    "read, pydicom refuses"):
        groups = collections.defaultdict(list)
        for o, what, said in changed:
            if o == outcome:
                groups[re.sub(r"\d+(\.\d+)?", "N", said)].append((what, said))
        print(f"\n{outcome}:")
        for members in sorted(groups.values(), key=len, reverse=True):
            print(f"  {len(members)}: {members[0][1]}   [{members[0][0]}]")
            if outcome == "SILENT DIFFERENCE":
                for what, said in members[1:]:
                    print(f"      {said} [{what}]")
    return 1 if bad or counts["SILENT DIFFERENCE"] else 0


if __name__ == "__main__":
    sys.exit(main())
