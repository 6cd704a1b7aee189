#!/usr/bin/env python3
"""Fails when a file includes a room, or a third party, that its own room may not use.

usage: layering.py REPOSITORY

The two tables are the architecture: docs/architecture.md explains them.
"""
import pathlib
import re
import sys

# room -> the rooms whose public headers it may include
ROOMS = {
    "base": set(),
    "chargify": {"base"},
    "journal": {"base"},
    "sqlite": {"base"},
    "state": {"base", "chargify", "sqlite"},
    "pipeline": {"base", "chargify", "journal", "state"},
    "quarantine": {"base", "journal"},
    "ingress": {"base", "chargify", "journal", "quarantine"},
    "admin": {"base", "chargify", "journal", "state", "pipeline", "quarantine", "ingress"},
    "config": {"base", "chargify", "journal", "state", "pipeline", "quarantine", "ingress"},
    "simulate": {"base", "chargify"},
    "ctl": {"base", "chargify", "journal", "sqlite", "state", "pipeline", "quarantine", "ingress", "admin", "config",
            "simulate"},
    "app": {"base", "chargify", "journal", "state", "pipeline", "quarantine", "ingress", "admin", "config"},
}

# start of a third party's header -> the rooms that may include it
THIRD_PARTIES = {
    "sqlite3": {"sqlite"},
    "openssl/ssl": {"ingress", "simulate"},
    "openssl/": {"chargify", "ingress", "simulate"},
    "boost/beast": {"ingress", "simulate"},
    "boost/asio/ssl": {"ingress", "simulate"},
    "boost/asio": {"ingress", "simulate", "app"},
    "boost/url": {"ingress", "simulate"},
    "spdlog/fmt": set(ROOMS),
    "spdlog/": {"base"},
    "prometheus/": {"base"},
    "toml++": {"config"},
    "CLI/": {"ctl", "app"},
    "systemd/": {"app"},
    "zstd": {"journal"},
    "xxhash": {"journal"},
    "nlohmann/": {"base", "state", "admin", "ctl"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]')


def room_of(path, root):
    parts = path.relative_to(root).parts
    return parts[2] if parts[0] == "include" else parts[1]


def violations(root):
    files = sorted(root.glob("src/**/*.[ch]pp")) + sorted(root.glob("include/**/*.hpp"))
    if not files:
        yield f"{root}: no sources found"
    for path in files:
        room = room_of(path, root)
        if room not in ROOMS:
            yield f"{path}: {room} is not a room; add it to the table or move the file"
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            name = found[1]
            if name.startswith("chargifyd/"):
                other = name.split("/")[1]
                if other != room and other not in ROOMS[room]:
                    yield f"{path}:{number}: {room} may not include {other}"
                continue
            first = name.split("/")[0]
            if "/" in name and first in ROOMS and first != room:
                yield f"{path}:{number}: {room} reaches into the private headers of {first}"
            for start, allowed in THIRD_PARTIES.items():
                if name.startswith(start):
                    if room not in allowed:
                        yield f"{path}:{number}: {room} may not include <{name}>"
                    break


def main():
    found = list(violations(pathlib.Path(sys.argv[1]).resolve()))
    print("\n".join(found) if found else "layering: clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
