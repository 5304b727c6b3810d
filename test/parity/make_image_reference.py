"""Prints what torchvision and Pillow make of small pictures, as JSON: test/data/image-reference.json holds the result.

python make_image_reference.py > ../data/image-reference.json
"""

import base64
import io
import json

import numpy as np
from PIL import Image
from torchvision.transforms import functional as F

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
# Every so many values are kept.
STRIDE = 97


def pattern(width, height, channels):
    """patternPixels of test/support/image-folder.ts."""
    y, x, k = np.mgrid[0:height, 0:width, 0:channels]
    values = (x * 7 + y * 13 + k * 41 + ((x * y) % 17) * 9) % 256
    return values.astype(np.uint8)


def smooth(width, height):
    """A picture as JPEG files are made for."""
    y, x, k = np.mgrid[0:height, 0:width, 0:3]
    waves = np.sin(x / 9 + k) * 50 + np.cos(y / 7 - k) * 50 + ((x // 16 + y // 12) % 2) * 40 + 100
    return waves.clip(0, 255).astype(np.uint8)


def picture(width, height, channels=3):
    values = pattern(width, height, channels)
    return Image.fromarray(values[..., 0] if channels == 1 else values, "L" if channels == 1 else "RGB").convert("RGB")


def kept(image):
    return np.asarray(image).reshape(-1)[::STRIDE].tolist()


MODES = {"bilinear": F.InterpolationMode.BILINEAR, "bicubic": F.InterpolationMode.BICUBIC}
centre, crops = [], []
for width, height, channels, size, shorter, mode in [
    (97, 61, 3, 32, 36, "bilinear"),
    (61, 97, 3, 48, 54, "bilinear"),
    (120, 90, 1, 32, 36, "bilinear"),
    (20, 30, 3, 32, 36, "bilinear"),
    (97, 61, 3, 32, 36, "bicubic"),
    (20, 30, 3, 48, 54, "bicubic"),
    (97, 61, 3, 40, 43, "bicubic"),
]:
    image = F.center_crop(F.resize(picture(width, height, channels), shorter, MODES[mode]), size)
    centre.append(
        {
            "width": width,
            "height": height,
            "channels": channels,
            "inputSize": size,
            "shorter": shorter,
            "interpolation": mode,
            "values": kept(image),
        }
    )
for width, height, channels, box, size, flip, mode in [
    (97, 61, 3, (5, 7, 60, 40), 32, False, "bilinear"),
    (97, 61, 3, (5, 7, 60, 40), 32, True, "bilinear"),
    (97, 61, 1, (30, 0, 20, 61), 24, True, "bilinear"),
    (97, 61, 3, (90, 3, 7, 5), 24, False, "bilinear"),
    (97, 61, 3, (5, 7, 60, 40), 32, True, "bicubic"),
    (97, 61, 3, (0, 0, 97, 61), 20, False, "bicubic"),
]:
    x, y, w, h = box
    image = F.resized_crop(picture(width, height, channels), y, x, h, w, [size, size], MODES[mode])
    image = F.hflip(image) if flip else image
    crops.append(
        {
            "width": width,
            "height": height,
            "channels": channels,
            "box": {"x": x, "y": y, "width": w, "height": h},
            "inputSize": size,
            "flip": flip,
            "interpolation": mode,
            "values": kept(image),
        }
    )

files = []
cmyk = np.concatenate([smooth(48, 40), smooth(48, 40)[..., :1] // 2], axis=2)
for name, image, options in [
    ("colour, half resolution", Image.fromarray(smooth(83, 61)), {"quality": 85}),
    ("colour, full resolution", Image.fromarray(smooth(83, 61)), {"quality": 85, "subsampling": 0}),
    ("colour, half resolution across", Image.fromarray(smooth(83, 61)), {"quality": 85, "subsampling": 1}),
    ("restart markers", Image.fromarray(smooth(83, 61)), {"quality": 85, "restart_marker_blocks": 3}),
    ("progressive", Image.fromarray(smooth(83, 61)), {"quality": 85, "progressive": True}),
    ("grey", Image.fromarray(smooth(83, 61)[..., 0]), {"quality": 85}),
    ("CMYK", Image.fromarray(cmyk, "CMYK"), {"quality": 85}),
]:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    decoded = Image.open(io.BytesIO(file.getvalue())).convert("RGB")
    files.append({"name": name, "jpeg": base64.b64encode(file.getvalue()).decode(), "values": kept(decoded)})

bytes_of = np.array([[[0, 64, 128]], [[255, 200, 7]]], dtype=np.uint8)
normalised = F.normalize(F.to_tensor(Image.fromarray(bytes_of)), MEAN, STD).permute(1, 2, 0).reshape(-1)
print(
    json.dumps(
        {
            "stride": STRIDE,
            "centre": centre,
            "crops": crops,
            "files": files,
            "normalised": {"bytes": bytes_of.reshape(-1).tolist(), "values": normalised.tolist()},
        }
    )
)
