"""A run: ``python -m tools.chaos [--storage redis|postgres|memory] [--seconds 300] [--seed N]``.

Starts a fleet with its own data, submits jobs of a dozen kinds, kills, pauses and stops processes at random meanwhile,
the broker and the storage among them, and waits until every job has ended. Then it checks that each order became one
job which ended once, as promised, with no more attempts than allowed, no attempt missing from its history, no success
of an attempt that had lost its lease, and its success told once; and prints figures. Ends with 1 if a promise was
broken. The same seed gives the same jobs and the same faults; what meets what is up to the machine.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from random import SystemRandom

import uvloop

from tools.chaos.faults import Fault
from tools.chaos.fleet import Fleet
from tools.chaos.run import Plan, Run
from tools.chaos.verdict import Verdict

_SHOWN_PROBLEMS = 30


def one_run(storage: str, plan: Plan, *, verbose: bool) -> bool:
    """Whether every promise was kept. The folder with data and logs stays if not."""
    folder = Path(tempfile.mkdtemp(prefix="gotask-chaos-"))
    print(
        f"storage {storage}, seed {plan.seed}: {plan.seconds:g} s, {plan.rate:g} jobs/s, a fault every {plan.every:g} s"
    )
    fleet = Fleet(storage, folder)
    run = Run(fleet, plan, _print_fault if verbose else lambda _: None)
    try:
        fleet.start()
        verdict = uvloop.run(run.go())
    finally:
        fleet.kill()
    ends = {name: part.own_ends for name, part in fleet.parts.items() if part.own_ends}
    verdict.problems += [f"{name} ended by itself, with {codes}" for name, codes in ends.items()]
    _show(run, verdict)
    if verdict.problems:
        print(f"  the logs are in {folder}")
    else:
        shutil.rmtree(folder)
    return not verdict.problems


def _print_fault(fault: Fault) -> None:
    print(f"  {fault}", flush=True)


def _show(run: Run, verdict: Verdict) -> None:
    _row("faults", sum(run.faults.values()), run.faults)
    _row("submissions", sum(run.answers.values()), run.answers)
    _row("jobs", verdict.jobs, verdict.ends)
    _row("attempts", sum(verdict.attempts.values()), verdict.attempts)
    print(f"  at once in the narrow queue  {verdict.most_at_once}")
    print(f"  settled {run.settled_s:.1f} s after the last fault")
    for problem in verdict.problems[:_SHOWN_PROBLEMS]:
        print(f"  BROKEN  {problem}")
    print(f"  {len(verdict.problems) or 'no'} promises broken")


def _row(name: str, total: int, parts: Mapping[str, int]) -> None:
    print(f"  {name:<12} {total:7}  " + ", ".join(f"{count} {part}" for part, count in sorted(parts.items())))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--storage", choices=["redis", "postgres", "memory", "all"], default="all")
    parser.add_argument("--seconds", type=float, default=300, help="how long jobs are submitted, per storage")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    parser.add_argument("--rate", type=float, default=100, help="jobs per second")
    parser.add_argument("--every", type=float, default=2, help="seconds from fault to fault, on average")
    parser.add_argument("--verbose", action="store_true", help="print each fault")
    options = parser.parse_args()
    plan = Plan(options.seed, options.seconds, options.rate, options.every)
    storages = ["redis", "postgres", "memory"] if options.storage == "all" else [options.storage]
    kept = [one_run(storage, plan, verbose=options.verbose) for storage in storages]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
