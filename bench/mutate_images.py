#!/usr/bin/env python3
"""An oracle for silence: mutated image files, read by bioptic and by independent readers.

  python3 -m venv v && v/bin/pip install pillow tifffile imagecodecs numpy
  v/bin/python bench/mutate_images.py BIOPTIC [--count 3000] [--seed 1] [--keep FOLDER]

Small valid files of many kinds are mutated: TIFF tags re-spelt, contradictory, missing, out of range, of
other types; PNG chunks with right checksums in other orders and with other values; JPEG header fields, markers,
sampling, bytes cut and put in.  Each is imported by `bioptic data import` on its own, and read by Pillow and (TIFF) by
tifffile.  What comes out of a file:

  equal      the pixels that a reader gives, without a word or with one
  warned     other pixels than the readers', and the import says in a warning what it left out
  refused    not imported
  SILENT     other pixels than any reader's, without a word: a fault, or to be explained
  unharmed   imported without a word although every reader refuses the file: the pixels of the file before it was mutated
  alone      the same, with other pixels: to be explained

The exit code is 1 where a file was SILENT or one that was not mutated is not read.
"""
import argparse
import collections
import io
import json
import logging
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import warnings
import zlib

import numpy as np
import tifffile
from PIL import Image

W, H = 40, 28
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)  # tifffile's


def picture(channels=1, dtype=np.uint8, seed=0):
    y, x = np.mgrid[0:H, 0:W]
    a = np.stack([120 + 60 * np.sin(x / 5 + c + seed) + 50 * np.cos(y / (7 - c)) for c in range(channels)], -1)
    a = np.clip(a, 0, 255)
    if dtype == np.uint16:
        a = a * 250 + x[..., None]
    return (a if channels > 1 else a[..., 0]).astype(dtype)


# ---- files that are not mutated -------------------------------------------------------------------


def pil(array, kind, **options):
    out = io.BytesIO()
    (array if isinstance(array, Image.Image) else Image.fromarray(array)).save(out, kind, **options)
    return out.getvalue()


def tiff(array, **options):
    out = io.BytesIO()
    tifffile.imwrite(out, array, **options)
    return out.getvalue()


def valid_files():
    grey, wide, rgb = picture(), picture(dtype=np.uint16), picture(3)
    rgba = np.dstack([rgb, np.full((H, W), 255, np.uint8)])
    palette = Image.fromarray(grey).convert("RGB").quantize(32)
    two = Image.fromarray(((grey > 128) * 255).astype(np.uint8)).convert("1")
    files = {
        "tif grey": tiff(grey, photometric="minisblack", metadata=None),
        "tif grey big-endian": tiff(wide, photometric="minisblack", byteorder=">", metadata=None),
        "tif grey 16": tiff(wide, photometric="minisblack", rowsperstrip=5, metadata=None),
        "tif large": tiff(np.tile(wide, (6, 6)), photometric="minisblack", metadata=None),  # in one strip
        "tif white": tiff(grey, photometric="miniswhite", metadata=None),
        "tif white 16": tiff(wide, photometric="miniswhite", metadata=None),
        "tif rgb": tiff(rgb, photometric="rgb", rowsperstrip=9, metadata=None),
        "tif rgb 16": tiff(picture(3, np.uint16), photometric="rgb", metadata=None),
        "tif tiles": tiff(rgb, photometric="rgb", tile=(16, 16), metadata=None),
        "tif tiles 16": tiff(wide, photometric="minisblack", tile=(16, 16), metadata=None),
        "tif planes": tiff(np.moveaxis(rgb, -1, 0), photometric="rgb", planarconfig="separate", metadata=None),
        "tif deflate": tiff(wide, photometric="minisblack", compression="zlib", predictor=False, metadata=None),
        "tif rgba": tiff(rgba, photometric="rgb", extrasamples=["unassalpha"], metadata=None),
        "tif big": tiff(wide, photometric="minisblack", bigtiff=True, metadata=None),
        "tif lzw": pil(rgb, "TIFF", compression="tiff_lzw"),
        "tif lzw predictor": pil(rgb, "TIFF", compression="tiff_lzw", tiffinfo={317: 2}),
        "tif packbits": pil(grey, "TIFF", compression="packbits"),
        "tif palette": pil(palette, "TIFF"),
        "tif bilevel": pil(two, "TIFF"),
        "tif group 4": pil(two, "TIFF", compression="group4"),
        "tif jpeg": pil(grey, "TIFF", compression="jpeg"),
        "tif rgb jpeg": pil(rgb, "TIFF", compression="jpeg"),
        "tif deflate predictor": tiff(rgb, photometric="rgb", compression="zlib", predictor=True, tile=(16, 16), metadata=None)
        if hasattr(tifffile, "imagecodecs") else pil(rgb, "TIFF", compression="tiff_adobe_deflate"),
        "png grey": pil(grey, "PNG"),
        "png grey 16": pil(Image.fromarray(wide), "PNG"),
        "png rgb": pil(rgb, "PNG"),
        "png rgba": pil(rgba, "PNG"),
        "png palette": pil(palette, "PNG"),
        "png 1 bit": pil(two, "PNG"),
        "png 4 bit": png_of([(b"IHDR", struct.pack(">IIBBBBB", W, H, 4, 0, 0, 0, 0)),
                             (b"IDAT", zlib.compress(b"".join(b"\0" + bytes((grey[y, ::2] & 0xF0) | (grey[y, 1::2] >> 4))
                                                              for y in range(H)))), (b"IEND", b"")]),
    }
    for quality, subsampling, options in ((92, 0, {}), (85, 2, {}), (85, 1, {"progressive": True}),
                                          (80, 2, {"restart_marker_rows": 1})):
        name = f"jpg rgb {subsampling} {' '.join(options)}".strip()
        files[name] = pil(rgb, "JPEG", quality=quality, subsampling=subsampling, **options)
        files[name.replace("rgb", "grey")] = pil(grey, "JPEG", quality=quality, **options)
    return files


