"""Writes test/models/reference.json: what timm and PyTorch compute for hashed weights, for tests that run without them.

    python test/parity/make_reference.py > test/models/reference.json      (needs torch, timm and numpy)
"""
import json
import sys

import timm
import torch
from hashed_weights import hashed_images, hashed_state_dict
from networks import build

# Even and odd sizes: there the two paddings differ, and there they agree.
CASES = [
    ("resnet18_w8", 32, 4),
    ("resnet18_w16", 37, 3),
    ("resnet34_w8", 64, 2),
    ("resnet50_w8", 48, 3),
    ("resnet17s_w8", 45, 3),
    ("senet19_w8", 37, 4),
    ("senet19_w8", 64, 2),
    ("tf_efficientnet_b0_w8", 48, 3),
    ("efficientnet_b0_w8", 37, 3),
    ("tf_mobilenetv3_small_025", 37, 4),
    ("mobilenetv3_small_025", 48, 4),
    ("tf_mobilenetv3_large_025", 64, 3),
    ("mobilenetv3_large_025", 45, 3),
]
CLASSES = 7
STEPS = 3

torch.set_num_threads(1)  # more threads on busy cores wait for one another


def describe(name, size, batch):
    model = build(name, CLASSES)
    model.load_state_dict(hashed_state_dict(model), strict=True)
    images = hashed_images(batch, size)
    model.double()  # the reference is exact to float32; ours is compared with it
    model.eval()
    with torch.no_grad():
        evaluated = model(images.double())
    model.train()
    trained = model(images.double())
    labels = torch.arange(batch) % CLASSES
    torch.nn.functional.cross_entropy(trained, labels).backward()
    # Sum and norm of each, in the order of the keys.
    gradients = [[p.grad.sum().item(), p.grad.norm().item()] for p in model.parameters()]
    for _ in range(STEPS - 1):
        model(images.double())
    buffers = [[b.sum().item(), b.norm().item()] for b in model.buffers() if b.ndim == 1]
    return {
        "name": name,
        "size": size,
        "batch": batch,
        "keys": list(model.state_dict()),
        "parameters": sum(p.numel() for p in model.parameters()),
        "evalLogits": evaluated.flatten().tolist(),
        "trainLogits": trained.flatten().tolist(),
        "gradients": gradients,
        "buffers": buffers,
    }


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.8g}")
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return {k: rounded(v) for k, v in value.items()} if isinstance(value, dict) else value


cases = [rounded(describe(*case)) for case in CASES]
made_with = f"timm {timm.__version__}, torch {torch.__version__}"
json.dump({"madeWith": made_with, "classes": CLASSES, "steps": STEPS, "cases": cases}, sys.stdout, separators=(",", ":"))
