"""Loads a SavedModel and prints the logits of both its signatures.

    python read_saved_model.py IMAGES.safetensors SAVED_MODEL     (needs tensorflow, safetensors)

IMAGES holds "images", float32 NHWC. Of the signature for bytes it prints how far its logits are, relative to the largest, from
those of the same bytes normalised by hand.
"""
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from safetensors.numpy import load_file

images = load_file(sys.argv[1])["images"]
model = tf.saved_model.load(sys.argv[2])
serve, from_pixels = model.signatures["serving_default"], model.signatures["pixels"]
logits = serve(images=tf.constant(images))["logits"].numpy()

pixels = np.random.default_rng(0).integers(0, 256, images.shape, np.uint8)
with open(os.path.join(sys.argv[2], "model-info.json")) as file:
    settings = json.load(file)["preprocessing"]
normalised = (pixels / 255 - settings["mean"]) / settings["std"]
by_hand = serve(images=tf.constant(normalised, tf.float32))["logits"].numpy()
found = from_pixels(pixels=tf.constant(pixels))["logits"].numpy()
error = np.abs(found - by_hand).max() / np.abs(by_hand).max()
print(json.dumps({"serving_default": logits.flatten().tolist(), "pixels_error": [float(error)]}))
