"""The commands that tools/faults.py disturbs, and what each of them finds.

A scene's command is given in a folder of its own; `needs` are the things of the common stock that are copied there
first.  Small data: 40 images of 32 x 32, two arms, two epochs."""
import os
import random
import struct
import subprocess

STUDY = """[study]
name = "s"
seeds = 2
save_models = "all"
[data]
source = "d"
[train]
epochs = 2
batch_size = 6
model = { kind = "mlp", hidden = [4] }
[[arm]]
name = "a"
[[arm]]
name = "b"
batch_size = 4
"""


class Scene:
    def __init__(self, words, needs="", figures=False, prints=True, weight=1.0):
        self.words, self.needs = words.split(), needs.split()
        self.figures = figures  # with gnuplot in the PATH
        self.prints = prints    # standard output is part of the result
        self.weight = weight    # how often to disturb it, beside the others


SCENES = {
    "import folder": Scene("data import images new", "images"),
    "import npz": Scene("data import x.npz new", "x.npz"),
    "import manifest": Scene("data import images/manifest.csv new --size 16", "images"),
    "import TIFF": Scene("data import tiffs new", "tiffs"),
    "import DICOM": Scene("data import dicoms new --group-key key", "dicoms key"),
    "phantom": Scene("data phantom new --train 16 --test 8 --size 32"),
    "export folder": Scene("data export d new", "d"),
    "export npz": Scene("data export d new.npz", "d"),
    "info": Scene("data info d --verify", "d", weight=0.5),
    "init": Scene("init d --vary batch_size=2,4 --out new.toml", "d"),
    "run": Scene("run s.toml --out new --quiet --jobs 1", "d s.toml", prints=False, weight=2),
    "run, source to import": Scene("run s.toml --data images --out new --quiet --jobs 1", "images s.toml", prints=False),
    "run, going on": Scene("run s.toml --out half --quiet --jobs 1", "d s.toml half", prints=False),
    "run with figures": Scene("run s.toml --out new --quiet --jobs 1", "d s.toml", figures=True, prints=False, weight=0.3),
    "report": Scene("report runs", "d runs", weight=1),
    "report with figures": Scene("report runs --out new", "d runs", figures=True, weight=0.5),
    "compare": Scene("compare p.csv q.csv --positive 1 --inference seeds --json", "p.csv q.csv", weight=0.5),
    "compare with figure": Scene("compare p.csv q.csv --positive 1 --inference seeds --figure new",
                                 "p.csv q.csv", figures=True),
    "eval": Scene("eval m.safetensors --data d --json", "d m.safetensors"),
    "eval, source to import": Scene("eval m.safetensors --data images", "images m.safetensors"),
    "predict": Scene("predict m.safetensors one.png --json", "one.png m.safetensors"),
    "audit": Scene("data audit d --json", "d", weight=0.5),
    "audit, source to import": Scene("data audit tiffs --montage new.png --json", "tiffs"),
    "check": Scene("check runs", "d runs"),
    "status": Scene("status runs --json", "d runs"),
    "plan": Scene("plan --detect 0.05 --from runs", "d runs", weight=0.5),
    "plan with figure": Scene("plan --detect 0.05 --sd-seeds 0.02 --sd-cases 0.3 --figure new", figures=True,
                              weight=0.5),
    "schedule": Scene("schedule s.toml --out new", "d s.toml", weight=0.5),
}


def write_tiff(path, side, seed):
    pixels = bytes((seed * 37 + i * i) % 251 for i in range(side * side))
    tags = [(256, 3, side), (257, 3, side), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1),
            (278, 3, side), (279, 4, len(pixels))]
    table = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag[:2], 1, tag[2]) for tag in tags)
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 8 + len(pixels)) + pixels + table + bytes(4))


def write_dicom(path, side, seed):
    def element(group, number, vr, value):
        value += b"" if len(value) % 2 == 0 else b"\0" if vr in (b"UI", b"OB") else b" "
        size = struct.pack("<HI", 0, len(value)) if vr == b"OB" else struct.pack("<H", len(value))
        return struct.pack("<HH", group, number) + vr + size + value

    meta = element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1")
    data = element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.7") + element(8, 0x18, b"UI", b"1.2.%d" % seed)
    data += element(0x10, 0x20, b"LO", b"patient %d" % (seed // 2))
    data += element(0x28, 2, b"US", struct.pack("<H", 1)) + element(0x28, 4, b"CS", b"MONOCHROME2")
    for number, value in ((0x10, side), (0x11, side), (0x100, 8), (0x101, 8), (0x102, 7), (0x103, 0)):
        data += element(0x28, number, b"US", struct.pack("<H", value))
    data += element(0x7FE0, 0x10, b"OB", bytes((seed * 37 + i * i) % 251 for i in range(side * side)))
    head = element(2, 0, b"UL", struct.pack("<I", len(meta)))
    path.write_bytes(bytes(128) + b"DICM" + head + meta + data)


def environment(folder, figures):
    """Nothing of the person's own is read or written."""
    path = os.environ.get("PATH", "") if figures else "/nonexistent"
    return {"PATH": path, "HOME": f"{folder}/home", "TMPDIR": f"{folder}/tmp", "BIOPTIC_CACHE": f"{folder}/cache",
            "LC_ALL": "C.UTF-8"}


def make_stock(program, here):
    """All that scenes need, made in the folder in which they are played: stores hold whole paths."""
    here.mkdir()
    for name in ("home", "tmp", "cache"):
        (here / name).mkdir()

    def call(*words):
        subprocess.run([program, *words], cwd=here, env=environment(here, False), check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    call("data", "phantom", "d", "--train", "16", "--test", "24", "--size", "32")
    call("data", "export", "d", "images")
    call("data", "export", "d", "x.npz")
    for kind, write, ending in (("tiffs", write_tiff, "tif"), ("dicoms", write_dicom, "dcm")):
        for i in range(12):
            folder = here / kind / ("a" if i % 2 else "b")
            folder.mkdir(parents=True, exist_ok=True)
            write(folder / f"{i}.{ending}", 16, i % 11)  # one is there twice
    (here / "key").write_text("for these files alone, and no others\n")
    (here / "s.toml").write_text(STUDY)
    call("run", "s.toml", "--out", "runs", "--quiet", "--jobs", "1")
    call("run", "s.toml", "--out", "half", "--seeds", "1", "--quiet", "--jobs", "1")
    (here / "m.safetensors").write_bytes((here / "runs/s/models/a-seed0.safetensors").read_bytes())
    first = next(iter(sorted((here / "images").rglob("*.png"))))
    (here / "one.png").write_bytes(first.read_bytes())
    draw = random.Random(1)
    for arm, shift in (("p", 0.0), ("q", 0.1)):
        rows = [f"{i},{i},{i % 2},{seed},{min(1, max(0, 0.3 + 0.4 * (i % 2) - shift + draw.uniform(-0.4, 0.4)))}\n"
                for seed in range(6) for i in range(60)]
        (here / f"{arm}.csv").write_text("image,group,label,seed,score\n" + "".join(rows))
