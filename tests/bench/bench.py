#!/usr/bin/env python3
"""Runs the cases and prints what came out. Called by scripts/bench, which builds what is measured.

usage: bench.py BUILD-FOLDER [--quick | --full] [--only CASE[,CASE]] [--seconds N] [--rounds N] [--json FILE]
"""
import argparse
import datetime
import json
import pathlib
import resource
import subprocess
import sys
import time

import report
from cases import CASES
from lab import Lab, machine

# How much is measured. `full` differs from `usual` in the growth alone.
USUAL = {"seconds": 5, "rounds": 3, "rates": [1000, 2500, 5000, 10000, 15000, 20000], "connections": [1, 4, 16, 64, 256, 1024],
         "sizes": [10_000, 100_000, 1_000_000], "rebuild": 300_000, "idle": 10_000, "compress": 100_000, "journalled": 100_000_000,
         "terabyte": 262_144_000}
QUICK = {"seconds": 1, "rounds": 1, "rates": [1000, 5000, 10000], "connections": [1, 64], "sizes": [1000, 10_000],
         "rebuild": 10_000, "idle": 1000, "compress": 20_000, "journalled": 10_000_000,
         "terabyte": 20_000_000}
FULL = {**USUAL, "sizes": USUAL["sizes"] + [10_000_000]}


def read_options():
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("build", type=pathlib.Path)
    scope = parser.add_mutually_exclusive_group()
    scope.add_argument("--quick", dest="scope", action="store_const", const=QUICK, default=USUAL)
    scope.add_argument("--full", dest="scope", action="store_const", const=FULL)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(CASES))
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path, help="where state is kept meanwhile (default: the build folder)")
    given = parser.parse_args()
    for name, value in given.scope.items():
        if getattr(given, name, None) is None:
            setattr(given, name, value)
    unknown = [name for name in given.only if name not in CASES]
    if unknown:
        parser.error(f"no such case: {', '.join(unknown)}; there are {', '.join(CASES)}")
    given.folder = (given.folder or given.build).resolve()
    return given


def main():
    options = read_options()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    results = {"date": datetime.date.today().isoformat(), "version": commit, "machine": machine(options.folder),
               "options": {name: getattr(options, name) for name in USUAL}, "cases": {}}
    if options.json and options.json.exists():
        results["cases"] = json.loads(options.json.read_text())["cases"]  # those that are not run again stay
    failed = []
    with Lab(options.build, options) as lab:
        for name in options.only:
            lab.say(f"{name}: {CASES[name].__doc__.splitlines()[0]}")
            began = time.monotonic()
            try:
                results["cases"][name] = CASES[name](lab)
            except (RuntimeError, OSError, subprocess.SubprocessError) as e:
                failed.append(name)
                lab.say(f"  failed: {e}")
            lab.say(f"  took {time.monotonic() - began:.0f} s")
            if options.json:
                options.json.write_text(json.dumps(results, indent=1) + "\n")
    print(report.as_text(results))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
