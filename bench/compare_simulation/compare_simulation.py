#!/usr/bin/env python3
"""How often `bioptic compare` errs: whole files of predictions through the program itself.

    bench/compare_simulation/compare_simulation.py [--bioptic PATH] [--files 1000] [--jobs 2]
        [--cells WORD...] [--json OUT] [--markdown OUT] [--list]

Each file is one study, drawn from a law whose true difference is known (law.py); the cells and what must
hold are in cells.py, the bounds in rates.py.  Every second file has its arms swapped.  The draws of a
cell depend on its name and the file's number alone, so they are the same for any choice of cells.

Exit code 0: every bound is kept; 1: one is broken, the line says which.  Needs NumPy (Debian:
python3-numpy).
"""

import argparse
import json
import multiprocessing
import pathlib
import subprocess
import sys
import tempfile
import zlib

try:
    import numpy as np
except ImportError:
    sys.exit("compare_simulation needs NumPy: apt-get install python3-numpy")

from cells import CELLS
from law import as_csv, draw
from rates import Study, judge

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "build/src/bioptic/cli/bioptic"


def study(task):
    """Draws file `number` of a cell and asks the program."""
    program, cell, number, folder = task
    rng = np.random.Generator(np.random.PCG64([zlib.crc32(cell.name.encode()), number]))
    label, patient, z = draw(cell.law, rng)
    names = "ABCDEFGH"[:cell.law.arms]
    if number % 2:
        names = names[::-1]
    file = pathlib.Path(folder) / f"{zlib.crc32(cell.name.encode())}-{number}.csv"
    file.write_bytes(as_csv(label, patient, z, names))
    command = [program, "compare", str(file), "--json", "--metric", cell.metric, "--margin",
               str(cell.margin)]
    said = subprocess.run(command, capture_output=True, text=True)
    if said.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit code {said.returncode}\n{said.stderr}")
    file.unlink()
    level = dict(zip(names, [0.0] + [-d for d in cell.differences]))
    pairs = [c for c in json.loads(said.stdout)["comparisons"]
             if c["metric"] == cell.metric and c["split"] == "test"]
    assert len(pairs) == len(names) * (len(names) - 1) // 2, cell.name
    return Study([c["verdict"] for c in pairs], [c["difference"] for c in pairs],
                 [c["E2"]["df"] for c in pairs], [level[c["a"]] - level[c["b"]] for c in pairs])


def percent(r):
    return f"{100 * r['rate']:.1f} ± {100 * r['error']:.1f}"


def markdown(rows):
    lines = ["| cell | S | G | prevalence | margin | true difference | refused | false better "
             "| false equivalent | right | bounds |", "|---|---|---|---|---|---|---|---|---|---|---|"]
    for r in rows:
        power = percent(r["right"])
        if "oracle" in r:
            power += f" (true variance: {100 * r['oracle']['rate']:.1f})"
        given = r["given"] > 0
        lines.append(
            f"| {r['cell']} | {r['seeds']} | {r['patients']} | {100 * r['prevalence']:g} % "
            f"| {100 * r['margin']:g} | {100 * r['difference']:g} | {percent(r['refused'])} "
            f"| {percent(r['false_better']['of_given']) if given else '-'} "
            f"| {percent(r['false_equivalent']['of_given']) if given and r['difference'] else '-'} "
            f"| {power if given else '-'} | {'; '.join(r['broken']) or 'kept'} |")
    return "\n".join(lines) + "\n"


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bioptic", default=str(PROGRAM), help="the program")
    parser.add_argument("--files", type=int, default=1000, help="studies of each cell")
    parser.add_argument("--cells", nargs="+", metavar="WORD", help="cells whose name holds one of these")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=pathlib.Path, help="write the rates here, after every cell")
    parser.add_argument("--markdown", type=pathlib.Path, help="write a table of them here")
    parser.add_argument("--list", action="store_true", help="print the names of the cells and end")
    options = parser.parse_args()
    if options.files < 1 or options.jobs < 1:
        parser.error("--files and --jobs are at least 1")
    options.chosen = [c for c in CELLS
                      if not options.cells or any(w in c.name for w in options.cells)]
    if not options.chosen:
        parser.error("no cell has such a name; --list shows them")
    return options


def main():
    options = parse()
    if options.list:
        print("\n".join(c.name for c in options.chosen))
        return 0
    rows = []
    with tempfile.TemporaryDirectory() as folder, multiprocessing.Pool(options.jobs) as pool:
        for cell in options.chosen:
            tasks = [(options.bioptic, cell, number, folder) for number in range(options.files)]
            row = judge(cell, pool.map(study, tasks, chunksize=4))
            rows.append(row)
            print(f"{'BROKEN' if row['broken'] else 'kept  '}  {cell.name}: refused "
                  f"{percent(row['refused'])} %, false better "
                  f"{percent(row['false_better']['of_given'])} %, false equivalent "
                  f"{percent(row['false_equivalent']['of_given'])} %, right {percent(row['right'])} % "
                  f"{'; '.join(row['broken'])}", flush=True)
            if options.json:
                options.json.write_text(json.dumps(rows, indent=1) + "\n")
            if options.markdown:
                options.markdown.write_text(markdown(rows))
    broken = sum(bool(r["broken"]) for r in rows)
    print(f"{len(rows) - broken} passed, {broken} failed")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
