"""Makes the golden files that parity_test compares bioptic with, using the current PyTorch.

    scripts/peers && .venv-peers/bin/python tests/golden/generate.py

Images, labels, initial weights and dropout masks come from a small integer hash that both languages
compute (`uniform` here, in golden.cpp there), so only PyTorch's results are stored: names and
settings in *.json, numbers in *.f64 (little-endian float64, in the order that golden.h names).
"""

import json
import pathlib
import platform
import sys

import numpy as np
import sklearn
import torch
from sklearn.utils.class_weight import compute_class_weight

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
import torch_trial  # noqa: E402

STEPS = 10
IMAGES = 23  # with batches of 7 an epoch ends with a batch of 2
BATCH = 7


def uniform(seed, n):
    """n numbers in [0, 1), multiples of 2^-24."""
    mask = np.uint64(0xFFFFFFFF)
    h = (np.arange(n, dtype=np.uint64) * np.uint64(2654435761) +
         np.uint64((seed * 40503 + 12345) % 2**32)) & mask
    h ^= h >> np.uint64(15)
    h = (h * np.uint64(2246822519)) & mask
    h ^= h >> np.uint64(13)
    h = (h * np.uint64(3266489917)) & mask
    h ^= h >> np.uint64(16)
    return (h >> np.uint64(8)).astype(np.float64) / 2**24


def initial_tensors(sizes):
    """[(weight, bias), ...] of an MLP with these layer sizes, float32."""
    tensors = []
    for l, (i, o) in enumerate(zip(sizes, sizes[1:])):
        bound = np.sqrt(float(i))
        draw = lambda seed, n: ((2 * uniform(seed, n) - 1) / bound).astype(np.float32)
        tensors.append((draw(10 + 2 * l, i * o).reshape(o, i), draw(11 + 2 * l, o)))
    return tensors


def dropout_masks(step, batch, hidden, p):
    if p == 0:
        return None
    factor = np.float32(1 / (1 - p))
    return [torch.from_numpy(np.where(uniform(1000 + 100 * step + l, batch * width) < p,
                                      np.float32(0), factor).reshape(batch, width))
            for l, width in enumerate(hidden)]


def stored_images(count, inputs):
    return np.floor(uniform(1, count * inputs) * 256).astype(np.uint8).reshape(count, inputs)


def read_inputs(stored, channels, maps, invert):
    """uint8 (N, inputs) -> float64; maps: per channel (scale, offset) in float32."""
    p = (255 - stored if invert else stored).astype(np.float64)
    p = p.reshape(len(stored), channels, -1)
    scale = np.array([np.float32(s) for s, _ in maps], dtype=np.float64)[None, :, None]
    offset = np.array([np.float32(o) for _, o in maps], dtype=np.float64)[None, :, None]
    return torch.from_numpy((p * scale + offset).reshape(len(stored), -1))


def spec(model=None, loss=None, optimizer=None, scheduler=None, epochs=3, batch_size=BATCH,
         **more):
    """A canonical specification; what is left out has bioptic's default."""
    optimizer = dict(optimizer or {"kind": "adam"})
    optimizer.setdefault("lr", 1e-2)
    optimizer.setdefault("weight_decay", 0.0)
    if optimizer["kind"] == "sgd":
        for key, value in (("momentum", 0.0), ("dampening", 0.0), ("nesterov", False)):
            optimizer.setdefault(key, value)
    else:
        optimizer.setdefault("betas", [0.9, 0.999])
        optimizer.setdefault("eps", 1e-8)
    return {
        "model": {"kind": "mlp", "hidden": [7, 5], "activation": "relu", "dropout": 0.0,
                  **(model or {})},
        "loss": {"kind": "bce_with_logits", "class_weight": [], **(loss or {})},
        "optimizer": optimizer,
        "scheduler": {"kind": "constant", "interval": "step", **(scheduler or {})},
        "epochs": epochs, "batch_size": batch_size,
        "threshold": {"kind": "fixed", "value": 0.5}, "select": "last", "train_eval": False, **more,
    }


