"""Python TensorFlow: the whole step as one `tf.function` over a Keras network. Run as `python tensorflow_peer.py JOB`."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import peer
import tensorflow as tf
from keras_networks import build

case = peer.case
tf.config.threading.set_intra_op_parallelism_threads(peer.job["threads"])
tf.config.threading.set_inter_op_parallelism_threads(peer.job["threads"])
fused = peer.job["contender"] == "tf-function"
model = build(case["network"], case["classes"], case["inputSize"], peer.load_weights(), fused)
images, soft_labels = map(tf.constant, peer.load_batch())
optimizer = keras.optimizers.SGD(peer.job["learningRate"], momentum=peer.job["momentum"])
optimizer.build(model.trainable_variables)


@tf.function
def train(images, soft_labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(soft_labels, logits))
    optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
    return loss


@tf.function
def predict(images, unused_soft_labels):
    return model(images, training=False)


step = train if case["mode"] == "training" else predict
version = f"TensorFlow {tf.__version__}, Keras {keras.__version__}"
peer.serve(version, lambda: step(images, soft_labels), lambda t: t.numpy())
