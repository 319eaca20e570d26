#!/usr/bin/env python3
"""Measures the memory that an import takes for damaged files whose headers promise much.

    tools/damage_memory.py [--program build/src/bioptic/cli/bioptic] [--json]

Makes files of every kind that promise some 16 to 64 million pixels and hold less, or that unpack to
far more than an image needs, imports each on one thread, and takes the highest resident memory that
the system counted for the process or one that it started (wait4), less that of an import of a small
whole file.  The decoded size is what the promised pixels take as images are held, 2 bytes for each
value.  Prints a Markdown table; the exit code is 1 when a file is not refused (exit code 2, its name
in the message) or takes more than twice its decoded size.  Needs Pillow and NumPy.
"""

import argparse
import io
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib

import numpy
from PIL import Image

SIDE = 8000  # promised by patched headers
CUT_SIDE = 4000  # of whole files that are then cut off


def noise(side):
    return (numpy.random.default_rng(1).integers(0, 64, (side, side)) + 64).astype(numpy.uint8)


def encoded(kind, array, **options):
    out = io.BytesIO()
    Image.fromarray(array).save(out, kind, **options)
    return out.getvalue()


def patched_jpeg(data, side):
    for marker in (b"\xff\xc0", b"\xff\xc2"):
        at = data.find(marker)
        if at >= 0:
            return data[: at + 5] + struct.pack(">HH", side, side) + data[at + 9 :]
    raise ValueError("no frame")


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def patched_png(data, side):
    body = struct.pack(">II", side, side) + data[24:29]
    return data[:8] + chunk(b"IHDR", body) + data[33:]


def png_with(data, name, body):
    return data[:33] + chunk(name, body) + data[33:]


def patched_tiff(data, values):
    """`values`: tag to number, of tags that hold one number in their own place."""
    data = bytearray(data)
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    for i in range(count):
        place = at + 2 + 12 * i
        tag, kind = struct.unpack_from("<HH", data, place)
        if tag in values:
            struct.pack_into("<HI" if kind == 3 else "<I", data, place + 8, *([values[tag], 0][: 2 if kind == 3 else 1]))
    return bytes(data)


def dicom(rows, columns, pixels, syntax="1.2.840.10008.1.2.1", frames=None):
    def element(group, number, vr, value):
        if len(value) % 2:
            value += b"\0" if vr in (b"UI", b"OB") else b" "
        head = struct.pack("<HH", group, number) + vr
        if vr in (b"OB", b"OW"):
            return head + b"\0\0" + struct.pack("<I", len(value)) + value
        return head + struct.pack("<H", len(value)) + value

    def word(group, number, value):
        return element(group, number, b"US", struct.pack("<H", value))

    meta = element(2, 1, b"OB", b"\0\1") + element(2, 2, b"UI", b"1.2.840.10008.5.1.4.1.1.7")
    meta += element(2, 3, b"UI", b"1.2.3") + element(2, 0x10, b"UI", syntax.encode())
    meta += element(2, 0x12, b"UI", b"1.2")
    data = element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.7") + element(8, 0x18, b"UI", b"1.2.3")
    data += word(0x28, 2, 1) + element(0x28, 4, b"CS", b"MONOCHROME2")
    if frames is not None:
        data += element(0x28, 8, b"IS", str(frames).encode())
    data += word(0x28, 0x10, rows) + word(0x28, 0x11, columns) + word(0x28, 0x100, 8) + word(0x28, 0x101, 8)
    data += word(0x28, 0x102, 7) + word(0x28, 0x103, 0) + element(0x7FE0, 0x10, b"OB", pixels)
    if syntax.endswith(".1.99"):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        data = packer.compress(data) + packer.flush()
    return bytes(128) + b"DICM" + element(2, 0, b"UL", struct.pack("<I", len(meta))) + meta + data


def npy(array):
    out = io.BytesIO()
    numpy.save(out, array)
    return out.getvalue()


def npy_header(shape):
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode()


