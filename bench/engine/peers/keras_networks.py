"""The student networks in Keras with weights in PyTorch's layout, on Keras' own batch norm or on TensorFlow's fused one."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers

LAYOUTS = {"resnet18": ("basic", (2, 2, 2, 2)), "resnet50": ("bottleneck", (3, 4, 6, 3))}
EPSILON = 1e-5


class FusedBatchNormalization(layers.BatchNormalization):
    """TensorFlow's fused op, which Keras 3 no longer calls; the running averages are the op's too, as in the trainer."""

    def call(self, inputs, training=None, mask=None):
        statistics = [self.moving_mean.value, self.moving_variance.value]
        y, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma.value, self.beta.value, *statistics, epsilon=self.epsilon,
            is_training=bool(training), exponential_avg_factor=1 - self.momentum if training else 1.0,
        )
        if training:
            self.moving_mean.assign(mean)
            self.moving_variance.assign(variance)
        return y


def build(name, classes, size, weights, fused):
    """The network with `weights` (PyTorch's layout, by timm's names)."""
    if name in LAYOUTS:
        model = resnet(*LAYOUTS[name], classes, size)
    elif name == "tf_mobilenetv3_large_100":
        model = keras.applications.MobileNetV3Large(
            input_shape=(size, size, 3), alpha=1.0, weights=None, classes=classes, dropout_rate=0.0,
            classifier_activation=None, include_preprocessing=False,
        )
    else:
        raise SystemExit(f"There is no {name} in Keras.")
    if fused:
        model = keras.models.clone_model(model, clone_function=fuse)
    take_over(model, name in LAYOUTS, weights)
    return model


def fuse(layer):
    kind = FusedBatchNormalization if isinstance(layer, layers.BatchNormalization) else type(layer)
    return kind.from_config(layer.get_config())


def resnet(block, counts, classes, size):
    """timm's ResNet: 7x7 stem, stride on the 3x3, symmetric padding, bias-free convolutions."""

    def conv_norm(x, conv, bn, channels, kernel, stride):
        if kernel > 1 and stride > 1:
            x = layers.ZeroPadding2D(kernel // 2)(x)
        padding = "valid" if kernel > 1 and stride > 1 else "same"
        x = layers.Conv2D(channels, kernel, stride, padding, use_bias=False, name=conv)(x)
        return layers.BatchNormalization(momentum=0.9, epsilon=EPSILON, name=bn)(x)

    inputs = x = keras.Input((size, size, 3))
    x = layers.ReLU()(conv_norm(x, "conv1", "bn1", 64, 7, 2))
    x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))
    expansion = 4 if block == "bottleneck" else 1
    for stage, count in enumerate(counts):
        planes = 64 * 2**stage
        for index in range(count):
            name = f"layer{stage + 1}.{index}"
            stride = 2 if stage > 0 and index == 0 else 1
            kernels = ((1, 1), (3, stride), (1, 1)) if block == "bottleneck" else ((3, stride), (3, 1))
            residual = x
            for i, (kernel, step) in enumerate(kernels):
                last = i == len(kernels) - 1
                channels = planes * expansion if last else planes
                x = conv_norm(x, f"{name}.conv{i + 1}", f"{name}.bn{i + 1}", channels, kernel, step)
                x = x if last else layers.ReLU()(x)
            if residual.shape[-1] != x.shape[-1] or stride > 1:
                names = f"{name}.downsample.0", f"{name}.downsample.1"
                residual = conv_norm(residual, *names, planes * expansion, 1, stride)
            x = layers.ReLU()(layers.Add()([x, residual]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, name="fc")(x))


def take_over(model, by_name, weights):
    """Gives each layer the weights of its name or, where Keras has names of its own, of its place among its kind."""
    modules = list(dict.fromkeys(name.rpartition(".")[0] for name in weights))
    norms = [module for module in modules if f"{module}.running_mean" in weights]
    others = [module for module in modules if module not in norms]
    places = {True: iter(norms), False: iter(others)}
    for layer in model.layers:
        if layer.weights:
            is_norm = isinstance(layer, layers.BatchNormalization)
            module = layer.name if by_name else next(places[is_norm])
            parts = ("weight", "bias", "running_mean", "running_var") if is_norm else ("weight", "bias")
            arrays = [weights[f"{module}.{part}"] for part in parts if f"{module}.{part}" in weights]
            layer.set_weights([arrange(array, w.shape, layer) for array, w in zip(arrays, layer.weights, strict=True)])


def arrange(array, shape, layer):
    """PyTorch's layout to Keras': OIHW to HWIO, [C, 1, H, W] to [H, W, C, 1], [out, in] to [in, out]."""
    if array.ndim == 4:
        return np.transpose(array, (2, 3, 0, 1) if isinstance(layer, layers.DepthwiseConv2D) else (2, 3, 1, 0))
    # A classifier is a dense layer here and a 1x1 convolution there.
    return array.T.reshape(shape) if array.ndim == 2 else array
