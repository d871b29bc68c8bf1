"""Training steps on images with masks or boxes: Lossward beside PyTorch, in turns on one core.

    pip install -r benches/peers/requirements.txt
    cargo build --release
    python benches/peers/pictures.py target/release/lossward

Both train the network of a workload of `lossward bench` on 8 images of 64x64 pixels: forward in training mode, all terms of the loss (of a
detector with its task-aligned assignment), backward, Adam. PyTorch runs eagerly with one thread in channels-last memory, in single
precision and, with --bfloat16, under autocast. Reading and augmenting images is not timed on either side; the images are noise, the masks
and boxes drawn once. Prints a Markdown table of images per second: the median of the rounds and their range.
"""

import functools

import rounds

rounds.use_cores(1)

import torch
import torch.nn.functional as functional
from torch import nn

BATCH, SIDE = 8, 64


def block(inputs, outputs, last=False):
    """Two 3x3 convolutions, each normalized by the batch; behind the last one there is no relu."""
    layers = []
    for i, channels in enumerate((inputs, outputs)):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)]
        if not (last and i == 1):
            layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class UNet(nn.Module):
    def __init__(self, widths=(8, 16, 32)):
        super().__init__()
        self.down = nn.ModuleList(block(before, width) for before, width in zip((1,) + widths, widths))
        pairs = list(zip(widths[::-1], widths[::-1][1:]))
        self.up = nn.ModuleList(block(deep + width, width, last=width == widths[0]) for deep, width in pairs)
        self.head = nn.Conv2d(widths[0], 1, 1)

    def forward(self, x):
        kept = []
        for i, level in enumerate(self.down):
            x = level(functional.max_pool2d(x, 2) if i > 0 else x)
            kept.append(x)
        for level, skipped in zip(self.up, kept[-2::-1]):
            x = functional.interpolate(x, scale_factor=2, mode="nearest")
            x = level(torch.cat([skipped, x], 1))
        return self.head(x)


class Detector(nn.Module):
    def __init__(self, widths=(16, 32, 64), classes=10, bins=16):
        super().__init__()
        layers = []
        for i, (before, width) in enumerate(zip((1,) + widths, widths)):
            layers += [nn.MaxPool2d(2)] if i > 0 else []
            layers.append(block(before, width, last=i == len(widths) - 1))
        self.body = nn.Sequential(*layers)
        self.head = nn.Conv2d(widths[-1], classes + 4 * bins, 1)
        self.classes, self.bins = classes, bins

    def forward(self, x):
        return self.head(self.body(x))


def mask_loss(logits, truth):
    """1 - Dice over the batch, plus binary cross-entropy."""
    p = torch.sigmoid(logits)
    dice = (2 * (p * truth).sum() + 1) / (p.sum() + truth.sum() + 1)
    return 1 - dice + functional.binary_cross_entropy_with_logits(logits, truth)


def overlap(a, b):
    """Intersection over union and what CIoU takes off it, of boxes [..., 4]."""
    width = (torch.minimum(a[..., 2], b[..., 2]) - torch.maximum(a[..., 0], b[..., 0])).clamp(min=0)
    height = (torch.minimum(a[..., 3], b[..., 3]) - torch.maximum(a[..., 1], b[..., 1])).clamp(min=0)
    (wa, ha), (wb, hb) = ((x[..., 2:] - x[..., :2]).unbind(-1) for x in (a, b))
    both = width * height
    return both / (wa * ha + wb * hb - both + 1e-9), (wa, ha, wb, hb)


def ciou_loss(a, b):
    iou, (wa, ha, wb, hb) = overlap(a, b)
    hull = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    between = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2
    shape = 4 / torch.pi**2 * (torch.atan(wb / hb) - torch.atan(wa / ha)) ** 2
    trade = (shape / (1 - iou + shape + 1e-9)).detach()
    return 1 - iou + (between**2).sum(-1) / ((hull**2).sum(-1) + 1e-9) + trade * shape