def npz(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def cases():
    """Yields kind, fault, file ending, bytes, promised values."""
    small, large = noise(16), noise(CUT_SIDE)
    promised, cut = SIDE * SIDE, CUT_SIDE * CUT_SIDE
    promises = f"promises {SIDE} x {SIDE}"

    def cut_off(data):
        return data[: len(data) * 9 // 10]

    yield "JPEG", promises, "jpg", patched_jpeg(encoded("jpeg", small), SIDE), promised
    yield "JPEG, progressive", promises, "jpg", patched_jpeg(encoded("jpeg", small, progressive=True), SIDE), promised
    yield "JPEG", "cut off at 90 %", "jpg", cut_off(encoded("jpeg", large)), cut
    yield "JPEG, progressive", "cut off at 90 %", "jpg", cut_off(encoded("jpeg", large, progressive=True)), cut
    png = encoded("png", small)
    yield "PNG", promises, "png", patched_png(png, SIDE), promised
    yield "PNG", "cut off at 90 %", "png", cut_off(encoded("png", large, compress_level=1)), cut
    bomb = zlib.compress(bytes(500_000_000), 9)
    yield "PNG", "text that unpacks to 500 MB", "png", png_with(png, b"zTXt", b"x\0\0" + bomb), small.size
    yield "PNG", "colour profile that unpacks to 500 MB", "png", png_with(png, b"iCCP", b"x\0\0" + bomb), small.size
    tiff = encoded("tiff", small)
    # width, height, rows per strip, bytes of the strip
    sizes = {256: SIDE, 257: SIDE, 278: SIDE, 279: promised}
    yield "TIFF", promises, "tif", patched_tiff(tiff, sizes), promised
    yield "TIFF, deflated", promises, "tif", patched_tiff(encoded("tiff", small, compression="tiff_adobe_deflate"), sizes), promised
    yield "TIFF", "cut off at 90 %", "tif", cut_off(encoded("tiff", large)), cut
    palette = io.BytesIO()
    Image.fromarray(large).convert("P").save(palette, "tiff")
    yield "TIFF, palette", "cut off at 90 %", "tif", cut_off(palette.getvalue()), 3 * cut
    yield "TIFF, 1 bit", promises, "tif", patched_tiff(encoded("tiff", small > 90), {**sizes, 279: promised // 8}), promised
    pixels = small.tobytes()
    yield "DICOM", promises, "dcm", dicom(SIDE, SIDE, pixels), promised
    yield "DICOM", "promises 250,000 frames", "dcm", dicom(16, 16, pixels, frames=250_000), 250_000 * 256
    yield "DICOM", "cut off at 90 %", "dcm", cut_off(dicom(CUT_SIDE, CUT_SIDE, large.tobytes())), cut
    deflated = "1.2.840.10008.1.2.1.99"
    yield "DICOM, deflated", "unpacks to 500 MB", "dcm", dicom(16, 16, bytes(500_000_000), deflated), small.size
    yield "NPY", promises, "npy", npy_header((1, SIDE, SIDE)) + pixels, promised
    yield "NPY", "cut off at 90 %", "npy", cut_off(npy(large[None])), cut
    labels = npy(numpy.arange(1, dtype=numpy.uint8)[:, None])
    huge = {"train_images.npy": npy_header((1, SIDE, SIDE)) + pixels, "train_labels.npy": labels}
    yield "NPZ", promises, "npz", npz(huge), promised
    whole = npz({"train_images.npy": npy(large[None]), "train_labels.npy": labels})
    yield "NPZ", "cut off at 90 %", "npz", cut_off(whole), cut
    stuffed = {"train_images.npy": npy(small[None]) + bytes(500_000_000), "train_labels.npy": labels}
    yield "NPZ", "unpacks to 500 MB", "npz", npz(stuffed), small.size


# In a process of its own, because a child's highest memory begins with that of its parent.
LAUNCHER = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
status, usage = os.wait4(pid, 0)[1:]
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


def run(program, words):
    """Exit code, message, highest resident KiB."""
    command = [sys.executable, "-S", "-E", "-c", LAUNCHER, str(program), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True)
    code, peak = map(int, done.stdout.split()[-2:])
    return code, done.stderr, peak


def imported(program, work, ending, data):
    source, target = work / "source", work / "target"
    subprocess.run(["rm", "-rf", source, target], check=True)
    for label in ("a", "b"):
        (source / label).mkdir(parents=True)
    good = {
        "npy": npy(noise(16)[None]),
        "dcm": dicom(16, 16, noise(16).tobytes()),
    }.get(ending) or encoded("png", noise(16))
    file = source / "a" / f"bad.{ending}"
    file.write_bytes(data)
    other = source / "b" / ("x." + (ending if ending in ("npy", "dcm") else "png"))
    other.write_bytes(good)
    options = ["--size", 16, "--threads", 1, "--quiet", "--group-key", work / "key"]
    if ending == "npy":
        words = ["data", "import", target, "--class", f"a={file}", "--class", f"b={other}"]
    else:
        words = ["data", "import", file if ending == "npz" else source, target]
    return run(program, [*words, *options])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/src/bioptic/cli/bioptic")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        (work / "key").write_text("for these files alone\n")
        labels = npy(numpy.arange(2, dtype=numpy.uint8)[:, None])
        small = {
            "jpg": encoded("jpeg", noise(16)),
            "png": encoded("png", noise(16)),
            "tif": encoded("tiff", noise(16)),
            "dcm": dicom(16, 16, noise(16).tobytes()),
            "npy": npy(noise(16)[None]),
            "npz": npz({"train_images.npy": npy(numpy.stack([noise(16)] * 2)), "train_labels.npy": labels}),
        }
        base = {}
        for ending, data in small.items():
            code, said, base[ending] = imported(arguments.program, work, ending, data)
            if code != 0:
                sys.exit(f"a whole .{ending} file is refused: {said}")
        for kind, fault, ending, data, values in cases():
            code, said, peak = imported(arguments.program, work, ending, data)
            name = f"bad.{ending}"
            left = [p.name for p in work.iterdir() if p.name not in ("source", "key")]
            extra = max(0, peak - base[ending]) * 1024
            decoded = 2 * values
            # Below 8 MB it is a matter of buffers, not of what the header promises.
            ok = code == 2 and name in said and not left and extra <= max(2 * decoded, 8 << 20)
            rows.append(
                {"kind": kind, "fault": fault, "file_bytes": len(data), "decoded_bytes": decoded, "extra_bytes": extra,
                 "exit_code": code, "message": said.strip(), "left": left, "ok": ok}
            )
            if not ok:
                print(f"FAILED: {kind}, {fault}: exit code {code}, {extra} bytes, left {left}: {said}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(rows, indent=1))
    else:
        print("| file | fault | file, MB | decoded, MB | taken, MB | ratio |\n|---|---|---|---|---|---|")
        for row in rows:
            sizes = [row[k] / 1e6 for k in ("file_bytes", "decoded_bytes", "extra_bytes")]
            ratio = f"{sizes[2] / sizes[1]:.2f}" if sizes[1] > 1 else "-"
            print(f"| {row['kind']} | {row['fault']} | {sizes[0]:.3f} | {sizes[1]:.3g} | {sizes[2]:.1f} | {ratio} |")
    return 0 if all(row["ok"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
