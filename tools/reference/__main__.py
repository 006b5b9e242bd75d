"""Writes the reference pages, or says which are stale."""

import argparse
import sys

from tools.reference import ROOT, rendered, stale, write


def main() -> int:
    """The exit code: 1 when pages are stale."""
    parser = argparse.ArgumentParser(prog="tools.reference")
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        write(ROOT, rendered())
        return 0
    pages = stale(ROOT, rendered())
    for page in pages:
        print(f"{page} is not current: run `make reference`", file=sys.stderr)
    return 1 if pages else 0


if __name__ == "__main__":
    sys.exit(main())
