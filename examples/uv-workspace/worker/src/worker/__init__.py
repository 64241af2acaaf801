"""Reads lines such as `0,0 3,4` and writes how far the points lie apart."""

import sys

import idna
from core import distance


def main() -> None:
    print(f"idna {idna.__version__}", file=sys.stderr)
    for line in sys.stdin:
        a, b = ([float(number) for number in point.split(",")] for point in line.split())
        print(distance(a, b), flush=True)
