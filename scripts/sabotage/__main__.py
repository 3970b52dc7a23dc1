"""Break the lab's deployments, one fault at a time, and print what `hoplab verify` does not notice.

    python -m scripts.sabotage [--faults 'nginx/*'] [--prove] [-o docs/sabotage.md] [--json FILE]

With --resume, what an interrupted run judged is kept in a file, and not asked again: until that
fault changes, or the code, the proxies' files or the applications.

With --prove, a plain client asks the broken and the unbroken lab the same, and says where the
answers differ: a fault that nobody can see from outside is none.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue
from threading import Event

from hoplab.catalogue import load
from hoplab.errors import HoplabError
from hoplab.system import interrupts
from hoplab.workspace import checkout
from scripts.sabotage import faults, report
from scripts.sabotage.faults import Fault
from scripts.sabotage.judged import Judged, of_lab
from scripts.sabotage.judging import Judge, Judgement, Unbroken
from scripts.sabotage.lab import Lab, copied
from scripts.sabotage.plain import Differences

LABS = 4
"""More than cores: they wait more than they work."""


def main() -> int:
    """The command line. Exit 0 whatever was noticed: that is the result, and no failure."""
    parser = argparse.ArgumentParser(prog="python -m scripts.sabotage", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--faults", default="*", metavar="GLOBS", help="of names: nginx/* caddy/mirror"
    )
    parser.add_argument("--prove", action="store_true", help="ask with a plain client as well")
    parser.add_argument(
        "--resume", type=Path, metavar="FILE", help="go on where it was interrupted"
    )
    parser.add_argument("-o", "--output", type=Path, help="write the tables here, after the mark")
    parser.add_argument("--json", type=Path, help="write every judgement here")
    given = parser.parse_args()
    interrupts.install()
    judgements: list[Judgement] = []
    judged = Judged(given.resume, of_lab(copied(load(checkout()))) if given.resume else "")
    try:
        chosen = faults.load(given.faults)
        with tempfile.TemporaryDirectory(prefix="hoplab-sabotage-") as folder:
            for judgement in _judge(chosen, Path(folder), judged, prove=given.prove):
                judgements.append(judgement)
                print(_progress(len(judgements), len(chosen), judgement), file=sys.stderr)
    except HoplabError as error:
        print(f"sabotage: {error}", file=sys.stderr)
        return 1
    except interrupts.Interrupted:
        print(f"sabotage: interrupted after {len(judgements)} faults", file=sys.stderr)
        raise
    finally:
        if judgements:  # what was asked until Ctrl-C is shown, but not published
            whole = len(judgements) == len(chosen)
            _write(judgements, given.output if whole else None, given.json)
            if whole and given.output:
                judged.forget()
    return 0


def _judge(
    chosen: list[Fault], folder: Path, judged: Judged, *, prove: bool
) -> Iterator[Judgement]:
    """Every fault, in order; some at the same time, each in a copy of the lab of its own.

    Ctrl-C ends all of them at once.
    """
    ended = Event()
    idle: SimpleQueue[tuple[Judge, Differences]] = SimpleQueue()
    unbroken = Unbroken()
    for number in range(LABS):
        lab = Lab(folder / str(number), ended)
        idle.put((Judge(lab, unbroken), Differences(lab)))

    def judge(fault: Fault) -> Judgement:
        if known := judged.get(fault):
            return known
        judge, differences = pair = idle.get()
        try:
            judgement = judge.judge(fault, differences.of(fault) if prove else None)
            judged.add(judgement)
            return judgement
        finally:
            idle.put(pair)

    pool = ThreadPoolExecutor(LABS)
    try:
        for judging in [pool.submit(judge, fault) for fault in chosen]:
            while not wait([judging], timeout=0.1).done:
                interrupts.check()
            yield judging.result()
    finally:
        ended.set()
        pool.shutdown(cancel_futures=True)


def _write(judgements: list[Judgement], output: Path | None, file: Path | None) -> None:
    before = report.read_json(report.BEFORE) if report.BEFORE.exists() else {}
    told = report.tables(judgements, before)
    print(told)
    if output:
        report.publish(told, output)
    if file:
        report.write_json(judgements, file)


def _progress(number: int, of: int, judgement: Judgement) -> str:
    told = f"{number}/{of} {judgement.fault.name}: {judgement.outcome}"
    if judgement.by:
        told += f" ({judgement.by[0][:120]})"
    if judgement.shown is not None:
        told += f"; a plain client sees {len(judgement.shown)} differences"
        told += f": {', '.join(judgement.shown[:4])}" * bool(judgement.shown)
    return told


if __name__ == "__main__":
    sys.exit(main())
