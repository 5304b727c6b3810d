"""timm's networks behind Mealtable's names of EfficientNets and MobileNetV3s, the narrow ones among them."""
import timm


def build(name, num_classes):
    """timm has no registered name for the narrow ones, but builds them with the functions behind its names."""
    like_tensorflow = {"bn_eps": 1e-3, "pad_type": "same"} if name.startswith("tf_") else {}
    if name.endswith("efficientnet_b0_w8"):
        multipliers = {"channel_multiplier": 0.25, "depth_multiplier": 0.5}
        generate = timm.models.efficientnet._gen_efficientnet
        return generate(name.removesuffix("_w8"), **multipliers, num_classes=num_classes, **like_tensorflow)
    if name.endswith("_025"):
        generate = timm.models.mobilenetv3._gen_mobilenet_v3
        registered = name.replace("_025", "_100")
        return generate(registered, channel_multiplier=0.25, num_classes=num_classes, **like_tensorflow)
    return timm.create_model(name, num_classes=num_classes)
