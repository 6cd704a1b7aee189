"""Faults and attacks on the real daemon, the quick ones; scripts/torture has the campaigns (docs/reliability.md)."""
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "torture"))
import attack
import disk
import limits
import state
from support import Run, Skip
from harness import *


class Campaigns(DaemonCase):
    """A few rounds of each campaign that needs no more than seconds."""

    autostart = False

    def perform(self, case, rounds):
        run = Run(self.folder, seed=1, rounds=rounds)
        self.addCleanup(run.close)
        try:
            case(run)
        except Skip as e:
            self.skipTest(str(e))
        self.assertGreaterEqual(run.done, 1)

    def test_a_full_disk(self):
        self.perform(disk.disk_full, 2)

    def test_a_sync_that_takes_long(self):
        self.perform(disk.slow_sync, 1)

    def test_calls_that_fail(self):
        self.perform(disk.fail_sync, 8)

    def test_no_descriptors_left(self):
        self.perform(limits.emfile, 2)

    def test_a_reader_that_keeps_its_snapshot(self):
        self.perform(state.reader, 1)


class Strangers(DaemonCase):
    """Attacks that need no waiting for time limits."""

    def test_forms_that_are_bombs(self):
        attack.form_bombs(self.daemon, random.Random(1))

    def test_heads_without_end(self):
        attack.huge_heads(self.daemon, random.Random(1))

    def test_signatures_that_are_forged(self):
        attack.forged_signatures(self.daemon, random.Random(1))

    def test_log_lines_that_are_forged(self):
        attack.log_injection(self.daemon, random.Random(1))


if __name__ == "__main__":
    unittest.main()