# ---- TIFF ------------------------------------------------------------------------------------------

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q"}
ONE_VALUE = (256, 257, 258, 259, 262, 266, 277, 278, 284, 317, 322, 323, 339)
ALL_PIXELS = ONE_VALUE + (273, 279, 320, 324, 325, 338)


class Tiff:
    """The first directory of a file; written anew behind the file's old bytes."""

    def __init__(self, data):
        self.data = data
        self.e = "<" if data[:2] == b"II" else ">"
        self.big = struct.unpack(self.e + "H", data[2:4])[0] == 43
        at = struct.unpack(self.e + ("Q" if self.big else "I"), data[8:16] if self.big else data[4:8])[0]
        word = 8 if self.big else 4
        n = struct.unpack_from(self.e + ("Q" if self.big else "H"), data, at)[0]
        at += 8 if self.big else 2
        self.entries = []
        for _ in range(n):
            tag, kind = struct.unpack_from(self.e + "HH", data, at)
            count = struct.unpack_from(self.e + ("Q" if self.big else "I"), data, at + 4)[0]
            size = SIZES[kind] * count
            place = at + 4 + word
            if size > word:
                place = struct.unpack_from(self.e + ("Q" if self.big else "I"), data, place)[0]
            self.entries.append([tag, kind, count, data[place:place + size]])
            at += 4 + 2 * word
        self.next = 0

    def values(self, entry):
        return list(struct.unpack(self.e + CODES.get(entry[1], "B") * entry[2], entry[3]))

    def set(self, entry, values, kind=None):
        kind = kind or entry[1]
        if kind in (5, 10):
            data = b"".join(struct.pack(self.e + "II", int(v) & 0xFFFFFFFF, 1) for v in values)
        elif kind == 2:
            data = "".join(str(v) for v in values).encode() + b"\0"
            values = data
        else:
            code = CODES.get(kind, "B")
            bits = 8 * SIZES[kind]
            if code in "fd":
                data = struct.pack(self.e + code * len(values), *map(float, values))
            else:
                data = b"".join((int(v) & (1 << bits) - 1).to_bytes(bits // 8, "little" if self.e == "<" else "big")
                                for v in values)
        entry[1], entry[2], entry[3] = kind, len(values), data

    def add(self, tag, kind, values):
        entry = [tag, kind, 0, b""]
        self.set(entry, values)
        self.entries.append(entry)
        self.entries.sort(key=lambda x: x[0])
        return entry

    def find(self, tag):
        return next((x for x in self.entries if x[0] == tag), None)

    def directory(self, at, next_at):
        word = 8 if self.big else 4
        w = "Q" if self.big else "I"
        head = struct.pack(self.e + ("Q" if self.big else "H"), len(self.entries))
        place = at + len(head) + len(self.entries) * (4 + 2 * word) + word
        body = extra = b""
        for tag, kind, count, data in self.entries:
            body += struct.pack(self.e + "HH" + w, tag, kind, count)
            if len(data) > word:
                body += struct.pack(self.e + w, place + len(extra))
                extra += data + b"\0" * (len(data) % 2)
            else:
                body += data + b"\0" * (word - len(data))
        return head + body + struct.pack(self.e + w, next_at) + extra

    def written(self):
        at = len(self.data) + len(self.data) % 2
        out = bytearray(self.data + b"\0" * (len(self.data) % 2) + self.directory(at, self.next))
        struct.pack_into(self.e + ("Q" if self.big else "I"), out, 8 if self.big else 4, at)
        return bytes(out)


def mutate_tiff(r, data):
    t = Tiff(data)
    pixel = [x for x in t.entries if x[0] in ALL_PIXELS]
    entry = r.choice(pixel)
    tag = entry[0]
    values = t.values(entry)
    what = r.choice(["type", "type", "twice", "missing", "value", "value", "value", "count", "order", "add", "add", "add",
                     "page", "stack", "cut", "array"])
    if what == "type":
        kind = r.choice([1, 2, 3, 4, 5, 6, 8, 9, 11, 12, 13, 16, 99])
        if kind == 99:
            entry[1] = 99
        else:
            t.set(entry, values, kind)
        name = f"type of {tag}"
    elif what == "twice":
        other = list(entry)
        t.set(other, [max(0, v + r.choice([-1, 0, 1, 2])) for v in values])
        t.entries.insert(t.entries.index(entry) + r.choice([0, 1]), other)
        name = f"{tag} twice"
    elif what == "missing":
        t.entries.remove(entry)
        name = f"{tag} missing"
    elif what == "value":
        entry = r.choice([x for x in pixel if x[0] in ONE_VALUE] or pixel)
        tag, values = entry[0], t.values(entry)
        how = r.choice(["other", "near", "extreme"])
        if how == "other":
            new = [r.choice([0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 32, 32773, 32946, 8])] * len(values)
        elif how == "near":
            new = [max(0, v + r.choice([-8, -1, 1, 8])) for v in values]
        else:
            new = [r.choice([65535, 255, 0, v * 2, v // 2]) for v in values]
        t.set(entry, new)
        name = f"value of {tag}"
    elif what == "count":
        t.set(entry, r.choice([values * 2, values[:-1] or values * 3, values + values[-1:], values[:1]]))
        name = f"count of {tag}"
    elif what == "array":
        entry = r.choice([x for x in pixel if x[0] in (273, 279, 320, 324, 325)] or pixel)
        values = t.values(entry)
        k = r.randrange(len(values))
        values[k] = max(0, r.choice([0, values[k] + 1, values[k] - 1, values[k] * 2, values[k] // 2, 1 << 31]))
        t.set(entry, values)
        name = f"one of {entry[0]}"
    elif what == "order":
        r.shuffle(t.entries)
        name = "order of tags"
    elif what == "add":
        tag, kind, values = r.choice([
            (254, 4, [r.choice([0, 1, 2, 4])]), (255, 3, [r.choice([1, 2, 3])]), (274, 3, [r.randrange(10)]), (266, 3, [2]),
            (317, 3, [r.choice([1, 2, 3, 7])]), (339, 3, [r.choice([1, 2, 3, 4, 5, 9])]), (338, 3, [r.randrange(4)]),
            (284, 3, [r.choice([1, 2, 3])]), (297, 3, [0, 5]), (65000, 7, [1, 2, 3]), (282, 5, [72]), (296, 3, [9]),
            (280, 3, [3]), (281, 3, [200]), (301, 3, list(range(256))), (532, 5, [0, 255, 128, 255, 128, 255]),
            (34665, 4, [8]), (33432, 2, ["me"]), (320, 3, list(range(768))), (290, 3, [2]), (318, 5, [1, 2]), (700, 1, [60])])
        t.entries = [x for x in t.entries if x[0] != tag]
        t.add(tag, kind, values)
        name = f"with {tag} = {values[0]}"
    elif what == "page":
        how = r.choice(["full", "thumbnail", "mask", "nowhere", "garbage", "itself"])
        name = "page: " + how
        if how in ("full", "thumbnail", "mask"):
            second = Tiff(data)
            second.entries = [x for x in second.entries if x[0] != 254]
            second.add(254, 4, [{"full": 0, "thumbnail": 1, "mask": 4}[how]])
            at = len(data) + len(data) % 2
            t.data = data + b"\0" * (len(data) % 2) + second.directory(at, 0)
            t.next = at
        else:
            t.next = {"nowhere": 1 << 30, "garbage": 10, "itself": len(data) + len(data) % 2}[how]
    elif what == "stack":
        words, name = r.choice([("ImageJ=1.53t\nimages=3\nslices=3\n", "ImageJ stack"), ("ImageJ=1.53t\nimages=1\n", "ImageJ"),
                                ("ImageJ=1.53t\nunit=mm\n", "ImageJ"), ("images=7", "words")])
        t.entries = [x for x in t.entries if x[0] != 270]
        t.add(270, 7, words.encode() + b"\0")[1] = 2
        t.data += bytes(2 * W * H) if "stack" in name else b""
    else:
        out = t.written()
        return ("cut", out[:r.randrange(8, len(out))]) if r.random() < 0.5 else \
            ("strip cut", data[:r.randrange(len(data) // 3, len(data))])
    return name, t.written()


# ---- PNG -------------------------------------------------------------------------------------------


def png_chunk(name, data, crc=None):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) if crc is None else crc)


def png_of(chunks):
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*c) for c in chunks)


def png_chunks(data):
    at, found = 8, []
    while at < len(data):
        n = struct.unpack_from(">I", data, at)[0]
        found.append((data[at + 4:at + 8], data[at + 8:at + 8 + n]))
        at += 12 + n
    return found


EXTRAS = [(b"tEXt", b"Comment\0abc"), (b"tEXt", b"\0"), (b"zTXt", b"Comment\0\0notzlib"), (b"iCCP", b"sRGB\0\0garbage"),
          (b"gAMA", struct.pack(">I", 45455)), (b"gAMA", struct.pack(">I", 0)), (b"pHYs", b"\0\0\1\0\0\0\1\0\1"), (b"pHYs", b"\0"),
          (b"sBIT", b"\x05"), (b"sBIT", b"\x05\x05\x05"), (b"bKGD", b"\0\7"), (b"tIME", b"\7" * 7), (b"sRGB", b"\0"), (b"sRGB", b"\x09"),
          (b"tRNS", b"\0\x80"), (b"tRNS", b"\0\1\0\2\0\3"), (b"tRNS", b"\0"), (b"tRNS", b"\xff\x80\0"), (b"hIST", b"\0\1"),
          (b"eXIf", b"II*\0"), (b"iTXt", b"XML\0\0\0\0\0x"), (b"prVW", b"xyz"), (b"PLTE", b"\1\2\3"), (b"QQQQ", b"xyz"),
          (b"acTL", struct.pack(">II", 2, 0)), (b"fcTL", bytes(26)), (b"tEXt", b"Comment\0" + b"x" * 3_000_000),
          (b"cHRM", b"\0" * 32), (b"sPLT", b"x\0\x08")]


def mutate_png(r, data):
    chunks = png_chunks(data)
    names = [c[0] for c in chunks]
    what = r.choice(["extra", "extra", "extra", "order", "drop", "double", "header", "header", "header", "split", "palette",
                     "checksum", "cut", "behind", "packed", "filter", "inside"])
    if what == "extra":
        extra = r.choice(EXTRAS)
        chunks.insert(r.randrange(1, len(chunks)), extra)
        return "with " + extra[0].decode(), png_of(chunks)
    if what == "order":
        r.shuffle(chunks)
        return "order", png_of(chunks)
    if what == "drop":
        k = r.randrange(len(chunks))
        return "without " + names[k].decode(), png_of(chunks[:k] + chunks[k + 1:])
    if what == "double":
        k = r.randrange(len(chunks))
        chunks.insert(r.randrange(k, len(chunks) + 1), chunks[k])
        return "two " + names[k].decode(), png_of(chunks)
    if what == "header":
        fields = list(struct.unpack(">IIBBBBB", chunks[0][1]))
        k = r.randrange(7)
        fields[k] = r.choice([[W, W + 1, W - 1, 0, 2 * W, W // 2], [H, H + 1, H - 1, 0, 2 * H, H // 2], [1, 2, 4, 8, 16, 3],
                              [0, 2, 3, 4, 6, 1], [0, 1], [0, 1], [0, 1, 2]][k])
        chunks[0] = (b"IHDR", struct.pack(">IIBBBBB", *fields))
        return "header " + ["width", "height", "bits", "colour", "packing", "filter", "interlace"][k], png_of(chunks)
    k = names.index(b"IDAT")
    pixels = b"".join(c[1] for c in chunks if c[0] == b"IDAT")
    if what == "split":
        parts = [pixels]
        for _ in range(r.randrange(1, 5)):
            last = parts.pop()
            at = r.randrange(len(last) + 1)
            parts += [last[:at], last[at:]]
        between = [r.choice(EXTRAS)] if r.random() < 0.4 else []
        middle = [(b"IDAT", p) for p in parts]
        middle[1:1] = between
        return "split IDAT" + (" by " + between[0][0].decode() if between else ""), \
            png_of([c for c in chunks[:k]] + middle + [c for c in chunks[k:] if c[0] != b"IDAT"])
    if what == "palette":
        for i, c in enumerate(chunks):
            if c[0] == b"PLTE":
                chunks[i] = (b"PLTE", r.choice([c[1][:-3], c[1][:30], c[1][:-1], c[1] + b"\1\2\3", b""]))
        return "palette", png_of(chunks)
    if what == "checksum":
        bad = r.randrange(len(chunks))
        return "checksum of " + names[bad].decode(), b"\x89PNG\r\n\x1a\n" + b"".join(
            png_chunk(*c, *([7] if i == bad else [])) for i, c in enumerate(chunks))
    if what == "cut":
        return "cut", data[:r.randrange(8, len(data))]
    if what == "behind":
        return "behind", data + r.choice([b"\0" * 100, data, b"junk"])
    raw = bytearray(zlib.decompress(pixels))
    if what == "packed":
        new = r.choice([zlib.compress(raw + b"junk"), zlib.compress(raw[:-1]), zlib.compress(raw) + b"junk", zlib.compress(raw, 0),
                        zlib.compress(raw)[:-4], zlib.compress(raw)[:-4] + b"\1\2\3\4", zlib.compress(raw[:len(raw) // 2])])
        return "packed data", png_of(chunks[:k] + [(b"IDAT", new), (b"IEND", b"")])
    if what == "filter":
        row = len(raw) // H
        raw[r.randrange(H) * row] = r.randrange(8)
        return "filter of a row", png_of(chunks[:k] + [(b"IDAT", zlib.compress(raw)), (b"IEND", b"")])
    at = r.randrange(len(pixels))
    return "inside", png_of(chunks[:k] + [(b"IDAT", pixels[:at] + bytes([r.randrange(256)]) + pixels[at + 1:]), (b"IEND", b"")])


# ---- JPEG ------------------------------------------------------------------------------------------


def jpeg_segments(data):
    """(marker, place, end) of the header's segments, and where the first scan's data begin."""
    at, found = 2, []
    while True:
        marker, n = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        found.append((marker, at, at + 2 + n))
        at += 2 + n
        if marker == 0xDA:
            return found, at


def mutate_jpeg(r, data):
    segments, scan = jpeg_segments(data)
    d = bytearray(data)
    what = r.choice(["field", "field", "frame", "frame", "sampling", "scan header", "spare", "spare", "scan", "scan", "adobe", "end",
                     "marker", "segment", "restart", "fill", "jfif"])
    marker, at, end = r.choice(segments)
    frame = next(s for s in segments if s[0] in (0xC0, 0xC1, 0xC2))
    if what == "field":
        k = r.randrange(at + 2, end)
        d[k] = r.choice([0, 255, d[k] ^ 1, d[k] + 1 & 255, r.randrange(256)])
        return f"field of {marker:02x}", bytes(d)
    if what == "frame":
        k = r.choice([1, 4, 5, 6, 7, 8, 9])
        p = frame[1] + k
        d[p] = r.choice([d[p] + 1 & 255, d[p] - 1 & 255, 0, 0xC1, 0xC2, 0xC0, 12, 0xC3, 0xC9, 3, 1, 4])
        return "frame: " + {1: "kind", 4: "bits", 9: "components"}.get(k, "size"), bytes(d)
    if what == "sampling":
        for c in range(d[frame[1] + 9]):
            if r.random() < 0.5:
                d[frame[1] + 11 + 3 * c] = r.choice([0x11, 0x12, 0x21, 0x22, 0x41, 0x14, 0x31, 0x13, 0x33, 0x00, 0x55, 0x42])
        return "sampling", bytes(d)
    if what == "scan header":
        k = r.randrange(scan - 3, scan) if r.random() < 0.6 else r.randrange(segments[-1][1] + 2, scan)
        d[k] = r.choice([0, 1, 2, 63, 64, d[k] + 1 & 255, r.randrange(256)])
        return "scan header", bytes(d)
    if what == "spare":
        place = r.choice([at, end, len(d) - 2])
        name = "before the end" if place == len(d) - 2 else "between segments" if place != scan else "at the scan"
        d[place:place] = r.choice([bytes(r.randrange(1, 20)), bytes(r.randrange(256) for _ in range(r.randrange(1, 12))),
                                   b"\0\0\x7f", b"\x20\x20"])
        return "spare bytes " + name, bytes(d)
    if what == "scan":
        how = r.choice(["cut", "insert", "flip", "restart", "zero"])
        k = r.randrange(scan, len(d) - 2)
        n = r.choice([1, 1, 2, 8, 40])
        if how == "cut":
            del d[k:min(k + n, len(d) - 2)]
        elif how == "insert":
            d[k:k] = bytes(r.randrange(256) for _ in range(n))
        elif how == "flip":
            d[k] ^= 1 << r.randrange(8)
        elif how == "zero":
            d[k:min(k + n, len(d) - 2)] = bytes(min(k + n, len(d) - 2) - k)
        else:
            d[k:k] = bytes([0xFF, 0xD0 + r.randrange(8)])
        return "scan: " + how, bytes(d)
    if what == "adobe":
        d[2:2] = b"\xff\xee\x00\x0eAdobe\x00\x64\0\0\0\0" + bytes([r.randrange(4)])
        if r.random() < 0.6 and b"JFIF" in d:
            k = d.index(b"\xff\xe0")
            del d[k:k + 18]
        return "Adobe marker", bytes(d)
    if what == "end":
        return r.choice([("no end", bytes(d[:-2])), ("two starts", bytes(d[:-2] + b"\xff\xd8\xff\xd9")), ("behind", bytes(d + b"trailer")),
                         ("two images", bytes(d + d)), ("two ends", bytes(d + b"\xff\xd9")), ("cut", bytes(d[:r.randrange(20, len(d))]))])
    if what == "marker":
        d[at + 1] = r.choice([0xE5, 0xFE, 0xDB, 0xC4, 0xC0, 0xDD, 0x01, 0xD0, 0x00, 0xDC, 0xC8])
        return f"marker {marker:02x}", bytes(d)
    if what == "segment":
        how = r.choice(["drop", "double", "unknown"])
        if how == "drop":
            del d[at:end]
        elif how == "double":
            d[at:at] = d[at:end]
        else:
            d[at:at] = r.choice([b"\xff\xfe\x00\x05abc", b"\xff\xe7\x00\x02", b"\xff\xdd\x00\x04\x00\x00", b"\xff\xdd\x00\x04\x00\x03"])
        return "segment: " + how, bytes(d)
    if what == "restart":
        k = d.find(b"\xff\xd0", scan)
        if k < 0:
            return "restart interval", bytes(d[:segments[-1][1]] + b"\xff\xdd\x00\x04\x00\x02" + d[segments[-1][1]:])
        how = r.choice(["swap", "drop", "spare", "double"])
        if how == "swap":
            d[k + 1] = 0xD0 + r.randrange(8)
        elif how == "drop":
            del d[k:k + 2]
        elif how == "spare":
            d[k:k] = bytes(12)
        else:
            d[k:k] = b"\xff\xd0"
        return "restart: " + how, bytes(d)
    if what == "fill":
        d[at:at] = b"\xff" * r.randrange(1, 5)
        return "fill bytes", bytes(d)
    k = d.find(b"JFIF")
    if k > 0:
        d[k + 5 + r.randrange(9)] = r.choice([0, 1, 2, 9, 255])
    return "JFIF", bytes(d)


# ---- readers ---------------------------------------------------------------------------------------


def by_pillow(path):
    image = Image.open(path)
    image.load()
    if image.mode in ("CMYK", "LAB", "I", "F"):
        raise ValueError("mode " + image.mode)
    if image.mode.startswith("I;16") and getattr(image, "tag_v2", {}).get(262) == 0:
        return 65535 - np.asarray(image).astype(np.uint16)  # Pillow inverts 1 and 8 bits, but not 16
    if image.mode in ("1", "LA", "La"):
        image = image.convert("L") if image.mode == "1" else Image.merge("L", image.split()[:1])
    elif image.mode in ("P", "PA", "YCbCr"):
        image = image.convert("RGBA" if image.mode != "YCbCr" else "RGB")
    array = np.asarray(image)
    array = array.astype(array.dtype.newbyteorder("="))
    return array[..., :3] if array.ndim == 3 else array


def by_tifffile(path):
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        array = page.asarray()
        if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
            return np.moveaxis(page.colormap[:, array] >> 8, 0, -1).astype(np.uint8)
        if array.dtype == bool or page.bitspersample < 8:
            array = (array.astype(np.uint16) * (255 // ((1 << page.bitspersample) - 1))).astype(np.uint8)
        if array.dtype not in (np.uint8, np.uint16):
            raise ValueError(str(array.dtype))
        if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and 262 in page.tags:
            array = np.iinfo(array.dtype).max - array  # as the tag asks; tifffile leaves that to its user
        if page.planarconfig == 2 and array.ndim == 3:
            array = np.moveaxis(array, 0, -1)
        array = array.squeeze() if array.ndim > 2 and array.shape[-1] == 1 else array
        return array[..., :3] if array.ndim == 3 and array.shape[-1] > 3 else \
            array[..., 0] if array.ndim == 3 and array.shape[-1] == 2 else array


def attempt(read, path):
    try:
        return read(path), ""
    except Exception as e:  # whatever a reader throws is a refusal
        return None, f"{type(e).__name__}: {str(e)[:70]}"


class Bioptic:
    def __init__(self, program, work):
        self.program, self.work = program, work

    def __call__(self, path):
        """Pixels, what it lost (key: count), what it said."""
        source, out = self.work / "src", self.work / "ds"
        for folder in (source, out):
            shutil.rmtree(folder, ignore_errors=True)
        for c in "AB":
            (source / c).mkdir(parents=True)
            shutil.copy(path, source / c / path.name)
        done = subprocess.run([self.program, "data", "import", source, out, "--threads", "1"], capture_output=True, text=True)
        if done.returncode not in (0, 2):
            raise SystemExit(f"{path}: exit code {done.returncode}: {done.stderr}")
        if done.returncode == 2:
            return None, {}, done.stderr.split(path.name + ":")[-1].split(" (2 of 2")[0].strip()
        losses = dict(json.loads((out / "dataset.json").read_text())["provenance"]["losses"])
        if "orientation tag" in done.stderr:
            losses["orientation"] = 1
        array = np.load(out / "images.npy")[0]
        array = np.moveaxis(array, 0, -1) if array.ndim == 3 and array.shape[0] == 3 else array.squeeze() if array.ndim == 3 else array
        return array, losses, done.stderr


def same(a, b):
    if a is None or b is None or a.shape[:2] != b.shape[:2]:
        return False
    if a.ndim != b.ndim:
        a, b = (np.repeat(x[..., None], 3, -1) if x.ndim == 2 else x for x in (a, b))
    if a.dtype == np.uint16 and b.dtype == np.uint8 and a.ndim == 3:
        a = (a >> 8).astype(np.uint8)  # Pillow gives the upper eight of sixteen bits of a colour
    return a.dtype == b.dtype and np.array_equal(a, b)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("program")
    options.add_argument("--count", type=int, default=3000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--keep", type=pathlib.Path, help="keep files that are to be explained here")
    options.add_argument("--list", type=int, default=40, help="lines of each list")
    o = options.parse_args()
    work = pathlib.Path(tempfile.mkdtemp())
    bioptic = Bioptic(o.program, work)
    r = random.Random(o.seed)
    valid = valid_files()
    table = collections.defaultdict(collections.Counter)
    lists = collections.defaultdict(collections.Counter)
    wrong = []
    originals = {}
    changed = collections.Counter()  # equal to the reader, without a word, but no longer what they were

    def judge(name, how, data):
        kind = name.split()[0]
        path = work / ("x." + kind)
        path.write_bytes(data)
        ours, losses, said = bioptic(path)
        readers = {"Pillow": attempt(by_pillow, path)}
        if kind == "tif":
            readers["tifffile"] = attempt(by_tifffile, path)
        read = [a for a, _ in readers.values() if a is not None]
        alike = len(read) == len(readers) and all(same(a, b) or same(b, a) for a in read[1:] for b in read[:1])
        text = re.sub(r"\d+", "N", said)[:110]
        who = ", ".join(f"{n} {'reads' if a is not None else 'refuses'}" for n, (a, _) in readers.items())
        if ours is None:
            result = "refused" if not alike else "refused, read alike by all"
            if alike:
                lists["Refused though all readers read alike"][f"{name.split()[0]} {how}: {text}"] += 1
        elif any(same(ours, a) for a in read):
            result = "equal" if alike else "equal to one of two" if len(readers) == 2 else "equal"
            if result != "equal":
                lists["Equal to one reader; the other differs or refuses"][
                    f"{name} {how}: " + ", ".join(f"{n} {'equal' if same(ours, a) else 'differs' if a is not None else 'refuses'}"
                                                  for n, (a, _) in readers.items())] += 1
            if losses:
                result = "equal, warned"
            elif kind == "jpg" and not same(ours, originals.get(name, ours)):
                changed[how] += 1
        elif losses:
            result = "warned"
            lists["Warned"][f"{name} {how}: {','.join(losses)} ({who})"] += 1
        else:
            result = "SILENT" if read else "unharmed" if same(ours, originals.get(name)) else "alone"
            lists[result][f"{name} {how} ({who})"] += 1
            if o.keep and result != "unharmed":
                o.keep.mkdir(parents=True, exist_ok=True)
                (o.keep / f"{result}-{sum(lists[result].values())}-{name}-{how}.{kind}".replace("/", "_").replace(" ", "_")).write_bytes(data)
        table[result][kind] += 1
        if how == "not mutated":
            originals[name] = ours
        return ours is not None, result, said

    for name, data in valid.items():
        ok, result, said = judge(name, "not mutated", data)
        if not ok or result == "SILENT":
            wrong.append(f"{name}: {result}: {said.strip()}")
    print(len(valid), "files that are not mutated;", len(wrong), "of them not read or other pixels")
    for line in wrong:
        print("  ", line)
    table.clear()
    names = list(valid)
    change = {"tif": mutate_tiff, "png": mutate_png, "jpg": mutate_jpeg}
    made = 0
    while made < o.count:
        kind = ("tif", "tif", "png", "jpg")[made % 4]
        name = r.choice([n for n in names if n.startswith(kind)])
        how, data = change[kind](r, valid[name])
        if data == valid[name]:
            continue
        judge(name, how, data)
        made += 1
    kinds = ("tif", "png", "jpg")
    print(f"\n{made} mutated files, seed {o.seed}\n\n| result | TIFF | PNG | JPEG | all |\n|---|---|---|---|---|")
    for result in sorted(table):
        print(f"| {result} | " + " | ".join(str(table[result][k]) for k in kinds) + f" | {sum(table[result].values())} |")
    lists["JPEG: equal to Pillow without a word, but no longer the pixels before the mutation"] = changed
    for title, lines in lists.items():
        print(f"\n{title}: {sum(lines.values())}")
        for line, n in lines.most_common(o.list):
            print(f"{n:5} {line}")
    shutil.rmtree(work)
    return 1 if wrong or table["SILENT"] else 0


if __name__ == "__main__":
    sys.exit(main())
