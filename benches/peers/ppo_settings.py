"""The settings of the training that `lossward bench` times, as src/benchmark/ppo.toml has them."""

import pathlib
import tomllib

with open(pathlib.Path(__file__).parents[2] / "src" / "benchmark" / "ppo.toml", "rb") as file:
    EXPERIMENT = tomllib.load(file)

ENVIRONMENT = EXPERIMENT["task"]["env"]
HIDDEN = EXPERIMENT["network"]["hidden"]
OUTPUT_GAIN = EXPERIMENT["network"]["output_gain"]

LEARNING_RATE = EXPERIMENT["optimizer"]["learning_rate"]["from"]
EPSILON = EXPERIMENT["optimizer"]["epsilon"]
CLIP_NORM = EXPERIMENT["optimizer"]["clip_norm"]

[ARM] = EXPERIMENT["arm"]
OBJECTIVE = ARM["objective"]
COPIES = OBJECTIVE["environments"]
ROLLOUT = OBJECTIVE["rollout"]["steps"]
BATCH = OBJECTIVE["batch_size"]
EPOCHS = OBJECTIVE["epochs"]
DISCOUNT = OBJECTIVE["discount"]
GAE_LAMBDA = OBJECTIVE["gae_lambda"]
CLIP = OBJECTIVE["clip"]
VALUE_CLIP = OBJECTIVE["value_clip"]
ENTROPY = OBJECTIVE["entropy_coefficient"]

# The file does not name these: the weight of the value's loss where one optimizer moves both networks, steps per rollout of all copies.
VALUE = 0.5
STEPS_PER_ROLLOUT = COPIES * ROLLOUT
BATCHES_PER_EPOCH = STEPS_PER_ROLLOUT // BATCH
# The last episodes whose mean return says how well a training went.
LAST = 100
