"""`python -m tests.fuzz`: documents that nobody would send, for every decoder; exits with 1 when a decoder crashes, sticks or swells."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))  # as pytest has it; nobody else needs it on the path

from tests.fuzz.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
