"""Makes augment.json, the oracle values of augmentation (src/bioptic/train/augment.h).

    scripts/peers
    .venv-peers/bin/python tests/golden/augment.py

What an image is changed by is drawn here from the named streams, written a second time in Python. The
changed image is SciPy's: scipy.ndimage.affine_transform(order=1, mode="nearest") in float64, its matrix
the inverse of the composed one; contrast and brightness are NumPy's; noise is scipy.stats.norm.ppf of
the stream's 16-bit numbers. Values are stored as they are before rounding and limiting, in thousandths
of a grey level.
"""

import hashlib
import json
import math
import pathlib
import platform
import sys

import numpy as np
import scipy
import scipy.ndimage
import scipy.stats

HERE = pathlib.Path(__file__).resolve().parent
COMMAND = ".venv-peers/bin/python tests/golden/augment.py"
MASK = 0xFFFFFFFF
OFF = {"shift": 0.0, "rotate": 0.0, "scale": 0.0, "flip": False, "brightness": 0.0, "contrast": 0.0,
       "noise": 0.0}


def philox4x32(counter, key):
    """Salmon et al., SC 2011: ten rounds."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


class Stream:
    """A named stream: its 32-bit words, and uniform numbers of 53 bits."""

    def __init__(self, seed, name):
        digest = hashlib.sha256(b"bioptic stream\0" + name.encode() + b"\0" + str(seed).encode()).digest()
        self.key = [int.from_bytes(digest[4 * w:4 * w + 4], "little") for w in range(2)]
        self.words, self.block = [], 0

    def block_words(self, block):
        return philox4x32([block & MASK, block >> 32, 0, 0], self.key)

    def word(self):
        if not self.words:
            self.words = self.block_words(self.block)
            self.block += 1
        return self.words.pop(0)

    def uniform(self, low=0.0, high=1.0):
        bits = self.word()
        bits |= self.word() << 32
        return low + (high - low) * ((bits >> 11) * 2.0**-53)


def draw(spec, seed, epoch, image, copy, height, width):
    name = f"augment/epoch {epoch}/image {image}" + (f"/copy {copy}" if copy else "")
    s = Stream(seed, name)
    d = {"right": width * s.uniform(-spec["shift"], spec["shift"]),
         "down": height * s.uniform(-spec["shift"], spec["shift"]),
         "angle": math.radians(s.uniform(-spec["rotate"], spec["rotate"])),
         "scale": s.uniform(1 - spec["scale"], 1 + spec["scale"])}
    coin = s.uniform()
    d["flip"] = bool(spec["flip"] and coin < 0.5)
    d["brightness"] = 255 * s.uniform(-spec["brightness"], spec["brightness"])
    d["contrast"] = s.uniform(1 - spec["contrast"], 1 + spec["contrast"])
    return d, Stream(seed, name + "/noise")


def augment(image, spec, d, noise_stream):
    """image: (channels, height, width) uint8 -> float64, neither rounded nor limited."""
    channels, height, width = image.shape
    centre = np.array([(width - 1) / 2, (height - 1) / 2])  # x, y
    flip = np.diag([-1.0 if d["flip"] else 1.0, 1.0])
    c, s = math.cos(d["angle"]), math.sin(d["angle"])
    rotation = np.array([[c, -s], [s, c]])  # y points down, so a positive angle is clockwise
    forward = rotation @ (d["scale"] * np.eye(2)) @ flip
    # out - centre - shift = forward (source - centre)
    inverse = np.linalg.inv(forward)
    offset = centre - inverse @ (centre + np.array([d["right"], d["down"]]))
    swap = [1, 0]  # SciPy's axes are y, x
    out = np.empty(image.shape)
    blocks = -(-width // 8)
    for ch in range(channels):
        out[ch] = scipy.ndimage.affine_transform(
            image[ch].astype(np.float64), inverse[np.ix_(swap, swap)], offset[swap], order=1,
            mode="nearest")
    out = (out - 127.5) * d["contrast"] + 127.5 + d["brightness"]
    if spec["noise"] > 0:
        for ch in range(channels):
            for y in range(height):
                first = (ch * height + y) * blocks
                halves = []
                for block in range(first, first + blocks):
                    for word in noise_stream.block_words(block):
                        halves += [word & 0xFFFF, word >> 16]
                k = np.array(halves[:width])
                out[ch, y] += spec["noise"] * scipy.stats.norm.ppf((k + 0.5) / 65536)
    return out


def images(rng):
    """Noise, in which every error of position is largest; and a smooth image of three channels."""
    y, x = np.mgrid[0:15, 0:18]
    smooth = [127 + 100 * np.sin(0.3 * x + p) * np.cos(0.2 * y - p) for p in (0, 1, 2)]
    return {"random": rng.integers(0, 256, (1, 17, 24)), "smooth": np.rint(np.array(smooth)).astype(int)}


def main():
    rng = np.random.default_rng(20260101)
    sources = images(rng)
    everything = {"shift": 0.1, "rotate": 25.0, "scale": 0.2, "flip": True, "brightness": 0.1,
                  "contrast": 0.3, "noise": 5.0}
    specs = {"shift": {"shift": 0.3}, "rotate": {"rotate": 180.0}, "scale": {"scale": 0.5},
             "flip": {"flip": True}, "brightness": {"brightness": 0.5}, "contrast": {"contrast": 1.0},
             "noise": {"noise": 20.0},
             "position": {k: everything[k] for k in ("shift", "rotate", "scale", "flip")},
             "everything": everything}
    cases = []
    for name, part in specs.items():
        spec = OFF | part
        for source in ["random", "smooth"] if name == "everything" else ["random"]:
            for seed, epoch, row, copy in [(0, 1, 0, 0), (3, 12, 4711, 2)]:
                image = sources[source].astype(np.uint8)
                d, noise = draw(spec, seed, epoch, row, copy, *image.shape[1:])
                value = augment(image, spec, d, noise)
                cases.append({"name": f"{name}, {source}, seed {seed}", "spec": spec, "source": source,
                              "seed": seed, "epoch": epoch, "row": row, "copy": copy, "draw": d,
                              "milli": np.rint(1000 * value).astype(int).ravel().tolist()})
    k = np.array([0, 1, 2, 100, 5000, 20000, 32767, 32768, 40000, 65000, 65534, 65535])
    table = {"index": k.tolist(), "quantile": scipy.stats.norm.ppf((k + 0.5) / 65536).tolist()}
    document = {"command": COMMAND,
                "versions": {"python": platform.python_version(), "numpy": np.__version__,
                             "scipy": scipy.__version__},
                "sources": {n: {"shape": list(a.shape), "pixels": a.ravel().tolist()}
                            for n, a in sources.items()},
                "noise": table}
    lines = [f'"{k}": {json.dumps(v, separators=(",", ":"))}' for k, v in document.items()]
    rows = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    (HERE / "augment.json").write_text("{\n" + ",\n".join(lines) + f',\n"cases": [\n{rows}\n]\n}}\n')


if __name__ == "__main__":
    sys.exit(main())