def semantics_cases():
    def case(name, channels=1, pixels=35, maps=((1 / 255, 0.0),), classes=2, invert=False, **kw):
        return {"name": name, "channels": channels, "pixels": pixels,
                "maps": [[float(np.float32(s)), float(np.float32(o))] for s, o in maps],
                "classes": classes, "invert": invert, "spec": spec(**kw)}

    ce = lambda **kw: {"kind": "cross_entropy", "label_smoothing": 0.0, **kw}
    w5 = [0.5, 1.0, 2.0, 1.25, 0.75]
    rgb = ((1 / 255, 0.0), (0.0123, -1.5), (1 / 64, -2.0))
    cases = [
        # losses
        case("bce", loss={"kind": "bce"}),
        case("bce_class_weight", loss={"kind": "bce", "class_weight": [0.7, 1.9]}),
        case("logits_class_weight", loss={"class_weight": [0.7, 1.9]}),
        case("logits_pos_weight", loss={"pos_weight": 2.5}),
        case("logits_class_and_pos_weight",
             loss={"class_weight": [0.7, 1.9], "pos_weight": 0.4}),
        case("cross_entropy_2", loss=ce()),
        case("cross_entropy_2_class_weight", loss=ce(class_weight=[0.7, 1.9])),
        case("cross_entropy_5", loss=ce(), classes=5),
        case("cross_entropy_5_class_weight", loss=ce(class_weight=w5), classes=5),
        case("cross_entropy_5_smoothing", loss=ce(label_smoothing=0.1), classes=5),
        case("cross_entropy_5_class_weight_smoothing",
             loss=ce(class_weight=w5, label_smoothing=0.3), classes=5),
        # optimizers
        case("sgd", optimizer={"kind": "sgd", "lr": 0.1}),
        case("sgd_weight_decay", optimizer={"kind": "sgd", "lr": 0.1, "weight_decay": 0.05}),
        case("sgd_momentum", optimizer={"kind": "sgd", "lr": 0.1, "momentum": 0.9}),
        case("sgd_dampening",
             optimizer={"kind": "sgd", "lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
        case("sgd_nesterov",
             optimizer={"kind": "sgd", "lr": 0.1, "momentum": 0.8, "nesterov": True}),
        case("sgd_nesterov_weight_decay",
             optimizer={"kind": "sgd", "lr": 0.1, "momentum": 0.8, "nesterov": True,
                        "weight_decay": 0.05}),
        case("adam"),
        case("adam_weight_decay", optimizer={"kind": "adam", "weight_decay": 0.05}),
        case("adam_betas_eps", optimizer={"kind": "adam", "betas": [0.8, 0.95], "eps": 1e-3}),
        case("adamw", optimizer={"kind": "adamw", "weight_decay": 0.01}),
        case("adamw_strong", optimizer={"kind": "adamw", "weight_decay": 2.0, "lr": 0.03}),
        # activations
        case("leaky_relu", model={"activation": "leaky_relu"}),
        case("tanh", model={"activation": "tanh"}),
        case("gelu", model={"activation": "gelu"}),
        # layers and sizes
        case("no_hidden_layer", model={"hidden": []}),
        case("no_hidden_layer_5", model={"hidden": []}, loss=ce(), classes=5),
        case("one_hidden_layer", model={"hidden": [9]}),
        case("one_unit", model={"hidden": [1]}, pixels=1),
        case("three_hidden_layers", model={"hidden": [6, 3, 11], "activation": "tanh"}),
        # batches
        case("batch_1", batch_size=1), case("batch_all", batch_size=IMAGES),
        case("batch_10", batch_size=10),
        # inputs
        case("three_channels", channels=3, pixels=11, maps=rgb),
        case("three_channels_table", channels=3, pixels=11, maps=rgb, invert=True, classes=5,
             loss=ce()),
        # dropout
        case("dropout", model={"dropout": 0.5}),
        case("dropout_gelu_3", model={"dropout": 0.2, "hidden": [6, 9, 4], "activation": "gelu"}),
        case("dropout_sgd", model={"dropout": 0.25},
             optimizer={"kind": "sgd", "lr": 0.1, "momentum": 0.9}),
    ]
    # class weights from the images, and weights of the images themselves (scikit-learn's are on
    # labels 0..4 of which each occurs)
    cases += [
        case("bce_balanced", loss={"kind": "bce", "class_weight": "balanced"}),
        case("logits_balanced", loss={"class_weight": "balanced"}),
        case("cross_entropy_5_balanced", loss=ce(class_weight="balanced"), classes=5),
        case("bce_sample_weight", loss={"kind": "bce"}, sample_weight=True),
        case("logits_sample_and_class_weight", loss={"class_weight": [0.7, 1.9]},
             sample_weight=True),
        case("logits_sample_and_pos_weight", loss={"pos_weight": 2.5}, sample_weight=True),
        case("cross_entropy_5_sample_weight", loss=ce(), classes=5, sample_weight=True),
        case("cross_entropy_5_sample_weight_balanced_smoothing",
             loss=ce(class_weight="balanced", label_smoothing=0.3), classes=5,
             sample_weight=True),
    ]
    # every schedule drives a training
    for s in schedule_cases():
        if s.get("train"):
            cases.append(case("schedule_" + s["name"], optimizer=s["optimizer"],
                              scheduler=s["scheduler"]))
    return cases


def train(case, values):
    """Ten steps in float64.  Appends to values, in this order: per step the loss, lr, momentum and
    the logits before the update; then of the last step the gradient, the weights after it and the
    moments (Adam: exp_avg, exp_avg_sq; SGD: momentum_buffer where there is momentum), each over all
    tensors in order."""
    s = case["spec"]
    y = torch.from_numpy(np.floor(uniform(2, IMAGES) * case["classes"]).astype(np.int64))
    if s["loss"]["class_weight"] == "balanced":
        weights = compute_class_weight("balanced", classes=np.arange(case["classes"]),
                                       y=y.numpy())
        s = {**s, "loss": {**s["loss"], "class_weight": weights.tolist()}}
    w = torch.from_numpy(0.25 + 2 * uniform(3, IMAGES)) if s.get("sample_weight") else None
    inputs = case["channels"] * case["pixels"]
    sizes = [inputs, *s["model"]["hidden"], torch_trial.outputs(s, case["classes"])]
    net = torch_trial.Net(s, initial_tensors(sizes), torch.float64)
    optimizer = torch_trial.make_optimizer(s, net.tensors())
    loss_of = torch_trial.loss_function(s, torch.float64)
    x = read_inputs(stored_images(IMAGES, inputs), case["channels"], case["maps"], case["invert"])
    batch = s["batch_size"]
    steps_per_epoch = -(-IMAGES // batch)
    scheduler = torch_trial.Scheduler(s, optimizer, steps_per_epoch, s["epochs"])
    for step in range(STEPS):
        begin = step % steps_per_epoch * batch
        xs, ys = x[begin:begin + batch], y[begin:begin + batch]
        masks = dropout_masks(step, len(xs), s["model"]["hidden"], s["model"]["dropout"])
        optimizer.zero_grad()
        logits = net(xs, masks)
        loss = loss_of(logits, ys, None if w is None else w[begin:begin + batch])
        loss.backward()
        values += [loss.item(), scheduler.lr(), scheduler.momentum()]
        values += logits.detach().flatten().tolist()
        optimizer.step()
        scheduler.after_step(1.0)  # reduce-on-plateau: a validation that never gets better
    for t in net.tensors():
        values += t.grad.flatten().tolist()
    for t in net.tensors():
        values += t.detach().flatten().tolist()
    for key in ("exp_avg", "exp_avg_sq", "momentum_buffer"):
        for t in net.tensors():
            moment = optimizer.state[t].get(key) if t in optimizer.state else None
            if moment is not None:
                values += moment.flatten().tolist()


def schedule_cases():
    """name, scheduler, optimizer, steps_per_epoch, epochs, watched; train: also drives a training."""
    adam = {"kind": "adam", "lr": 1e-2}
    sgd = {"kind": "sgd", "lr": 0.1, "momentum": 0.9}
    cases = []

    def add(name, scheduler, optimizer=adam, per_epoch=7, epochs=31, watched=(), train=False):
        cases.append({"name": name, "optimizer": optimizer, "steps_per_epoch": per_epoch,
                      "epochs": epochs, "watched": list(watched), "train": train,
                      "scheduler": {"interval": "step", **scheduler}})

    warm = {"warmup": 1.3, "warmup_start": 0.05}
    one = {"kind": "one_cycle", "max_lr": 0.05, "pct_start": 0.3, "anneal": "cosine",
           "div_factor": 25.0, "final_div_factor": 1e4, "three_phase": False, "duration": 0.0,
           "cycle_momentum": True, "momentum": [0.85, 0.95]}
    cyc = {"kind": "cyclic", "base_lr": 1e-3, "max_lr": 0.04, "up": 1.7, "down": 0.0,
           "mode": "triangular", "cycle_momentum": True, "momentum": [0.8, 0.9]}
    restarts = {"kind": "cosine_restarts", "eta_min": 1e-4, "t_0": 1.4, "t_mult": 1}
    plateau = {"kind": "plateau", "factor": 0.3, "patience": 2, "cooldown": 0, "threshold": 1e-4,
               "min_lr": 0.0, "metric": "val_loss", "interval": "epoch"}
    kinds = {
        "constant": {"kind": "constant"},
        "step": {"kind": "step", "gamma": 0.7, "step_size": 0.6},
        "multistep": {"kind": "multistep", "gamma": 0.3, "milestones": [0.5, 1.2, 1.2, 20.0]},
        "exponential": {"kind": "exponential", "gamma": 0.98},
        "linear": {"kind": "linear", "start_factor": 1 / 3, "end_factor": 1.0, "duration": 0.0},
        "polynomial": {"kind": "polynomial", "power": 1.0, "duration": 0.0},
        "cosine": {"kind": "cosine", "eta_min": 0.0, "duration": 0.0},
        "cosine_restarts": restarts, "one_cycle": one, "cyclic": cyc,
    }
    for name, s in kinds.items():
        optimizer = sgd if name == "cyclic" else adam
        add(name, s, optimizer, train=True)
        add(name + "_warmup", {**s, **warm}, optimizer, train=True)
        add(name + "_odd", s, optimizer, per_epoch=13, epochs=17)
        # by epoch: durations rounded to whole epochs, so they must be long enough
        long = {k: v * 3 if k in ("step_size", "t_0", "up") else v for k, v in s.items()}
        if name == "multistep":
            long["milestones"] = [1.0, 2.6, 20.0]
        add(name + "_by_epoch", {**long, "interval": "epoch"}, optimizer)
        add(name + "_by_epoch_warmup", {**long, **warm, "interval": "epoch"}, optimizer)
    add("linear_falling", {**kinds["linear"], "start_factor": 1.0, "end_factor": 0.02})
    add("linear_short", {**kinds["linear"], "duration": 11.3})
    add("polynomial_cubic", {**kinds["polynomial"], "power": 3.0})
    add("polynomial_root_short", {**kinds["polynomial"], "power": 0.5, "duration": 20.4})
    add("cosine_floor", {**kinds["cosine"], "eta_min": 3e-4})
    add("cosine_short", {**kinds["cosine"], "eta_min": 3e-4, "duration": 9.9})
    add("restarts_doubling", {**restarts, "t_mult": 2})
    add("restarts_tripling_warmup", {**restarts, **warm, "t_mult": 3})
    add("one_cycle_linear", {**one, "anneal": "linear"}, sgd)
    add("one_cycle_three_phases", {**one, "three_phase": True, "pct_start": 0.37}, sgd)
    add("one_cycle_three_phases_linear", {**one, "three_phase": True, "anneal": "linear"},
        per_epoch=11, epochs=19)
    add("one_cycle_fixed_momentum", {k: v for k, v in {**one, "cycle_momentum": False}.items()
                                     if k != "momentum"})
    add("one_cycle_factors", {**one, "div_factor": 4.0, "final_div_factor": 50.0,
                              "pct_start": 0.6})
    add("one_cycle_short", {**one, "duration": 20.2})
    add("one_cycle_adamw", one, {"kind": "adamw", "lr": 1e-3, "weight_decay": 0.01})
    add("one_cycle_200", one, per_epoch=200, epochs=1)
    add("cyclic_two_sides", {**cyc, "down": 0.9}, sgd)
    add("cyclic_triangular2", {**cyc, "mode": "triangular2", "down": 3.1}, sgd)
    add("cyclic_exp_range", {**cyc, "mode": "exp_range", "gamma": 0.99}, sgd)
    add("cyclic_exp_range_adam", {**cyc, "mode": "exp_range", "gamma": 0.994})
    add("cyclic_fixed_momentum", {k: v for k, v in {**cyc, "cycle_momentum": False}.items()
                                  if k != "momentum"})
    noisy = (1 / (1 + 0.3 * np.arange(31)) + 0.2 * uniform(77, 31)).tolist()
    flat = [1.0] * 31
    add("plateau", plateau, watched=noisy, train=True)
    add("plateau_by_step", {**plateau, "interval": "step"}, watched=noisy)
    add("plateau_patience_0", {**plateau, "patience": 0, "factor": 0.5}, watched=noisy)
    add("plateau_cooldown", {**plateau, "patience": 1, "cooldown": 3}, watched=flat)
    add("plateau_min_lr", {**plateau, "patience": 1, "min_lr": 2e-4}, watched=flat)
    add("plateau_threshold", {**plateau, "threshold": 0.2, "patience": 1}, watched=noisy)
    add("plateau_accuracy", {**plateau, "metric": "val_accuracy", "patience": 1},
        watched=[1 - v / 2 for v in noisy])
    add("plateau_warmup", {**plateau, **warm, "interval": "step", "patience": 3}, watched=flat)
    add("plateau_tiny", {**plateau, "patience": 0, "factor": 0.1}, watched=flat)
    return cases


def schedule_values(case, values):
    """lr, momentum of every step."""
    s = spec(optimizer=case["optimizer"], scheduler=case["scheduler"], epochs=case["epochs"])
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    weight.grad = torch.zeros_like(weight)
    optimizer = torch_trial.make_optimizer(s, [weight])
    scheduler = torch_trial.Scheduler(s, optimizer, case["steps_per_epoch"], case["epochs"])
    for step in range(case["steps_per_epoch"] * case["epochs"]):
        values += [scheduler.lr(), scheduler.momentum()]
        optimizer.step()
        epoch = step // case["steps_per_epoch"]
        scheduler.after_step(case["watched"][epoch] if case["watched"] else None)
    case["spec"] = s


def bce_float32():
    """Loss and d(loss)/dz of single examples in float32, where sigmoid runs out of bits."""
    rows = []
    for size in (10.0, 16.0, 17.0, 20.0, 28.0, 40.0, 90.0):
        for z in (size, -size):
            for label in (0, 1):
                logit = torch.tensor([z], dtype=torch.float32, requires_grad=True)
                loss = torch.nn.functional.binary_cross_entropy(
                    torch.sigmoid(logit), torch.tensor([float(label)]))
                loss.backward()
                rows.append({"z": z, "label": label, "loss": loss.item(),
                             "gradient": logit.grad.item()})
    return rows


def whole_training(values):
    """A whole small training in float64: 60 images of 16 x 16, 3 epochs, cosine by step; 20 images
    for validation.  Values: per step the loss; per epoch the validation loss; then the weights."""
    s = spec(model={"hidden": [12, 6]}, optimizer={"kind": "adam", "lr": 1e-3},
             scheduler={"kind": "cosine", "eta_min": 0.0, "duration": 0.0}, epochs=3, batch_size=8)
    inputs, count, held_out = 256, 60, 20
    stored = stored_images(count + held_out, inputs)
    y = torch.from_numpy(np.floor(uniform(2, count + held_out) * 2).astype(np.int64))
    x = read_inputs(stored, 1, [(1 / 255, 0.0)], False)
    net = torch_trial.Net(s, initial_tensors([inputs, 12, 6, 1]), torch.float64)
    optimizer = torch_trial.make_optimizer(s, net.tensors())
    loss_of = torch_trial.loss_function(s, torch.float64)
    scheduler = torch_trial.Scheduler(s, optimizer, 8, 3)
    for epoch in range(3):
        order = [(17 * i + 7 * epoch) % count for i in range(count)]
        for begin in range(0, count, 8):
            rows = order[begin:begin + 8]
            optimizer.zero_grad()
            loss = loss_of(net(x[rows]), y[rows])
            loss.backward()
            values.append(loss.item())
            optimizer.step()
            scheduler.after_step()
        with torch.no_grad():
            values.append(loss_of(net(x[count:]), y[count:]).item())
    for t in net.tensors():
        values += t.detach().flatten().tolist()
    return {"name": "whole_training", "spec": s}


def write(name, cases, values):
    versions = {"python": platform.python_version(), "numpy": np.__version__,
                "sklearn": sklearn.__version__, "torch": torch.__version__}
    command = "scripts/peers && .venv-peers/bin/python tests/golden/generate.py"
    lines = ",\n".join(json.dumps(c, sort_keys=True) for c in cases)
    text = '{"made_by": %s, "versions": %s, "cases": [\n%s\n]}\n' % (
        json.dumps(command), json.dumps(versions, sort_keys=True), lines)
    (HERE / f"{name}.json").write_text(text)
    if values:
        np.asarray(values, dtype="<f8").tofile(HERE / f"{name}.f64")
    print(f"{name}: {len(cases)} cases, {len(values)} values")


def with_offsets(cases, fill):
    """Runs fill(case, values) for each; every case learns where its values begin and end."""
    values = []
    for case in cases:
        begin = len(values)
        fill(case, values)
        case["begin"], case["end"] = begin, len(values)
    return cases, values


def main():
    torch.set_num_threads(1)
    write("semantics", *with_offsets(semantics_cases(), train))
    write("schedules", *with_offsets(schedule_cases(), schedule_values))
    write("bce_float32", bce_float32(), [])
    values = []
    case = whole_training(values)
    case["begin"], case["end"] = 0, len(values)
    write("whole_training", [case], values)


if __name__ == "__main__":
    main()
