"""Prints what timm computes for hashed weights and images (hashed_weights.py): a JSON list of logits for each NAME:SIZE.

    python test/parity/timm_logits.py GAIN CLASSES BATCH NAME:SIZE...     (needs torch, timm and numpy)
"""
import json
import sys

import torch
from hashed_weights import hashed_images, hashed_state_dict
from networks import build

torch.set_num_threads(1)  # more threads on busy cores wait for one another
gain, classes, batch, *cases = sys.argv[1:]
results = []
for case in cases:
    name, size = case.split(":")
    model = build(name, int(classes))
    model.load_state_dict(hashed_state_dict(model, float(gain)), strict=True)
    model.eval()
    with torch.no_grad():
        results.append(model(hashed_images(int(batch), int(size))).flatten().tolist())
json.dump(results, sys.stdout)
