"""timm's networks behind Mealtable's names, the narrow ones among them."""
import mobile_networks
import timm
from timm.models.resnet import BasicBlock, Bottleneck, ResNet

NARROW = {
    "resnet18": (BasicBlock, [2, 2, 2, 2], {}),
    "resnet34": (BasicBlock, [3, 4, 6, 3], {}),
    "resnet50": (Bottleneck, [3, 4, 6, 3], {}),
    "resnet17s": (Bottleneck, [1, 2, 1, 1], {"stem_type": "deep"}),
    "senet19": (
        Bottleneck,
        [1, 2, 1, 1],
        {
            "stem_type": "deep",
            "cardinality": 8,
            "base_width": 16,
            "down_kernel_size": 3,
            "block_reduce_first": 2,
            "block_args": {"attn_layer": "se"},
        },
    ),
}


def build(name, num_classes):
    if "efficientnet" in name or "mobilenet" in name:
        return mobile_networks.build(name, num_classes)
    layout, _, width = name.partition("_w")
    if not width:
        return timm.create_model(name, num_classes=num_classes)
    block, layers, options = NARROW[layout]
    w = int(width)
    # Deep stems are narrowed with the rest, plain ones keep their 64 channels.
    stem_width = w if "stem_type" in options else 64
    channels = (w, 2 * w, 4 * w, 8 * w)
    return ResNet(block, layers, num_classes=num_classes, channels=channels, stem_width=stem_width, **options)
