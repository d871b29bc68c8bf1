"""PPO in CleanRL's way: one loop in PyTorch over Gymnasium's SyncVectorEnv, from the published algorithm and CleanRL's choices for it.

Both networks are moved by one Adam, whose gradients are clipped together; advantages are normalized per minibatch; the value's loss is
clipped; an episode that the time limit cuts counts as ended, and its copy begins another one in the same step. Nothing is logged.
"""

import collections

import gymnasium
import numpy
import torch
from torch import nn
from torch.distributions import Categorical

import ppo_settings as settings


def initialized(layer, gain):
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


def network(inputs, outputs, gain):
    layers, sizes = [], (inputs, *settings.HIDDEN)
    for before, width in zip(sizes, sizes[1:]):
        layers += [initialized(nn.Linear(before, width), 2**0.5), nn.Tanh()]
    return nn.Sequential(*layers, initialized(nn.Linear(sizes[-1], outputs), gain))


class Agent(nn.Module):
    def __init__(self, observations, actions):
        super().__init__()
        self.actor = network(observations, actions, settings.OUTPUT_GAIN)
        self.critic = network(observations, 1, 1.0)

    def value(self, observations):
        return self.critic(observations).squeeze(-1)

    def policy(self, observations):
        return Categorical(logits=self.actor(observations))


def made():
    return gymnasium.wrappers.RecordEpisodeStatistics(gymnasium.make(settings.ENVIRONMENT))


class Rollout:
    """What the copies of the environment meet in one rollout, step by step."""

    def __init__(self, observations):
        shape = (settings.ROLLOUT, settings.COPIES)
        self.observations = torch.zeros(*shape, observations)
        self.actions, self.log_probabilities, self.rewards, self.starts, self.values = (torch.zeros(shape) for _ in range(5))

    def advantages(self, value, start):
        """Generalized advantages, with the value of what follows the rollout, and whether an episode begins there."""
        advantages, carried = torch.zeros_like(self.rewards), 0.0
        for t in reversed(range(settings.ROLLOUT)):
            going_on = 1.0 - start
            error = self.rewards[t] + settings.DISCOUNT * value * going_on - self.values[t]
            advantages[t] = carried = error + settings.DISCOUNT * settings.GAE_LAMBDA * going_on * carried
            value, start = self.values[t], self.starts[t]
        return advantages


def loss_of(agent, observations, actions, log_probabilities, advantages, returns, values):
    policy, value = agent.policy(observations), agent.value(observations)
    advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    ratio = (policy.log_prob(actions) - log_probabilities).exp()
    clipped = ratio.clamp(1 - settings.CLIP, 1 + settings.CLIP)
    of_policy = torch.max(-advantages * ratio, -advantages * clipped).mean()
    near = values + (value - values).clamp(-settings.VALUE_CLIP, settings.VALUE_CLIP)
    of_value = 0.5 * torch.max((value - returns) ** 2, (near - returns) ** 2).mean()
    return of_policy - settings.ENTROPY * policy.entropy().mean() + settings.VALUE * of_value


def train(steps, seed):
    """Trains for so many steps of the environment; returns the mean return of the last episodes."""
    torch.manual_seed(seed)
    random = numpy.random.default_rng(seed)
    same_step = gymnasium.vector.AutoresetMode.SAME_STEP
    environments = gymnasium.vector.SyncVectorEnv([made] * settings.COPIES, autoreset_mode=same_step)
    agent = Agent(environments.single_observation_space.shape[0], environments.single_action_space.n)
    optimizer = torch.optim.Adam(agent.parameters(), lr=settings.LEARNING_RATE, eps=settings.EPSILON)
    rollout = Rollout(environments.single_observation_space.shape[0])
    episodes = collections.deque(maxlen=settings.LAST)
    observation = torch.tensor(environments.reset(seed=seed)[0])
    start = torch.zeros(settings.COPIES)
    updates = steps // settings.STEPS_PER_ROLLOUT
    for update in range(updates):
        optimizer.param_groups[0]["lr"] = (1 - update / updates) * settings.LEARNING_RATE
        for t in range(settings.ROLLOUT):
            with torch.no_grad():
                policy = agent.policy(observation)
                action = policy.sample()
                rollout.observations[t], rollout.starts[t], rollout.actions[t] = observation, start, action
                rollout.log_probabilities[t], rollout.values[t] = policy.log_prob(action), agent.value(observation)
            observed, reward, terminated, truncated, told = environments.step(action.numpy())
            rollout.rewards[t] = torch.tensor(reward)
            observation, start = torch.tensor(observed), torch.tensor(terminated | truncated, dtype=torch.float32)
            if "final_info" in told:
                episodes.extend(told["final_info"]["episode"]["r"][told["_final_info"]])
        with torch.no_grad():
            advantages = rollout.advantages(agent.value(observation), start)
        kept = (rollout.actions, rollout.log_probabilities, advantages, advantages + rollout.values, rollout.values)
        samples = [rollout.observations.flatten(0, 1), *(numbers.flatten() for numbers in kept)]
        order = numpy.arange(settings.STEPS_PER_ROLLOUT)
        for _ in range(settings.EPOCHS):
            random.shuffle(order)
            for begin in range(0, settings.STEPS_PER_ROLLOUT, settings.BATCH):
                rows = torch.from_numpy(order[begin : begin + settings.BATCH])
                loss = loss_of(agent, *(numbers[rows] for numbers in samples))
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), settings.CLIP_NORM)
                optimizer.step()
    return float(numpy.mean(episodes))
