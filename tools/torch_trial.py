"""One bioptic trial in PyTorch: model, loss, optimizer and schedule from a canonical specification.

Used by tools/replay.py (trains a traced trial again) and by tests/golden/generate.py (makes the
golden files), so that what is compared with and what the goldens were made from is the same code.
A specification is the JSON object that `bioptic run --trace` writes as spec.json.
"""

import math

import torch
from torch.nn import functional
from torch.optim import lr_scheduler

ACTIVATIONS = {
    "relu": functional.relu,
    "leaky_relu": lambda z: functional.leaky_relu(z, 0.01),
    "tanh": torch.tanh,
    "gelu": functional.gelu,
}


def outputs(spec, classes):
    """Number of logits."""
    return classes if spec["loss"]["kind"] == "cross_entropy" else 1


class Net(torch.nn.Module):
    """The MLP, its tensors given as [(weight, bias), ...]; dropout masks come from outside."""

    def __init__(self, spec, tensors, dtype):
        super().__init__()
        self.activation = ACTIVATIONS[spec["model"]["activation"]]
        parameter = lambda t: torch.nn.Parameter(torch.as_tensor(t).to(dtype).clone())
        self.weights = torch.nn.ParameterList([parameter(w) for w, _ in tensors])
        self.biases = torch.nn.ParameterList([parameter(b) for _, b in tensors])

    def forward(self, x, masks=None):
        """x: (B, inputs) -> logits (B, outputs).  masks: per hidden layer (B, width) factors."""
        last = len(self.weights) - 1
        for l, (w, b) in enumerate(zip(self.weights, self.biases)):
            x = functional.linear(x, w, b)
            if l < last:
                x = self.activation(x)
                if masks is not None:
                    x = x * masks[l].to(x.dtype)
        return x

    def tensors(self):
        """weight, bias, weight, bias, ... in the order of the layers."""
        return [t for pair in zip(self.weights, self.biases) for t in pair]


def loss_function(spec, dtype):
    """loss(logits (B, outputs), labels (B) int64, weights of the images (B) or None) -> the batch's
    loss.  Cross-entropy knows no weight per sample in PyTorch: there each sample's loss is
    multiplied by its weight, and the batch is divided as without weights."""
    loss = spec["loss"]
    weights = loss.get("class_weight") or []
    weight = torch.tensor(weights, dtype=dtype) if weights else None

    def per_sample(y, w):
        if weight is None:
            return w
        return weight[y] if w is None else weight[y] * w

    if loss["kind"] == "bce":
        return lambda z, y, w=None: functional.binary_cross_entropy(
            torch.sigmoid(z[:, 0]), y.to(dtype), weight=per_sample(y, w))
    if loss["kind"] == "bce_with_logits":
        pos = torch.tensor(loss["pos_weight"], dtype=dtype) if "pos_weight" in loss else None
        return lambda z, y, w=None: functional.binary_cross_entropy_with_logits(
            z[:, 0], y.to(dtype), weight=per_sample(y, w), pos_weight=pos)
    smoothing = loss.get("label_smoothing", 0.0)

    def cross_entropy(z, y, w=None):
        if w is None:
            return functional.cross_entropy(z, y, weight=weight, label_smoothing=smoothing)
        each = functional.cross_entropy(z, y, weight=weight, label_smoothing=smoothing,
                                        reduction="none")
        return (each * w).sum() / (len(y) if weight is None else weight[y].sum())

    return cross_entropy


def make_optimizer(spec, parameters):
    o = spec["optimizer"]
    common = {"lr": o["lr"], "weight_decay": o["weight_decay"]}
    if o["kind"] == "sgd":
        return torch.optim.SGD(parameters, momentum=o["momentum"], dampening=o["dampening"],
                               nesterov=o["nesterov"], **common)
    kind = torch.optim.AdamW if o["kind"] == "adamw" else torch.optim.Adam
    return kind(parameters, betas=tuple(o["betas"]), eps=o["eps"], **common)


def whole_intervals(epochs, per_epoch):
    return math.floor(epochs * per_epoch + 0.5)


