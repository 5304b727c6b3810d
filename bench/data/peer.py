"""Decodes and augments JPEG files with torchvision and Pillow: one line of JSON in, one out.

In: {"recipe": "...", "paths": [...]}.  Out: {"cpuSeconds": s} for all of them, on one thread.
"""

import json
import sys
import time

import PIL
import torch
import torchvision
from PIL import Image
from torchvision import transforms as T

torch.set_num_threads(1)
size = int(sys.argv[1])
crop = [T.RandomResizedCrop(size), T.RandomHorizontalFlip()]
centre = [T.Resize(int(256 / 224 * size)), T.CenterCrop(size)]
numbers = [T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
recipes = {
    "train, bytes": T.Compose([*crop, T.PILToTensor()]),
    "train": T.Compose([*crop, *numbers]),
    "validation, bytes": T.Compose([*centre, T.PILToTensor()]),
    "validation": T.Compose([*centre, *numbers]),
}
print(json.dumps({"torchvision": torchvision.__version__, "pillow": PIL.__version__}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    transform = recipes[request["recipe"]]
    begin = time.process_time()
    for path in request["paths"]:
        with open(path, "rb") as file:
            transform(Image.open(file).convert("RGB"))
    print(json.dumps({"cpuSeconds": time.process_time() - begin}), flush=True)
