#!/usr/bin/env python3
"""How many markets a second the Python packages `shin` and `penaltyblog` free of their margin.

The price sets are those of `devig.rs`: the two-way and three-way ones of tests/fixtures/devig/cases.json with a margin
of at most 25 %. Each package is called as its documentation says, once a market, with its defaults.

    taskset -c 0 venv/bin/python benches/devig_packages.py
"""

import json
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path

import penaltyblog
import shin

FIXTURE = Path(__file__).parent.parent / "tests" / "fixtures" / "devig" / "cases.json"
ROUNDS = 15
SECONDS_A_ROUND = 0.3


def markets(sides):
    prices = [case["prices"] for case in json.loads(FIXTURE.read_text())["cases"]]
    return [p for p in prices if len(p) == sides and 1 + 1e-9 < sum(1 / d for d in p) <= 1.25]


def nanoseconds(call, prices):
    """Per market: the median of some rounds over all price sets."""
    rounds = []
    for _ in range(ROUNDS):
        passes, started = 0, time.perf_counter()
        while (spent := time.perf_counter() - started) < SECONDS_A_ROUND:
            for one in prices:
                call(one)
            passes += 1
        rounds.append(spent / (passes * len(prices)) * 1e9)
    return statistics.median(rounds)


def main():
    print(f"python {platform.python_version()}, shin {version('shin')}, penaltyblog {version('penaltyblog')}")
    for sides in (2, 3):
        prices = markets(sides)
        print(f"{sides} sides, {len(prices)} price sets")
        for name, call in (
            ("shin, shin", shin.calculate_implied_probabilities),
            ("penaltyblog, shin", lambda p: penaltyblog.implied.calculate_implied(p, method="shin")),
            ("penaltyblog, power", lambda p: penaltyblog.implied.calculate_implied(p, method="power")),
        ):
            ns = nanoseconds(call, prices)
            print(f"  {name:20} {ns / 1000:9.2f} us a market {1e9 / ns:12,.0f} markets/s")


if __name__ == "__main__":
    main()
