"""What the Python contenders share: the job they are given and the conversation with the benchmark (bench/engine/job.ts)."""
import json
import os
import sys
import time

import numpy as np
from safetensors.numpy import load_file

job = json.loads(sys.argv[1])
case = job["case"]


def load_weights():
    """Name to array in PyTorch's layout."""
    return load_file(os.path.join(job["folder"], "weights.safetensors"))


def load_batch():
    """Images [N, H, W, C] and soft labels [N, classes], float32."""
    batch = load_file(os.path.join(job["folder"], "batch.safetensors"))
    return batch["images"], batch["soft_labels"]


def soft_cross_entropy(logits, soft_labels):
    """-(1/N) sum q log softmax(s), to compare contenders whose step returns logits."""
    logits = logits.astype(np.float64)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-(soft_labels * log_probabilities).sum() / len(logits))


def serve(version, run, read):
    """
    `run()` does one step; `read(result)` waits for it and returns it as a NumPy array: a loss or logits.
    Returns when the benchmark closes stdin.
    """
    _, soft_labels = load_batch()

    if case["mode"] == "training":
        checks = [float(read(run())) for _ in range(2)]
    else:
        logits = read(run())
        checks = [soft_cross_entropy(logits, soft_labels), float(np.sqrt(np.mean(np.square(logits))))]
    send({"ready": {"version": version, "checks": checks}})
    for line in sys.stdin:
        steps = json.loads(line)["steps"]
        began = time.perf_counter()
        for _ in range(steps):
            result = run()
        read(result)
        send({"seconds": time.perf_counter() - began})


def send(message):
    print(json.dumps(message), flush=True)
