# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "idna==3.11",
#     "rich==14.2.0",
# ]
# ///
"""Shows domain names as the network spells them."""

import sys

import idna
from rich.console import Console
from rich.table import Table


def report(names: list[str]) -> Table:
    table = Table("name", "on the network")
    for name in names:
        table.add_row(name, idna.encode(name).decode())
    return table


if __name__ == "__main__":
    Console(width=80).print(report(sys.argv[1:] or ["straße.example", "例え.example"]))
