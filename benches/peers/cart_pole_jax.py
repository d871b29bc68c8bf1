"""CartPole-v1 in JAX, one copy, to be mapped over many: the equations that docs/environments.md gives."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

LIMIT = 500


class State(NamedTuple):
    """Position, velocity, angle and angular velocity, and the steps since the episode began."""

    motion: jax.Array
    steps: jax.Array


class Outcome(NamedTuple):
    """What a step earns, whether the episode is over by it, and how long it was then."""

    reward: jax.Array
    over: jax.Array
    steps: jax.Array


def begin(key):
    """The start of an episode."""
    return State(jax.random.uniform(key, (4,), minval=-0.05, maxval=0.05), jnp.int32(0))


def moved(motion, action):
    """One explicit Euler step of 0.02 s."""
    position, velocity, angle, turn = motion
    force = jnp.where(action == 1, 10.0, -10.0)
    sine, cosine = jnp.sin(angle), jnp.cos(angle)
    pushed = (force + 0.05 * turn**2 * sine) / 1.1
    turning = (9.8 * sine - cosine * pushed) / (0.5 * (4.0 / 3.0 - 0.1 * cosine**2 / 1.1))
    moving = pushed - 0.05 * turning * cosine / 1.1
    return jnp.stack([position + 0.02 * velocity, velocity + 0.02 * moving, angle + 0.02 * turn, turn + 0.02 * turning])


def step(key, state, action):
    """The next state, which is the start of another episode where one is over, and the outcome."""
    motion, steps = moved(state.motion, action), state.steps + 1
    fallen = (jnp.abs(motion[0]) > 2.4) | (jnp.abs(motion[2]) > jnp.pi / 15)
    over = fallen | (steps >= LIMIT)
    start = begin(key)
    after = State(jnp.where(over, start.motion, motion), jnp.where(over, start.steps, steps))
    return after, Outcome(jnp.float32(1.0), over, steps)
