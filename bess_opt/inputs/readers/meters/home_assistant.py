"""History of Home Assistant: changes of states at irregular times in UTC. Powers hold, meter readings rise."""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.reading import Log


def _knows(table: Table) -> bool:
    return table.has("entity_id", "state", "last_changed")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    return Layout(
        values={"load": Values(r"^state$"), "solar": Values(r"^state$"), "price": Values(r"^state$")},
        utc="last_changed",
        stamps="start",
        places=("entity_id",),
        held=True,
    )


KIND = Kind(
    "Home Assistant history",
    '"entity_id","state","last_changed"',
    "home-assistant.io, history, download data",
    _knows,
    _layout,
)
