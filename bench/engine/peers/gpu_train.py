"""
PyTorch's side of the GPU benchmark: autocast, channels_last, SGD with momentum. Run as `python gpu_train.py JOB`
(bench/engine/gpu-job.ts); prints {"ready": ...}, then answers each line {"steps": n} on stdin with {"seconds": s}, until stdin
ends. `python gpu_train.py JOB STEPS` measures without a partner: one JSON line.
"""
import json
import sys
import time

import timm
import torch
import torch.nn.functional as F

job = json.loads(sys.argv[1])
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
dtype = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}[job["precision"]]
# TensorFlow lets float32 convolutions and products use TF32; PyTorch asks for the products' leave.
torch.backends.cuda.matmul.allow_tf32 = True
torch.backends.cudnn.allow_tf32 = True
torch.backends.cudnn.benchmark = True
torch.manual_seed(0)

model = timm.create_model(job["network"], num_classes=job["classes"]).to(device, memory_format=torch.channels_last).train()
optimizer = torch.optim.SGD(model.parameters(), lr=job["learningRate"], momentum=job["momentum"])
forward = torch.compile(model) if job.get("compile") else model


def draw_batch():
    size = job["inputSize"]
    pixels = torch.randint(0, 256, (job["batch"], 3, size, size), dtype=torch.uint8)
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    soft_labels = torch.rand(job["batch"], job["classes"])
    soft_labels /= soft_labels.sum(dim=1, keepdim=True)
    return pixels, soft_labels


MEAN, STD = (torch.tensor(rgb, device=device).view(1, 3, 1, 1) for rgb in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


def to_device(batch):
    """Bytes go up and are normalised there, on both sides."""
    pixels, soft_labels = (tensor.to(device, non_blocking=True) for tensor in batch)
    return pixels.float().div(255).sub(MEAN).div(STD), soft_labels


hosts = [draw_batch(), draw_batch()]
if device.type == "cuda":
    hosts = [tuple(tensor.pin_memory() for tensor in batch) for batch in hosts]
resident = to_device(hosts[0])


def step(images, soft_labels):
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast(device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None):
        logits = forward(images)
    loss = -(soft_labels * F.log_softmax(logits.float(), dim=1)).sum(dim=1).mean()
    loss.backward()
    optimizer.step()
    return loss.detach()


def run(steps):
    """Seconds of `steps` steps, by the GPU's own clock where there is one, and the last loss."""
    events = [torch.cuda.Event(enable_timing=True) for _ in range(2)] if device.type == "cuda" else None
    began = time.perf_counter()
    if events:
        events[0].record()
    for i in range(steps):
        loss = step(*(resident if job["feed"] == "resident" else to_device(hosts[i % 2])))
    if events:
        events[1].record()
    value = loss.item()
    wall = time.perf_counter() - began
    result = {"seconds": wall, "loss": value}
    if events:
        events[1].synchronize()
        result |= {
            "deviceSeconds": events[0].elapsed_time(events[1]) / 1000,
            "peakBytes": torch.cuda.max_memory_allocated(),
            "deviceBytes": torch.cuda.memory_reserved(),
        }
    return result


def send(message):
    print(json.dumps(message), flush=True)


name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
losses = [run(1)["loss"], run(1)["loss"]]
send({"ready": {"version": f"PyTorch {torch.__version__}, timm {timm.__version__} on {name}", "losses": losses}})
if len(sys.argv) > 2:
    steps = int(sys.argv[2])
    run(max(1, steps // 2))
    send({"imagesPerSecond": [steps * job["batch"] / run(steps)["seconds"] for _ in range(3)], **run(1)})
    sys.exit()
for line in sys.stdin:
    send(run(json.loads(line)["steps"]))
