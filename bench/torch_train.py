#!/usr/bin/env python3
"""Trains a traced trial in PyTorch as a user would, and prints what it took as JSON.

Used by bench/peers. Images, labels, splits, initial weights, batch order, epochs and evaluation are
those of the trace; the network, loss, optimizer and scheduler are
PyTorch's own.
"""

import time

START = time.perf_counter()

import argparse  # noqa: E402  (the import of torch is timed)
import csv  # noqa: E402
import json  # noqa: E402
import pathlib  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

IMPORTED = time.perf_counter()

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
import torch_trial  # noqa: E402


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("trace", type=pathlib.Path)
    arguments.add_argument("--splits", type=pathlib.Path, required=True,
                           help="JSON with the rows of val and test")
    arguments.add_argument("--fused", action="store_true", help="Adam(fused=True)")
    arguments.add_argument("--compile", action="store_true", help="torch.compile of the step")
    arguments.add_argument("--uint8", action="store_true", help="keep pixels as bytes until used")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--steps", type=int, help="stop after so many; no evaluation")
    arguments.add_argument("--model", type=pathlib.Path, help="save the model here")
    a = arguments.parse_args()
    torch.set_num_threads(a.threads)

    spec = json.loads((a.trace / "spec.json").read_text())
    with open(a.trace / "order.csv", newline="") as file:
        order = [torch.tensor([int(r) for r in line["rows"].split()])
                 for line in csv.DictReader(file)]
    splits = {name: torch.tensor(rows) for name, rows in json.loads(a.splits.read_text()).items()}
    dataset = pathlib.Path(spec["dataset"])
    pixels = torch.from_numpy(np.load(dataset / "images.npy")).flatten(1)
    images = pixels if a.uint8 else pixels.float() / 255
    labels = torch.from_numpy(np.load(dataset / "labels.npy").astype(np.int64))
    del pixels
    batch = (lambda rows: images[rows].float() / 255) if a.uint8 else (lambda rows: images[rows])

    hidden = spec["train"]["model"]["hidden"]
    widths = [images.shape[1], *hidden]
    layers = []
    for before, after in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(before, after), torch.nn.ReLU()]
    outputs = torch_trial.outputs(spec["train"], len(spec["classes"]))
    net = torch.nn.Sequential(*layers, torch.nn.Linear(widths[-1], outputs))
    net.load_state_dict(load_file(a.trace / "initial.safetensors"))
    optimizer = torch.optim.Adam(net.parameters(), lr=spec["train"]["optimizer"]["lr"],
                                 fused=True if a.fused else None)
    scheduler = torch_trial.Scheduler(spec["train"], optimizer, spec["steps_per_epoch"],
                                      spec["epochs"])
    loss_of = torch_trial.loss_function(spec["train"], torch.float32)
    predicted = (lambda z: z.argmax(1)) if outputs > 1 else (lambda z: (z[:, 0] > 0).long())

    def forward_backward(x, y):
        optimizer.zero_grad()
        logits = net(x)
        loss = loss_of(logits, y)
        loss.backward()
        return loss, logits

    step = torch.compile(forward_backward) if a.compile else forward_backward

    def evaluate(rows):
        net.eval()
        with torch.no_grad():
            logits = torch.cat([net(batch(part)) for part in rows.split(400)])
        net.train()
        return (loss_of(logits, labels[rows]).item(),
                (predicted(logits) == labels[rows]).float().mean().item())

    training_rows = torch.unique(torch.cat(order))
    ready = time.perf_counter()
    times, history = [], []
    seen = running = right = 0
    for number, rows in enumerate(order[:a.steps]):
        begin = time.perf_counter()
        x, y = batch(rows), labels[rows]
        loss, logits = step(x, y)
        optimizer.step()
        scheduler.after_step()
        running += loss.item() * len(rows)
        right += (predicted(logits.detach()) == y).sum().item()
        seen += len(rows)
        times.append(time.perf_counter() - begin)
        if a.steps is None and (number + 1) % spec["steps_per_epoch"] == 0:
            history.append((running / seen, right / seen, *evaluate(splits["val"])))
            if spec["train"]["train_eval"]:
                evaluate(training_rows)
            seen = running = right = 0
    test = evaluate(splits["test"]) if a.steps is None else None
    if a.model:
        torch.save(net.state_dict(), a.model)
    end = time.perf_counter()
    warm = times[min(5, len(times) - 1):]
    print(json.dumps({
        "torch": torch.__version__, "import_s": IMPORTED - START, "prepare_s": ready - IMPORTED,
        "train_s": end - ready, "step_ms": 1e3 * statistics.median(warm),
        "first_step_s": times[0], "validation_accuracy": history[-1][3] if history else None,
        "test_accuracy": test[1] if test else None}))


if __name__ == "__main__":
    main()
