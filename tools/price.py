#!/usr/bin/env python3
"""How many rewards one label is worth: examples to the threshold by rewards over those by labels, for each number of classes.

    tools/price.py results/price

Reads the records of experiments/price.toml. The ratio is that of the medians over seeds; its 95 % interval takes 10,000 bootstrap samples of the seeds of
either side. A trial that does not reach the threshold counts with infinity.
"""
import csv
import pathlib
import random
import statistics
import sys
import tomllib


def examples_to(folder, metric, level):
    with open(folder / "rows.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    # A network that is right by chance before it has learned anything has not learned it.
    trained = (row for row in rows if float(row["examples"]) > 0)
    reached = (float(row["examples"]) for row in trained if float(row[metric]) >= level)
    return next(reached, float("inf"))


def main(results):
    results = pathlib.Path(results)
    with open(results / "experiment.toml", "rb") as file:
        experiment = tomllib.load(file)
    threshold = experiment["threshold"]
    sides = {}
    for arm in experiment["arm"]:
        classes, side = arm["name"].split(" classes, ")
        slug = arm["name"].replace(",", "").replace(" ", "-")
        trials = sorted((results / "trials" / slug).glob("seed-*"))
        sides.setdefault(int(classes), {})[side] = [
            examples_to(trial, threshold["metric"], threshold["value"]) for trial in trials
        ]
    draw = random.Random(0)
    print("| classes | examples by labels | by rewards | rewards for one label |")
    print("|---|---|---|---|")
    for classes, of in sorted(sides.items()):
        labels, rewards = of["labels"], of["rewards"]
        ratio = lambda a, b: statistics.median(b) / statistics.median(a)
        drawn = sorted(
            ratio(draw.choices(labels, k=len(labels)), draw.choices(rewards, k=len(rewards))) for _ in range(10_000)
        )
        low, high = drawn[249], drawn[9_749]
        print(
            f"| {classes} | {statistics.median(labels):,.0f} | {statistics.median(rewards):,.0f} "
            f"| {ratio(labels, rewards):.1f} [{low:.1f}, {high:.1f}] |"
        )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
