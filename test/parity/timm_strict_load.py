"""Loads a safetensors file strictly into timm's network of that name and prints its logits.

    python test/parity/timm_strict_load.py NAME CLASSES WEIGHTS.safetensors IMAGES.safetensors     (needs torch, timm, safetensors)

IMAGES holds "images", float32 NHWC. Prints one JSON list of logits, row after row.
"""
import json
import sys

import torch
from networks import build
from safetensors.torch import load_file

name, classes, weights, images = sys.argv[1:]
model = build(name, int(classes))
model.load_state_dict(load_file(weights), strict=True)
model.eval()
with torch.no_grad():
    logits = model(load_file(images)["images"].permute(0, 3, 1, 2).contiguous())
print(json.dumps(logits.flatten().tolist()))
