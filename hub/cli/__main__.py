"""`python -m hub.cli`: the same as `metip`, where that is not on PATH."""

from hub.cli import main

if __name__ == "__main__":
    main(prog_name="metip")
