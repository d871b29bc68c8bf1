"""PPO in purejaxrl's way: the environment is written in JAX, and a whole training is one jitted function of nested scans.

The same choices as in ppo_torch.py: one Adam for both networks, gradients clipped together, a clipped value loss, and an episode that the
time limit cuts counts as ended.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

import cart_pole_jax
import ppo_settings as settings


class Step(NamedTuple):
    """What a copy of the environment meets in one step."""

    observation: jax.Array
    action: jax.Array
    log_probability: jax.Array
    value: jax.Array
    outcome: cart_pole_jax.Outcome


def network(key, inputs, outputs, gain):
    """Weights and biases of its layers."""
    sizes = (inputs, *settings.HIDDEN, outputs)
    drawn = [jax.nn.initializers.orthogonal(gain) for gain in [2**0.5] * len(settings.HIDDEN) + [gain]]
    keys = jax.random.split(key, len(drawn))
    return [(draw(key, (before, width)), jnp.zeros(width)) for draw, key, before, width in zip(drawn, keys, sizes, sizes[1:])]


def outputs(layers, x):
    for weight, bias in layers[:-1]:
        x = jnp.tanh(x @ weight + bias)
    weight, bias = layers[-1]
    return x @ weight + bias


def policy(agent, observations):
    """Log-probabilities of all actions."""
    return jax.nn.log_softmax(outputs(agent["actor"], observations))


def value(agent, observations):
    return outputs(agent["critic"], observations).squeeze(-1)


def of_actions(log_probabilities, actions):
    return jnp.take_along_axis(log_probabilities, actions[..., None], -1).squeeze(-1)


def acted(agent, states, key):
    """One step of all copies."""
    choosing, beginning = jax.random.split(key)
    observations = states.motion
    log_probabilities = policy(agent, observations)
    actions = jax.random.categorical(choosing, log_probabilities)
    keys = jax.random.split(beginning, settings.COPIES)
    states, outcome = jax.vmap(cart_pole_jax.step)(keys, states, actions)
    return states, Step(observations, actions, of_actions(log_probabilities, actions), value(agent, observations), outcome)


def advantages(steps, following):
    """Generalized advantages, with the value of what follows the rollout."""

    def before(later, step):
        carried, following = later
        going_on = 1.0 - step.outcome.over
        error = step.outcome.reward + settings.DISCOUNT * following * going_on - step.value
        carried = error + settings.DISCOUNT * settings.GAE_LAMBDA * going_on * carried
        return (carried, step.value), carried

    return jax.lax.scan(before, (jnp.zeros_like(following), following), steps, reverse=True)[1]


def loss_of(agent, sample):
    steps, advantages = sample
    returns = advantages + steps.value
    log_probabilities, values = policy(agent, steps.observation), value(agent, steps.observation)
    advantages = (advantages - advantages.mean()) / (advantages.std(ddof=1) + 1e-8)
    ratio = jnp.exp(of_actions(log_probabilities, steps.action) - steps.log_probability)
    clipped = ratio.clip(1 - settings.CLIP, 1 + settings.CLIP)
    of_policy = jnp.maximum(-advantages * ratio, -advantages * clipped).mean()
    near = steps.value + (values - steps.value).clip(-settings.VALUE_CLIP, settings.VALUE_CLIP)
    of_value = 0.5 * jnp.maximum((values - returns) ** 2, (near - returns) ** 2).mean()
    entropy = -(jnp.exp(log_probabilities) * log_probabilities).sum(-1).mean()
    return of_policy - settings.ENTROPY * entropy + settings.VALUE * of_value


def training(steps):
    """A function from a key to what a training of so many steps leaves: the networks, and of each rollout's ended episodes the sum of their
    returns and their number."""
    updates = steps // settings.STEPS_PER_ROLLOUT
    per_update = settings.EPOCHS * settings.BATCHES_PER_EPOCH

    def learning_rate(count):
        return settings.LEARNING_RATE * (1.0 - count // per_update / updates)

    optimizer = optax.chain(optax.clip_by_global_norm(settings.CLIP_NORM), optax.adam(learning_rate, eps=settings.EPSILON))

    def descended(learned, sample):
        agent, moments = learned
        moved, moments = optimizer.update(jax.grad(loss_of)(agent, sample), moments)
        return (optax.apply_updates(agent, moved), moments), None

    def epoch(learned, samples, key):
        order = jax.random.permutation(key, settings.STEPS_PER_ROLLOUT)
        batches = jax.tree.map(lambda x: x[order].reshape(-1, settings.BATCH, *x.shape[1:]), samples)
        return jax.lax.scan(descended, learned, batches)[0]

    def update(carried, key):
        learned, states = carried
        acting, learning = jax.random.split(key)
        agent = learned[0]
        states, steps = jax.lax.scan(lambda s, k: acted(agent, s, k), states, jax.random.split(acting, settings.ROLLOUT))
        samples = steps, advantages(steps, value(agent, states.motion))
        samples = jax.tree.map(lambda x: x.reshape(settings.STEPS_PER_ROLLOUT, *x.shape[2:]), samples)
        learned = jax.lax.scan(lambda l, k: (epoch(l, samples, k), None), learned, jax.random.split(learning, settings.EPOCHS))[0]
        over, length = steps.outcome.over, steps.outcome.steps
        return (learned, states), (jnp.where(over, length, 0).sum(), over.sum())

    def train(key):
        for_actor, for_critic, beginning, updating = jax.random.split(key, 4)
        agent = {"actor": network(for_actor, 4, 2, settings.OUTPUT_GAIN), "critic": network(for_critic, 4, 1, 1.0)}
        states = jax.vmap(cart_pole_jax.begin)(jax.random.split(beginning, settings.COPIES))
        carried = (agent, optimizer.init(agent)), states
        (learned, _), (returns, episodes) = jax.lax.scan(update, carried, jax.random.split(updating, updates))
        return learned[0], returns, episodes

    return train


def last_return(returns, episodes):
    """The mean return of at least so many last episodes, whole rollouts of them."""
    total = number = 0
    for rollout in reversed(range(len(episodes))):
        total, number = total + returns[rollout], number + episodes[rollout]
        if number >= settings.LAST:
            break
    return float(total / number)
