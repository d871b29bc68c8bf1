"""Training steps of dense and convolutional networks: Lossward beside PyTorch and JAX, in turns on one core.

    pip install -r benches/peers/requirements.txt
    cargo build --release
    python benches/peers/networks.py target/release/lossward

Every step hands over a batch that lies in the host's memory, goes forward, takes softmax cross-entropy, goes backward and moves all weights
by Adam, as the step of `lossward bench` does, in single precision at a learning rate of 1e-6. Lossward reads the loss of every step, its
peers only that of the last step of a timed second, which spares JAX a wait per step. PyTorch runs eagerly and with the forward and backward
pass through torch.compile (which needs a C++ compiler), with its fused Adam and, for images, in channels-last memory. JAX runs one jitted
function a step that may overwrite its weights, with Adam of optax. Compilation is not timed. Prints a Markdown table of samples per second:
the median of the rounds and their range.

With --check nothing is timed: it prints the loss of every peer, which all begin with the same weights, before the first update and after 200
at a learning rate of 1e-3.
"""

import functools
import math
from typing import NamedTuple

import rounds

rounds.use_cores(1)

import jax
import jax.numpy as jnp
import numpy
import optax
import torch
import torch.nn.functional as functional
from torch import nn


class Case(NamedTuple):
    """A network and the size of its batches. Behind each 3x3 convolution there is a pool of 2x2."""

    shape: tuple
    convolutions: tuple
    hidden: tuple
    classes: int
    activation: str
    batch: int


CASES = {
    "train 4-64-64-2 tanh, batch 128": Case((4,), (), (64, 64), 2, "tanh", 128),
    "train 64-64-64-10 tanh, batch 32": Case((64,), (), (64, 64), 10, "tanh", 32),
    "train 64-64-64-10 tanh, batch 128": Case((64,), (), (64, 64), 10, "tanh", 128),
    "train 784-256-128-10 relu, batch 128": Case((784,), (), (256, 128), 10, "relu", 128),
    "train conv16-pool-conv32-pool-10 relu on 28x28, batch 64": Case((1, 28, 28), (16, 32), (), 10, "relu", 64),
}


def batch(case):
    """The inputs and labels of `lossward bench`."""
    numbers = numpy.sin(numpy.arange(case.batch * math.prod(case.shape), dtype=numpy.float32))
    return numbers.reshape(case.batch, *case.shape), (numpy.arange(case.batch) % case.classes).astype(numpy.int64)


