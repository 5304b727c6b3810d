"""PyTorch, eager, in channels_last: timm's network, SGD with momentum. Run as `python torch_peer.py JOB`."""
import peer
import timm
import torch
import torch.nn.functional as F

case = peer.case
torch.set_num_threads(peer.job["threads"])
model = timm.create_model(case["network"], num_classes=case["classes"])
model.load_state_dict({name: torch.from_numpy(array) for name, array in peer.load_weights().items()}, strict=True)
model = model.to(memory_format=torch.channels_last)
images, soft_labels = map(torch.from_numpy, peer.load_batch())
# NHWC in memory is what PyTorch calls channels_last: a view, not a copy.
images = images.permute(0, 3, 1, 2)
assert images.is_contiguous(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), lr=peer.job["learningRate"], momentum=peer.job["momentum"])


def train():
    optimizer.zero_grad(set_to_none=True)
    loss = -(soft_labels * F.log_softmax(model(images), dim=1)).sum(dim=1).mean()
    loss.backward()
    optimizer.step()
    return loss.detach()


@torch.inference_mode()
def predict():
    return model(images)


training = case["mode"] == "training"
model.train(training)
peer.serve(f"PyTorch {torch.__version__}, timm {timm.__version__}", train if training else predict, lambda t: t.numpy())
