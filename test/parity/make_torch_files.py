"""Writes small PyTorch checkpoints of every kind that the reader knows, and what is in them, into the folder given.

python test/parity/make_torch_files.py test/weights/torch-files
"""

import argparse
import json
import pathlib
import sys
from collections import OrderedDict

import torch

folder = pathlib.Path(sys.argv[1])


def numbers(*shape):
    """Multiples of 1/64 between -2 and 2: every floating-point type holds them exactly."""
    count = torch.Size(shape).numel()
    return ((torch.arange(count) * 37 % 255 - 127).to(torch.float32) / 64).reshape(shape)


def state_dict():
    grid = numbers(4, 6)
    return OrderedDict(
        [
            ("conv.weight", numbers(2, 3, 1, 2)),
            ("bn.num_batches_tracked", torch.tensor(7)),
            ("half", numbers(5).half()),
            ("brain", numbers(5).bfloat16()),
            ("double", numbers(3).double()),
            ("whole", torch.tensor([-5, 6], dtype=torch.int32)),
            ("short", torch.tensor([-300, 300], dtype=torch.int16)),
            ("tiny", torch.tensor([-3, 3], dtype=torch.int8)),
            ("byte", torch.tensor([0, 255], dtype=torch.uint8)),
            ("flag", torch.tensor([True, False])),
            ("empty", torch.zeros(0, 4)),
            ("transposed", grid.t()),
            ("sliced", grid[1:3, ::2]),
            ("channels_last", numbers(1, 2, 2, 3).contiguous(memory_format=torch.channels_last)),
            ("parameter", torch.nn.Parameter(numbers(2, 2))),
        ]
    )


def with_prefix(tensors):
    return OrderedDict((f"module.{name}", tensor) for name, tensor in tensors.items())


def network():
    """A state dict as modules give it, with the versions that they note beside it."""
    return torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), torch.nn.BatchNorm2d(2)).state_dict()


def describe(tensors):
    kinds = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64", torch.int32: "I32", torch.uint8: "U8"}
    widened = {torch.float16: torch.float32, torch.bfloat16: torch.float32, torch.int16: torch.int32}
    widened |= {torch.int8: torch.int32, torch.bool: torch.uint8}
    described = {}
    for name, tensor in tensors.items():
        wide = tensor.detach().to(widened.get(tensor.dtype, tensor.dtype))
        described[name] = [kinds[wide.dtype], list(wide.shape), wide.flatten().tolist()]
    return described


tensors = state_dict()
wrapped = {"epoch": 3, "arch": "resnet50", "best": 80.67, "state_dict": tensors, "optimizer": {"lr": [0.1, None, True]}}
legacy = {"_use_new_zipfile_serialization": False}
torch.save(tensors, folder / "zip.pth")
torch.save(with_prefix(tensors), folder / "legacy.pth", **legacy)
torch.save(wrapped, folder / "wrapped.pth")
torch.save({"model": tensors}, folder / "protocol4.pth", pickle_protocol=4)
torch.save(network(), folder / "network.pth")
torch.save({"args": argparse.Namespace(lr=0.1), "state_dict": tensors}, folder / "refused.pth")
(folder / "expected.json").write_text(json.dumps(describe(tensors)) + "\n")
