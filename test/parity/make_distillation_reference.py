"""Writes test/distill/trajectory.json: thirty steps of the whole method in PyTorch, in float64, for a test that runs without it.

    python test/parity/make_distillation_reference.py > test/distill/trajectory.json      (needs torch, timm and numpy)

Two teachers, student with batch norm in training, discriminator, one SGD with momentum for both and a learning-rate drop. Written from
the description of MEAL V2 (arXiv 2009.08453) and of each choice in docs/method.md; weights and images are hashed (hashed_weights.py).
"""
import json
import sys

import numpy as np
import timm
import torch
from hashed_weights import hashed, hashed_state_dict
from networks import build
from torch.nn import functional as F

torch.set_num_threads(1)
# An EfficientNet for student: its activations have no kink, at which rounding would send float32 and float64 different ways.
STUDENT, TEACHERS = "efficientnet_b0_w8", ["resnet18_w8", "resnet34_w8"]
CLASSES, BATCH, BLOCKS, SIZE, STEPS = 60, 8, 4, 64, 30
RATE, DROP_AT, DROP, MOMENTUM = 0.005, 20, 0.1, 0.9
# Of the hashed weights: logits between which the softmaxes are still undecided, and a discriminator whose outputs are not both dead.
GAIN, DISCRIMINATOR_GAIN = 12, 24
# Streams of the images, apart from those of the weights.
FIRST_IMAGE_STREAM = 1000

MEAL_V2 = {
    "ensemble": "mean-probability",
    "teacherWeights": [1, 1],
    "temperature": 1,
    "hardLabelWeight": 0,
    "labelSmoothing": 0,
    "discriminator": {"gradient": "cooperative", "learningRateFactor": 1, "finalRelu": True, "inputs": "logits"},
}
OTHERWISE = {
    "ensemble": "mean-logit",
    "teacherWeights": [3, 1],
    "temperature": 2,
    "hardLabelWeight": 0.3,
    "labelSmoothing": 0.1,
    "discriminator": {"gradient": "reversal", "learningRateFactor": 0.1, "finalRelu": False, "inputs": "probabilities"},
}


class Reversed(torch.autograd.Function):
    """The identity, whose gradient is turned round."""

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return -gradient


class Discriminator(torch.nn.Module):
    def __init__(self, final_relu):
        super().__init__()
        self.final_relu = final_relu
        # Below 64 classes each layer has half the width of the one before.
        widths = [CLASSES, CLASSES // 2, CLASSES // 4, 2]
        self.fc1, self.fc2, self.fc3 = (torch.nn.Linear(a, b) for a, b in zip(widths, widths[1:]))

    def forward(self, x):
        x = self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))
        return F.relu(x) if self.final_relu else x


def make(network, gain):
    network.load_state_dict(hashed_state_dict(network, gain), strict=True)
    return network.double()


def batch_of(step):
    """Images of BLOCKS x BLOCKS coloured squares: the networks tell them apart, unlike noise, whose differences only rounding sees."""
    values = hashed(BATCH * BLOCKS * BLOCKS * 3, FIRST_IMAGE_STREAM + step).astype(np.float32) * 4
    squares = torch.from_numpy(values).reshape(BATCH, BLOCKS, BLOCKS, 3).permute(0, 3, 1, 2)
    images = F.interpolate(squares, size=SIZE, mode="nearest")
    return images.double(), (torch.arange(BATCH) + step) % CLASSES


def percent(hits):
    return 100 * hits.double().mean().item()


def play(method):
    choice = method["discriminator"]
    student, teachers = make(build(STUDENT, CLASSES), GAIN), [make(build(name, CLASSES), GAIN).eval() for name in TEACHERS]
    discriminator = make(Discriminator(choice["finalRelu"]), DISCRIMINATOR_GAIN)
    groups = [
        {"params": student.parameters(), "factor": 1},
        {"params": discriminator.parameters(), "factor": choice["learningRateFactor"]},
    ]
    optimizer = torch.optim.SGD(groups, lr=RATE, momentum=MOMENTUM)
    temperature, hard_weight = method["temperature"], method["hardLabelWeight"]
    shares = torch.tensor(method["teacherWeights"], dtype=torch.float64)
    shares = (shares / shares.sum()).reshape(-1, 1, 1)
    turn = {"cooperative": lambda x: x, "reversal": Reversed.apply, "detached": torch.Tensor.detach}[choice["gradient"]]
    sides = torch.tensor([0] * BATCH + [1] * BATCH)
    student.train()
    steps = []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (DROP if step >= DROP_AT else 1) * group["factor"]
        images, labels = batch_of(step)
        with torch.no_grad():
            taught = torch.stack([teacher(images) for teacher in teachers])
            mean = (shares * taught).sum(0)
            if method["ensemble"] == "mean-logit":
                target = F.softmax(mean / temperature, dim=1)
            else:
                target = (shares * F.softmax(taught / temperature, dim=2)).sum(0)
        logits = student(images)
        similarity = temperature**2 * F.cross_entropy(logits / temperature, target)
        hard = F.cross_entropy(logits, labels, label_smoothing=method["labelSmoothing"])
        if choice["inputs"] == "logits":
            rows = torch.cat([turn(logits), mean])
        else:
            rows = torch.cat([turn(F.softmax(logits / temperature, dim=1)), target])
        outputs = discriminator(rows)
        discrimination = F.binary_cross_entropy_with_logits(outputs, F.one_hot(sides, 2).double())
        loss = (1 - hard_weight) * similarity + hard_weight * hard + discrimination
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found, wanted = logits.argmax(1), target.argmax(1)
        steps.append(
            {
                "loss": loss.item(),
                "similarity_loss": similarity.item(),
                "discriminator_loss": discrimination.item(),
                "hard_label_loss": hard.item(),
                "top1": percent(found == labels),
                "teacher_agreement": percent(found == wanted),
                "ensemble_top1": percent(wanted == labels),
                "discriminator_accuracy": percent(outputs.argmax(1) == sides),
                # Of outputs behind a ReLU: those that are 0 for every row.
                **({"discriminator_dead_outputs": percent(outputs.amax(0) <= 0)} if choice["finalRelu"] else {}),
            }
        )
    tensors = [("network", student.state_dict()), ("discriminator", discriminator.state_dict())]
    norms = {f"{of}.{name}": t.norm().item() for of, state in tensors for name, t in state.items() if t.ndim > 0}
    return {"method": method, "steps": steps, "norms": norms}


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.8g}")
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return {k: rounded(v) for k, v in value.items()} if isinstance(value, dict) else value


made = {
    "madeWith": f"timm {timm.__version__}, torch {torch.__version__}",
    "student": STUDENT,
    "teachers": TEACHERS,
    "classes": CLASSES,
    "batch": BATCH,
    "blocks": BLOCKS,
    "size": SIZE,
    "rate": RATE,
    "dropAt": DROP_AT,
    "drop": DROP,
    "momentum": MOMENTUM,
    "gain": GAIN,
    "discriminatorGain": DISCRIMINATOR_GAIN,
    "firstImageStream": FIRST_IMAGE_STREAM,
    "trajectories": {name: play(method) for name, method in [("MEAL V2", MEAL_V2), ("other choices", OTHERWISE)]},
}
json.dump(rounded(made), sys.stdout, separators=(",", ":"))
