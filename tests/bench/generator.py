# SPDX-License-Identifier: ISC
"""What load generators say."""

import re


def figures(text):
    """What load generators say: a dict for each line by its port, the one for all by None."""
    found = {}
    for line in text.splitlines():
        values = {key: float(value) for key, value in re.findall(r"(\w+)=([\d.]+)", line)}
        if values:
            found[int(values["port"]) if "port" in values else None] = values
    return found
