"""Prices of the Midcontinent ISO: one line for each node and component, hours "HE 1" to "HE 24" as columns.

Hours end on Eastern standard time all year, as the file says in its fourth line.
"""

from __future__ import annotations

import re

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.delimited import text_rows
from bess_opt.inputs.readers.file.opened import Opened
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log
from bess_opt.inputs.readers.wide import DATE, PERIOD, melt

_HOUR = re.compile(r"HE ?\d{1,2}", re.IGNORECASE)


def _knows(opened: Opened) -> bool:
    return bool(re.search(r"^\"?Node\"?,\"?Type\"?,\"?Value\"?,\"?HE ?1\"?,", opened.head, re.MULTILINE))


def _table(opened: Opened, stated: Stated, log: Log) -> Table:
    rows = text_rows(opened, ",")
    at = next(i for i, row in enumerate(rows) if row[:3] == ["Node", "Type", "Value"])
    dates = [cell for row in rows[:at] for cell in row if re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", cell)]
    if len(dates) != 1:
        raise problem("unreadable_file", opened.source, "does not say its day above the header", "download it again")
    names = [cell for cell in rows[at] if cell]
    data = [row for row in rows[at + 1 :] if any(row)]
    odd = next((i for i, row in enumerate(data) if len([c for c in row if c]) != len(names)), None)
    if odd is not None:
        where = f"{opened.source} row {at + 2 + odd}"
        raise problem("unreadable_file", where, "has not a cell for each hour", "download it again")
    table = Table.of(
        opened.source, {name: [row[i] for row in data] for i, name in enumerate(names)}, first_row=at + 2
    )
    dated = table.with_column("day", Table.of("", {"day": dates * len(table)}).cells("day"))
    labels = [name for name in names if _HOUR.fullmatch(name)]
    return melt(dated, "day", labels, ["Node", "Type", "Value"])


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    return Layout(
        values={"price": Values(r"^value of the cell$", "USD/MWh")},
        date=DATE,
        period=PERIOD,
        first_period=1,
        counted=False,
        step_min=60.0,
        clock="Etc/GMT+5",
        zone="Etc/GMT+5",
        places=("Node",),
        keep=(("Value", "LMP", "rows of LMP, the whole price, are used; its parts are left out"),),
        order="month first",
    )


KIND = Kind(
    "MISO",
    '"Node,Type,Value,HE 1,HE 2,..." below "All Hours-Ending are Eastern Standard Time"',
    "misoenergy.org, market reports *_da_expost_lmp.csv",
    _knows,
    _layout,
    "text",
    _table,
)
