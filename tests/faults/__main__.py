"""`python -m tests.faults`: faults against the exchange; prints the invariants by number, and exits with 1 when one is broken."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))  # as pytest has it; nobody else needs it on the path

from tests.faults.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
