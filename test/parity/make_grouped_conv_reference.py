"""Writes test/engine/grouped-conv-reference.json: PyTorch's grouped convolution of hashed arrays, and its gradients.

    python test/parity/make_grouped_conv_reference.py > test/engine/grouped-conv-reference.json      (needs torch and numpy)

For each case `x`, `filter` and the output's weights are hashed with streams 1, 2 and 3 in PyTorch's layouts; `loss` is the
weighted sum of the output. Sums are over products with arrays hashed with streams 4 and 5, so that each element counts.
"""
import json
import sys

import torch
from hashed_weights import hashed

# Groups, inputs and outputs of each, size, stride.
CASES = [(4, 2, 4, 7, 1), (4, 2, 4, 7, 2), (4, 2, 4, 8, 2), (8, 16, 32, 6, 2), (6, 1, 3, 5, 1)]


def array(stream, *shape):
    count = torch.Size(shape).numel()
    return torch.from_numpy(hashed(count, stream)).reshape(shape)


def describe(groups, inputs, outputs, size, stride):
    x = array(1, 2, groups * inputs, size, size).requires_grad_()
    weight = array(2, groups * outputs, inputs, 3, 3).requires_grad_()
    y = torch.nn.functional.conv2d(x, weight, stride=stride, padding=1, groups=groups)
    loss = (y * array(3, *y.shape)).sum()
    loss.backward()
    return {
        "groups": groups,
        "inputs": inputs,
        "outputs": outputs,
        "size": size,
        "stride": stride,
        "outputSize": y.shape[2],
        "loss": loss.item(),
        "firstPixel": y[0, :8, 0, 0].tolist(),
        "imageGradient": (x.grad * array(4, *x.shape)).sum().item(),
        "filterGradient": (weight.grad * array(5, *weight.shape)).sum().item(),
    }


json.dump([describe(*case) for case in CASES], sys.stdout, indent=2)
