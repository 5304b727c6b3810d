"""Writes test/optim/optimizer-reference.json: weights after steps of PyTorch's SGD and AdamW, in float64.

    python test/parity/make_optimizer_reference.py > test/optim/optimizer-reference.json      (needs torch)

Element i of parameter p starts at ((5 i + 3 p) mod 7 - 3) / 4; its gradient in step t = 0, 1, ... is
((7 i + 3 t + p) mod 11 - 5) / 8. Decay "kernels" leaves out parameters of one axis; the parameters of "discriminator." have a
learning rate of their own.
"""
import json
import sys

import torch

SHAPES = {"network.weight": (2, 3), "network.bias": (3,), "discriminator.weight": (3, 2)}
RATES = [0.1, 0.1, 0.1, 0.02, 0.02, 0.02, 0.02, 0.02]
FACTOR = 0.25
OPTIMIZERS = {
    "sgd": lambda groups: torch.optim.SGD(groups, momentum=0.9),
    "adamw": lambda groups: torch.optim.AdamW(groups, betas=(0.8, 0.99), eps=1e-3),
}


def pattern(shape, factor, shift, modulus, scale):
    count = torch.Size(shape).numel()
    values = [((factor * i + shift) % modulus - modulus // 2) / scale for i in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def train(make, weight_decay, decayed):
    parameters = {
        name: pattern(shape, 5, 3 * p, 7, 4).requires_grad_() for p, (name, shape) in enumerate(SHAPES.items())
    }
    factors = {name: FACTOR if name.startswith("discriminator.") else 1 for name in SHAPES}
    groups = [
        {
            "params": [parameter],
            "lr": 1.0,
            "weight_decay": weight_decay if decayed == "all" or parameter.ndim > 1 else 0,
        }
        for parameter in parameters.values()
    ]
    optimizer = make(groups)
    for t, rate in enumerate(RATES):
        for p, (name, parameter) in enumerate(parameters.items()):
            parameter.grad = pattern(SHAPES[name], 7, 3 * t + p, 11, 8)
            optimizer.param_groups[p]["lr"] = rate * factors[name]
        optimizer.step()
    return {name: parameter.detach().flatten().tolist() for name, parameter in parameters.items()}


def main():
    cases = [
        {"optimizer": name, "weightDecay": decay, "decayed": decayed, "weights": train(make, decay, decayed)}
        for name, make in OPTIMIZERS.items()
        for decay, decayed in [(0, "all"), (0.1, "all"), (0.1, "kernels")]
    ]
    json.dump({"torch": torch.__version__.split("+")[0], "rates": RATES, "factor": FACTOR, "cases": cases}, sys.stdout, indent=1)
    print()


main()
