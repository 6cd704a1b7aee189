#!/usr/bin/env python3
"""Counts the instructions of one webhook with callgrind and compares them with those recorded. Unlike times, they are the
same on a busy machine.

usage: instructions.py BENCH_INSTRUCTIONS [--record] [--show] [--only PATH[,PATH]]

Counted are the paths of bench_instructions, by what the instructions belong to: the program, OpenSSL, SQLite, other
libraries. A part that makes up a tenth of its path or more may grow by the tolerance. Prints what is above it, and nothing
else; --show prints everything, --record writes it to instructions.json. What was recorded with another compiler, library or
kind of processor is not compared.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

RECORD = pathlib.Path(__file__).with_name("instructions.json")
PATHS = ["ack", "ack_tls", "prepare_payments", "prepare_renewals", "apply_payments", "apply_renewals"]
LIBRARIES = {"libcrypto": "openssl", "libssl": "openssl", "libsqlite3": "sqlite"}
COST = re.compile(r"^[+*\-\d]\S* (\d+)$")
# The thread of the clients, which is not what is measured.
CLIENTS = {"ack": "-01", "ack_tls": "-01"}


def own_costs(dump, program):
    """Instructions by part, from one file of callgrind."""
    names, costs, part, skip = {}, {}, "libraries", False
    for line in dump.open():
        found = re.match(r"^c?ob=(\(\d+\))(?: (.*))?$", line)
        if found:
            names.setdefault(found[1], found[2])
            if line.startswith("ob="):
                name = pathlib.Path(names[found[1]] or "").name
                part = "program" if name == program else LIBRARIES.get(name.split(".")[0], "libraries")
        elif line.startswith("calls="):
            skip = True  # the next line is what the callee cost, counted there
        else:
            cost = COST.match(line)
            if cost and not skip:
                costs[part] = costs.get(part, 0) + int(cost[1])
            skip = skip and not cost
    return costs


def measure(binary, path):
    """Instructions of one webhook, by part."""
    with tempfile.TemporaryDirectory(prefix="chargifyd-bench-") as folder:
        out = pathlib.Path(folder, "count")
        done = subprocess.run(["valgrind", "--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes",
                               f"--callgrind-out-file={out}", binary, path], capture_output=True, text=True, timeout=300,
                              env={**os.environ, "TMPDIR": folder})
        if done.returncode != 0:
            sys.exit(f"instructions: {path}: {done.stderr[-2000:]}")
        total = {}
        for dump in pathlib.Path(folder).glob("count-*"):
            if not dump.name.endswith(CLIENTS.get(path, "none")):
                for part, cost in own_costs(dump, binary.name).items():
                    total[part] = total.get(part, 0) + cost
    webhooks = int(done.stdout.split()[-1])
    return {part: round(cost / webhooks) for part, cost in sorted(total.items())}


def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0]
    except (OSError, IndexError):
        return "none"


def toolchain():
    """What the counts depend on besides the code. Valgrind shows programs a processor without the newest instructions."""
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    return {"compiler": first_line("c++", "--version"), "openssl": first_line("openssl", "version"),
            "sqlite": first_line("sqlite3", "--version").split(" ")[0], "libc": " ".join(platform.libc_ver()),
            "valgrind": first_line("valgrind", "--version"),
            "processor": platform.machine() + (" with avx2" if " avx2 " in flags else "")}


def judge(path, was, now, tolerance):
    """Sentences about parts that grew."""
    total = sum(now.values())
    for part, count in now.items():
        before = was.get(part, 0)
        if count > before * (1 + tolerance) and count >= total / 10:
            yield f"{path}: {part}: {count:,} instructions for a webhook, recorded {before:,} ({count / max(before, 1) - 1:+.1%})"
    before = sum(was.values())
    if total > before * (1 + tolerance):
        yield f"{path}: all: {total:,} instructions for a webhook, recorded {before:,} ({total / before - 1:+.1%})"


def show(path, was, now):
    total, before = sum(now.values()), sum(was.values())
    parts = ", ".join(f"{part} {count:,}" for part, count in now.items())
    print(f"{path:18}{total:>10,}{f'{total / before - 1:+.1%}' if before else 'new':>9}   {parts}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--only", type=lambda text: text.split(","), default=PATHS)
    options = parser.parse_args()
    recorded = json.loads(RECORD.read_text()) if RECORD.exists() else {"tolerance": 0.05, "toolchain": {}, "webhook": {}}
    here, problems = toolchain(), []
    for path in options.only:
        now, was = measure(options.binary.resolve(), path), recorded["webhook"].get(path, {})
        if options.show or options.record:
            show(path, was, now)
        if options.record:
            recorded["webhook"][path] = now
        elif was:
            problems += judge(path, was, now, recorded["tolerance"])
        else:
            problems.append(f"{path}: nothing is recorded")
    if options.record:
        recorded["toolchain"] = here
        RECORD.write_text(json.dumps(recorded, indent=2) + "\n")
        return 0
    if problems and here != recorded["toolchain"]:
        other = [f"{k} {here[k]} instead of {recorded['toolchain'].get(k)}" for k in here if here[k] != recorded["toolchain"].get(k)]
        print(f"instructions: not compared: {'; '.join(other)}", file=sys.stderr)
        return 0
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