class Scheduler:
    """torch's scheduler of a specification, stepped once per optimizer step or per epoch.

    Durations in epochs are compiled to whole steps as bioptic does; beyond the end of a one-cycle
    schedule (where torch raises) the last value stays.
    """

    def __init__(self, spec, optimizer, steps_per_epoch, epochs):
        self.optimizer = optimizer
        self.steps_per_epoch = steps_per_epoch
        s = spec["scheduler"]
        self.by_step = s["interval"] == "step"
        per_epoch = steps_per_epoch if self.by_step else 1
        self.warmup = whole_intervals(s.get("warmup", 0), per_epoch)
        duration = s.get("duration", 0)
        total = whole_intervals(duration, per_epoch) if duration else (
            per_epoch * epochs - self.warmup)
        self.stops_at = total - 1 + self.warmup if s["kind"] == "one_cycle" else None
        self.intervals = 0
        self.finished_steps = 0
        self.plateau = None
        # The main schedule is made before the warm-up, so that initial_lr, where the warm-up ends, is
        # the main schedule's where it brings its own (one-cycle; for cyclic this order matters).
        plateau = s["kind"] == "plateau"
        main = None if plateau else self._main(s, optimizer, per_epoch, total)
        warm = None
        if self.warmup:
            warm = lr_scheduler.LinearLR(optimizer, start_factor=s["warmup_start"],
                                         total_iters=self.warmup)
        if plateau:
            # SequentialLR does not take ReduceLROnPlateau, so the two are stepped in turn here.
            self.plateau = lr_scheduler.ReduceLROnPlateau(
                optimizer, mode="min" if s["metric"] == "val_loss" else "max", factor=s["factor"],
                patience=s["patience"], threshold=s["threshold"], threshold_mode="rel",
                cooldown=s["cooldown"], min_lr=s["min_lr"])
            self.scheduler = warm
            self.stops_at = self.warmup
            return
        self.scheduler = main if warm is None else lr_scheduler.SequentialLR(
            optimizer, [warm, main], milestones=[self.warmup])

    @staticmethod
    def _main(s, optimizer, per_epoch, total):
        kind = s["kind"]
        whole = lambda key: whole_intervals(s[key], per_epoch)
        cycled = lambda: {
            "cycle_momentum": s["cycle_momentum"],
            **({"base_momentum": s["momentum"][0], "max_momentum": s["momentum"][1]}
               if s["cycle_momentum"] else {})}
        if kind == "constant":
            return lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
        if kind == "step":
            return lr_scheduler.StepLR(optimizer, whole("step_size"), s["gamma"])
        if kind == "multistep":
            milestones = [whole_intervals(m, per_epoch) for m in s["milestones"]]
            return lr_scheduler.MultiStepLR(optimizer, milestones, s["gamma"])
        if kind == "exponential":
            return lr_scheduler.ExponentialLR(optimizer, s["gamma"])
        if kind == "linear":
            return lr_scheduler.LinearLR(optimizer, s["start_factor"], s["end_factor"], total)
        if kind == "polynomial":
            return lr_scheduler.PolynomialLR(optimizer, total, s["power"])
        if kind == "cosine":
            return lr_scheduler.CosineAnnealingLR(optimizer, total, s["eta_min"])
        if kind == "cosine_restarts":
            return lr_scheduler.CosineAnnealingWarmRestarts(optimizer, whole("t_0"), s["t_mult"],
                                                            s["eta_min"])
        if kind == "one_cycle":
            return lr_scheduler.OneCycleLR(
                optimizer, s["max_lr"], total_steps=total, pct_start=s["pct_start"],
                anneal_strategy="cos" if s["anneal"] == "cosine" else "linear",
                div_factor=s["div_factor"], final_div_factor=s["final_div_factor"],
                three_phase=s["three_phase"], **cycled())
        if kind == "cyclic":
            return lr_scheduler.CyclicLR(
                optimizer, s["base_lr"], s["max_lr"], step_size_up=whole("up"),
                step_size_down=whole("down") if s["down"] else None, mode=s["mode"],
                gamma=s.get("gamma", 1.0), **cycled())
        raise ValueError(f"unknown scheduler {kind}")

    def lr(self):
        return float(self.optimizer.param_groups[0]["lr"])

    def momentum(self):
        """Momentum (SGD) or beta1 (Adam, AdamW) of the coming step."""
        group = self.optimizer.param_groups[0]
        return float(group["betas"][0] if "betas" in group else group["momentum"])

    def after_step(self, watched=None):
        """Once per optimizer step.  watched: validation metric, read at the end of an epoch."""
        self.finished_steps += 1
        end_of_epoch = self.finished_steps % self.steps_per_epoch == 0
        if self.by_step or end_of_epoch:
            self.intervals += 1
            if self.scheduler is not None and (self.stops_at is None
                                               or self.intervals <= self.stops_at):
                self.scheduler.step()
        if end_of_epoch and self.plateau is not None:
            self.plateau.step(watched)
