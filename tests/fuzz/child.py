"""`python -m tests.fuzz.child`: a worker's process, for `tests.fuzz.running` alone."""

import sys
from pathlib import Path

from tests.fuzz.working import work

if __name__ == "__main__":
    folder, worker, workers, seed, seconds = sys.argv[1:]
    work(Path(folder), int(worker), int(workers), int(seed), float(seconds))
