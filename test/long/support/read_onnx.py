"""Checks an ONNX model and prints its logits by ONNX Runtime, of all images and of the first alone.

    python read_onnx.py IMAGES.safetensors MODEL.onnx     (needs onnx, onnxruntime, safetensors)

IMAGES holds "images", float32 NHWC.
"""
import json
import sys

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

images = np.ascontiguousarray(load_file(sys.argv[1])["images"].transpose(0, 3, 1, 2))
onnx.checker.check_model(sys.argv[2], full_check=True)
session = onnxruntime.InferenceSession(sys.argv[2], providers=["CPUExecutionProvider"])
metadata = session.get_modelmeta().custom_metadata_map
assert json.loads(metadata["mean"]) == [0.485, 0.456, 0.406], metadata
assert session.get_inputs()[0].shape == ["batch", 3, "height", "width"], session.get_inputs()[0].shape


def run(batch):
    return session.run(None, {"images": batch})[0].flatten().tolist()


print(json.dumps({"logits": run(images), "single": run(images[:1])}))
