"""Prints how timm prepares images for published weights: a JSON list of settings for each ARCH.TAG.

    python test/parity/timm_settings.py ARCH.TAG...     (needs torch and timm)
"""
import json
import sys

import timm

settings = []
for name in sys.argv[1:]:
    cfg = timm.get_pretrained_cfg(name, allow_unregistered=False)
    settings.append(
        {
            "inputSize": cfg.input_size[-1],
            "cropFraction": cfg.crop_pct,
            "interpolation": cfg.interpolation,
            "mean": cfg.mean,
            "std": cfg.std,
        }
    )
json.dump(settings, sys.stdout)
