"""Writes test/models/reference.json: what timm and PyTorch compute for hashed weights, for tests that run without them.

    python test/parity/make_reference.py > test/models/reference.json      (needs torch, timm and numpy)
"""
import json
import sys

import timm
import torch
from hashed_weights import hashed_images, hashed_state_dict
from networks import build

CASES = [
    ("resnet18_w8", 32, 4),
    ("resnet18_w16", 37, 3),
    ("resnet34_w8", 64, 2),
    ("resnet50_w8", 48, 3),
    ("resnet17s_w8", 45, 3),
    ("senet19_w8", 37, 4),
    ("senet19_w8", 64, 2),
]
CLASSES = 7
# After so many forward passes in training the running statistics are noted.
STEPS = 3


def describe(name, size, batch):
    model = build(name, CLASSES)
    model.load_state_dict(hashed_state_dict(model), strict=True)
    images = hashed_images(batch, size)
    model.eval()
    with torch.no_grad():
        evaluated = model(images)
    model.train()
    model.double()  # the reference is exact to float32; ours is compared with it
    trained = model(images.double())
    labels = torch.arange(batch) % CLASSES
    torch.nn.functional.cross_entropy(trained, labels).backward()
    with torch.no_grad():
        for _ in range(STEPS - 1):
            model(images.double())
    gradients = {n: [p.grad.sum().item(), p.grad.norm().item()] for n, p in model.named_parameters()}
    buffers = {n: b.norm().item() for n, b in model.named_buffers() if b.ndim == 1}
    return {
        "name": name,
        "size": size,
        "batch": batch,
        "keys": list(model.state_dict()),
        "parameters": sum(p.numel() for p in model.parameters()),
        "evalLogits": evaluated.flatten().tolist(),
        "trainLogits": trained.flatten().tolist(),
        "gradients": gradients,
        "bufferNorms": buffers,
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
