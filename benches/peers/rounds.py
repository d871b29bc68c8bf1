"""What the scripts beside this file share: Lossward and its peers measured in turns, and the table of the outcome.

`use_cores` has to be called before a library with threads of its own is imported.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time


def use_cores(count):
    """Keeps this process and whatever it starts on the last so many cores, and libraries at as many threads."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[name] = str(count)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-count:])


def arguments(description):
    """A parser with what all scripts are told."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lossward", help="the program, built for release")
    parser.add_argument("--rounds", type=int, default=5)
    return parser


def versions(lossward, packages):
    """A line that says of which versions the figures are, and of which machine."""
    program = subprocess.run([lossward, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    named = [f"{package} {importlib.metadata.version(package)}" for package in packages]
    return ", ".join([program, *named, f"Python {platform.python_version()}", processor()])


def processor():
    """The processor's name where the system tells it, and its architecture."""
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return " ".join(names[:1] + [platform.machine()])


def measured_by(lossward, workload):
    """What `lossward bench` measures of the one workload whose name contains this."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "bench.json")
        command = [lossward, "bench", "--only", workload, "--out", out]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(out) as file:
            [row] = json.load(file)["rows"]
    return row["value"]


def rate(step, units, finish=lambda last: None, seconds=1.0):
    """Units per second of a step that does so many, called for a while. The first call warms up and is not timed; what the last one returned
    is finished within the time."""
    finish(step())
    steps, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        last = step()
        steps += 1
    finish(last)
    return units * steps / (time.perf_counter() - begun)


class Comparison:
    """A Markdown table: a row per workload, and of every peer its rate and Lossward's ratio to it."""

    def __init__(self, lossward, rounds, title, peers):
        self.lossward, self.rounds, self.peers = lossward, rounds, peers
        print(f"\n| {title} | lossward | " + " | ".join(f"{peer} | ratio" for peer in peers) + " |")
        print("|---" * (2 + 2 * len(peers)) + "|", flush=True)

    def row(self, workload, works):
        """Measures in turns what the works, each of a peer's name, return, and `lossward bench` before them in every round."""
        turns = []
        for _ in range(self.rounds):
            ours = measured_by(self.lossward, workload)
            turns.append((ours, {peer: work() for peer, work in works.items()}))
        cells = [workload, shown([ours for ours, _ in turns])]
        for peer in self.peers:
            if peer in works:
                ratio = statistics.median(ours / theirs[peer] for ours, theirs in turns)
                cells += [shown([theirs[peer] for _, theirs in turns]), f"{ratio:.2f}"]
            else:
                cells += ["–", "–"]
        print("| " + " | ".join(cells) + " |", flush=True)


def shown(values):
    """Their median and range."""
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"
