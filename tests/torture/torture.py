"""Bounded campaigns of faults and attacks against the real daemon; scripts/torture starts it."""
import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import time
import traceback

parser = argparse.ArgumentParser(prog="scripts/torture", description=__doc__)
parser.add_argument("case", nargs="+")
parser.add_argument("--minutes", type=float, help="rounds for this long instead of the case's default number")
parser.add_argument("--rounds", type=int, help="this many rounds")
parser.add_argument("--binary", metavar="DIR", required=True, help="folder of chargifyd and chargifyctl")
parser.add_argument("--property-test", metavar="FILE", help="the program of tests/property, for the case 'order'")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--keep", action="store_true", help="leave the folder of a case that failed")
arguments = parser.parse_args()
os.environ["CHARGIFYD"] = str(pathlib.Path(arguments.binary).resolve() / "chargifyd")
os.environ["CHARGIFYCTL"] = str(pathlib.Path(arguments.binary).resolve() / "chargifyctl")
os.environ["PROPERTY_TEST"] = str(pathlib.Path(arguments.property_test).resolve()) if arguments.property_test else ""

# After the environment: the harness reads it when it is loaded.
import attack  # noqa: E402
import crash  # noqa: E402
import disk  # noqa: E402
import limits  # noqa: E402
import state  # noqa: E402
from support import Run, Skip  # noqa: E402

CASES = {
    "kill": crash.kill,
    "disk-full": disk.disk_full,
    "slow-sync": disk.slow_sync,
    "fail-sync": disk.fail_sync,
    "emfile": limits.emfile,
    "threads": limits.threads,
    "memory": limits.memory,
    "reader": state.reader,
    "backlog": state.backlog,
    "order": state.order,
    "attack": attack.attack,
}


def perform(name):
    """Runs a case and prints its line. False: it failed."""
    folder = tempfile.mkdtemp(prefix=f"chargifyd-{name}-")
    os.chmod(folder, 0o755)
    run = Run(folder, arguments.seed, arguments.rounds, arguments.minutes)
    begun = time.monotonic()
    result = "ok"
    try:
        CASES[name](run)
    except Skip as e:
        result = f"skipped: {e}"
    except Exception as e:
        result = f"FAILED: {e}"
        traceback.print_exc()
        for daemon in run.daemons[-1:]:
            print("\n".join(daemon.log_text().splitlines()[-15:]), file=sys.stderr)
    finally:
        run.close()
    if result.startswith("FAILED") and arguments.keep:
        run.note("see " + folder)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    seconds = time.monotonic() - begun
    print(f"{name:10} {run.done:5} rounds  {seconds:6.1f} s  {result}{'; ' if run.notes else ''}{', '.join(run.notes)}", flush=True)
    return not result.startswith("FAILED")


wanted = list(CASES) if arguments.case == ["all"] else arguments.case
unknown = [name for name in wanted if name not in CASES]
if unknown:
    parser.error(f"no case {', '.join(unknown)}; there are: {', '.join(CASES)}, all")
sys.exit(0 if all([perform(name) for name in wanted]) else 1)