class BoxLoss:
    """Binary cross-entropy, CIoU and distribution focal loss with a task-aligned assignment (Feng et al. 2021), over the whole batch."""

    def __init__(self, detector, stride=4, top=10, alpha=1.0, beta=6.0):
        self.classes, self.bins, self.stride = detector.classes, detector.bins, stride
        self.top, self.alpha, self.beta = top, alpha, beta
        centers = (torch.arange(SIDE // stride) + 0.5) * stride
        y, x = torch.meshgrid(centers, centers, indexing="ij")
        self.points = torch.stack([x.flatten(), y.flatten()], -1)

    def assign(self, scores, boxes, truth, classes):
        """Of every point: its object, and the score that it is to give (0 without an object)."""
        iou = overlap(boxes[:, None], truth[:, :, None])[0].clamp(min=0)
        index = classes[:, :, None].expand(-1, -1, scores.shape[1])
        aligned = scores.transpose(1, 2).gather(1, index) ** self.alpha * iou**self.beta
        x, y = self.points.unbind(-1)
        left, top, right, bottom = (side[:, :, None] for side in truth.unbind(-1))
        inside = (x > left) & (x < right) & (y > top) & (y < bottom)
        aligned = aligned * inside
        chosen = torch.zeros_like(inside).scatter_(2, aligned.topk(self.top, 2).indices, True) & inside
        owner = torch.where(chosen, iou, torch.full_like(iou, -1)).argmax(1)
        owned = chosen.any(1)
        mine = chosen & (torch.arange(truth.shape[1])[:, None] == owner[:, None])
        most = (aligned * mine).amax(2, keepdim=True)
        best = (iou * mine).amax(2, keepdim=True)
        weight = (aligned * mine / (most + 1e-9) * best).sum(1)
        return owner, owned, weight

    def __call__(self, outputs, target):
        truth, classes = target
        flat = outputs.flatten(2).transpose(1, 2).float()
        logits, bins = flat[..., : self.classes], flat[..., self.classes :].unflatten(-1, (4, self.bins))
        distances = bins.softmax(-1) @ torch.arange(self.bins, dtype=torch.float32) * self.stride
        boxes = torch.cat([self.points - distances[..., :2], self.points + distances[..., 2:]], -1)
        with torch.no_grad():
            owner, owned, weight = self.assign(logits.sigmoid(), boxes, truth, classes)
        image, point = owned.nonzero(as_tuple=True)
        own, w = owner[image, point], weight[image, point]
        wanted = torch.zeros_like(logits)
        wanted[image, point, classes[image, own]] = w
        total = w.sum().clamp(min=1)
        scores = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="sum")
        box = truth[image, own]
        of_boxes = (w * ciou_loss(boxes[image, point], box)).sum()
        at = self.points[point]
        reach = (torch.cat([at - box[:, :2], box[:, 2:] - at], -1) / self.stride).clamp(0, self.bins - 1.01)
        low = reach.long()
        log_p = bins[image, point].log_softmax(-1)
        near = log_p.gather(-1, low[..., None])[..., 0] * (low + 1 - reach)
        far = log_p.gather(-1, low[..., None] + 1)[..., 0] * (reach - low)
        of_bins = -(w * (near + far).mean(-1)).sum()
        return (scores + 5 * of_boxes + 1.25 * of_bins) / total


def masks():
    network = UNet()
    truth = torch.zeros(BATCH, 1, SIDE, SIDE)
    truth[:, :, 20:26, 30:37] = 1
    return network, mask_loss, truth


def boxes():
    network = Detector()
    corners = torch.tensor([[6.0, 8.0, 20.0, 26.0], [34.0, 30.0, 50.0, 48.0]]).repeat(BATCH, 1, 1)
    return network, BoxLoss(network), (corners, torch.tensor([[3, 7]]).repeat(BATCH, 1))


def trained(case, precision):
    """A step of PyTorch on one of the cases."""
    torch.manual_seed(0)
    network, loss, truth = case()
    network = network.to(memory_format=torch.channels_last)
    images = torch.randn(BATCH, 1, SIDE, SIDE).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-6)

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            outputs = network(images)
        value = loss(outputs.float(), truth)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()

    return step


CASES = {"train U-Net 8-16-32": masks, "train detector 16-32-64": boxes}


def main():
    parser = rounds.arguments(__doc__)
    parser.add_argument("--bfloat16", action="store_true", help="PyTorch under autocast, too")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    peers = {f"PyTorch {precision}": precision for precision in ["float32"] + (["bfloat16"] if chosen.bfloat16 else [])}
    print(rounds.versions(chosen.lossward, ["torch"]))
    table = rounds.Comparison(chosen.lossward, chosen.rounds, "workload, images/s, one core", list(peers))
    for workload, case in CASES.items():
        steps = {peer: trained(case, precision) for peer, precision in peers.items()}
        table.row(workload, {peer: functools.partial(rounds.rate, step, BATCH) for peer, step in steps.items()})


if __name__ == "__main__":
    main()