def initial_weights(case):
    """The weights of all layers in PyTorch's order of dimensions, normal with variance 1 / inputs. Biases begin at 0."""
    random = numpy.random.default_rng(0)

    def drawn(*shape):
        return (random.standard_normal(shape) / math.sqrt(math.prod(shape[1:]))).astype(numpy.float32)

    weights, (channels, *sides) = [], case.shape
    for filters in case.convolutions:
        weights.append(drawn(filters, channels, 3, 3))
        channels, sides = filters, [(side - 2) // 2 for side in sides]
    sizes = (channels * math.prod(sides), *case.hidden, case.classes)
    return weights + [drawn(outputs, inputs) for inputs, outputs in zip(sizes, sizes[1:])]


def in_pytorch(case, learning_rate, compiled):
    """A step that returns the loss, unread."""
    activation = nn.Tanh if case.activation == "tanh" else nn.ReLU
    weights, layers = initial_weights(case), []
    for weight in weights:
        if weight.ndim == 4:
            layers += [nn.Conv2d(weight.shape[1], weight.shape[0], 3), activation(), nn.MaxPool2d(2)]
        else:
            layers += [nn.Flatten()] if layers and isinstance(layers[-1], nn.MaxPool2d) else []
            layers += [nn.Linear(weight.shape[1], weight.shape[0]), activation()]
    network = nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for parameter, weight in zip((p for p in network.parameters() if p.ndim > 1), weights):
            parameter.copy_(torch.from_numpy(weight))
        for parameter in (p for p in network.parameters() if p.ndim == 1):
            parameter.zero_()
    if case.convolutions:
        network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate, fused=True)
    inputs, labels = batch(case)

    def loss_of(x, y):
        return functional.cross_entropy(network(x), y)

    loss_of = torch.compile(loss_of) if compiled else loss_of

    def step():
        loss = loss_of(torch.tensor(inputs), torch.tensor(labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def pooled(x):
    """The largest number of every 2x2 window of images whose channels come last."""
    images, height, width, channels = x.shape
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    return x.reshape(images, height // 2, 2, width // 2, 2, channels).max((2, 4))


def in_jax(case, learning_rate):
    """A step that returns the loss, unread."""
    activation = jnp.tanh if case.activation == "tanh" else jax.nn.relu
    weights = []
    for weight in initial_weights(case):
        if weight.ndim == 4:
            filters = weight.shape[0]
            weight = weight.transpose(2, 3, 1, 0)
        elif len(weights) == len(case.convolutions) > 0:
            # The images' channels come last here, and so they do in what the first dense layer reads.
            side = math.isqrt(weight.shape[1] // filters)
            weight = weight.reshape(-1, filters, side, side).transpose(2, 3, 1, 0).reshape(weight.shape[1], -1)
        else:
            weight = weight.T
        weights.append((jnp.array(weight), jnp.zeros(weight.shape[-1])))

    def logits(weights, x):
        x = jnp.moveaxis(x, 1, -1)
        for i, (weight, bias) in enumerate(weights):
            if weight.ndim == 4:
                x = jax.lax.conv_general_dilated(x, weight, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
                x = pooled(activation(x + bias))
            else:
                x = x.reshape(x.shape[0], -1) @ weight + bias
                x = activation(x) if i + 1 < len(weights) else x
        return x

    def loss_of(weights, x, y):
        return optax.softmax_cross_entropy_with_integer_labels(logits(weights, x), y).mean()

    optimizer = optax.adam(learning_rate)

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def update(weights, moments, x, y):
        loss, gradient = jax.value_and_grad(loss_of)(weights, x, y)
        moved, moments = optimizer.update(gradient, moments)
        return optax.apply_updates(weights, moved), moments, loss

    inputs, labels = batch(case)
    labels = labels.astype(numpy.int32)
    state = {"weights": weights, "moments": optimizer.init(weights)}

    def step():
        state["weights"], state["moments"], loss = update(state["weights"], state["moments"], inputs, labels)
        return loss

    return step


def peers(case, learning_rate):
    """A step of every peer."""
    return {
        "PyTorch": in_pytorch(case, learning_rate, compiled=False),
        "PyTorch, compiled": in_pytorch(case, learning_rate, compiled=True),
        "JAX": in_jax(case, learning_rate),
    }


def check(updates=200):
    """Prints the losses of peers that learn."""
    for workload, case in CASES.items():
        for peer, step in peers(case, learning_rate=1e-3).items():
            losses = [float(step()) for _ in range(updates + 1)]
            print(f"{workload}; {peer}: {losses[0]:.5f} to {losses[-1]:.5f}", flush=True)


def main():
    parser = rounds.arguments(__doc__)
    parser.add_argument("--check", action="store_true", help="whether the peers do the same work, instead")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print(rounds.versions(chosen.lossward, ["torch", "jax", "optax", "numpy"]))
    if chosen.check:
        return check()
    table = rounds.Comparison(chosen.lossward, chosen.rounds, "workload, samples/s, one core", ["PyTorch", "PyTorch, compiled", "JAX"])
    for workload, case in CASES.items():
        steps = peers(case, learning_rate=1e-6)
        table.row(workload, {peer: functools.partial(rounds.rate, step, case.batch, float) for peer, step in steps.items()})


if __name__ == "__main__":
    main()
