# SPDX-License-Identifier: ISC
"""All scenarios, and the differences that stay as the migration page shows them."""

import re

from table import ALL
import scenarios_config  # noqa: F401
import scenarios_attributes  # noqa: F401
import scenarios_access  # noqa: F401
import scenarios_life  # noqa: F401
import scenarios_rpc  # noqa: F401
import differences  # noqa: F401

BEGIN, END = "<!-- differences: begin -->\n", "<!-- differences: end -->\n"
HEADINGS = (("D", "### Where xinetd is broken\n"), ("own", "### Where usherd decides otherwise\n"),
            ("new", "### Where usherd takes more\n"))


def table_text():
    """Markdown: one line a difference, with the defect's number and the scenarios that show it."""
    rows = {}
    for scenario in ALL:
        for difference in scenario.differs:
            rows.setdefault((difference.ref, difference.why), []).append(scenario.name)
    parts = []
    for kind, heading in HEADINGS:
        lines = []
        for (ref, why), names in rows.items():
            if not ref.startswith(kind):
                continue
            number = int(re.sub(r"\D", "", ref) or 0)
            shown = ", ".join("`%s`" % name for name in names[:3]) + (" and %d more" % (len(names) - 3) if names[3:] else "")
            lines.append((number, "| %s%s | %s |\n" % (ref + " | " if number else "", why if re.match("tcpmux", why) else why[0].upper() + why[1:], shown)))
        columns = ("defect | ", "---|") if kind == "D" else ("", "")
        parts.append("%s\n| %swhat usherd does, and xinetd does not | shown by |\n|%s---|---|\n%s" % (
            heading, columns[0], columns[1], "".join(line for _, line in sorted(lines, key=lambda row: row[0]))))
    return "\n".join(parts)


def with_table(page):
    """The page with the table between its marks."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + "\n" + table_text() + "\n" + END + rest.split(END)[1]
