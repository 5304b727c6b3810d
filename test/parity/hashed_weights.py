"""Weights and images that Python and TypeScript compute alike (test/support/hashed-weights.ts is the twin): integer hashes."""
import numpy as np
import torch


def hashed(count, stream):
    """`count` numbers in [-0.5, 0.5): a function of their index and of the stream, without any random generator."""
    h = (np.arange(count, dtype=np.uint64) * 2654435761 + stream * 40503) & 0xFFFFFFFF
    for _ in range(2):
        h = ((h ^ (h >> np.uint64(16))) * 0x45D9F3B) & 0xFFFFFFFF
    return (h ^ (h >> np.uint64(16))).astype(np.float64) / 2**32 - 0.5


def hashed_state_dict(model, gain=24):
    """A state dict for `model`; a key's stream is its place among the keys. With a gain of 24 a filter keeps a ReLU's variance."""
    state = {}
    for stream, (name, tensor) in enumerate(model.state_dict().items(), start=1):
        if name.endswith("num_batches_tracked"):
            state[name] = torch.zeros((), dtype=torch.int64)
            continue
        values = hashed(tensor.numel(), stream)
        if tensor.ndim > 1:
            values = values * np.sqrt(gain / np.prod(tensor.shape[1:]))
        elif name.endswith("running_var") or (name.endswith("weight")):
            values = 1 + 0.5 * values
        state[name] = torch.from_numpy(values.astype(np.float32)).reshape(tensor.shape)
    return state


def hashed_images(batch, size):
    """[batch, 3, size, size], hashed in NHWC order."""
    values = hashed(batch * size * size * 3, 0).astype(np.float32) * 4
    return torch.from_numpy(values).reshape(batch, size, size, 3).permute(0, 3, 1, 2).contiguous()


def build(name, num_classes):
    """The timm network of a Mealtable name such as resnet18_w8."""
    import timm
    from timm.models.resnet import BasicBlock, Bottleneck, ResNet

    layout, _, width = name.partition("_w")
    if not width:
        return timm.create_model(layout, num_classes=num_classes)
    block, layers = {
        "resnet18": (BasicBlock, [2, 2, 2, 2]),
        "resnet34": (BasicBlock, [3, 4, 6, 3]),
        "resnet50": (Bottleneck, [3, 4, 6, 3]),
    }[layout]
    w = int(width)
    return ResNet(block, layers, num_classes=num_classes, channels=(w, 2 * w, 4 * w, 8 * w))
