"""CSV reports of CAISO's OASIS (also zipped): one row per interval, node and price component, in GMT, unsorted."""

from __future__ import annotations

from bess_opt.inputs.readers.format import Format, Found, Request, choose, one_place
from bess_opt.inputs.readers.problems import note, problem
from bess_opt.inputs.readers.sheet import Sheet
from bess_opt.inputs.readers.stamps import read_offsets

_START, _ZONE = "INTERVALSTARTTIME_GMT", "America/Los_Angeles"
_PLACES = ("NODE", "NODE_ID", "TAC_AREA_NAME", "TAC_ZONE_NAME")
_VALUES = ("MW", "LMP_PRC", "PRC", "VALUE")


def _knows(sheet: Sheet) -> bool:
    return _START in sheet.header


def _read(sheet: Sheet, request: Request) -> Found:
    notes = []
    if "LMP_TYPE" in sheet.header:
        if request.quantity != "price":
            raise problem("missing_column", sheet.source, "holds prices, no load", "read it with bo.read_prices")
        kinds = sheet.cells("LMP_TYPE")
        sheet = sheet.kept([i for i, kind in enumerate(kinds) if kind == "LMP"])
        if len(set(kinds)) > 1:
            what = "rows of LMP, the whole price, are used; its parts are left out"
            notes.append(note(f"{sheet.source} column LMP_TYPE", what))
    elif request.quantity != "load":
        raise problem("missing_column", sheet.source, "has no column LMP_TYPE", "give a report PRC_LMP")
    if not sheet.columns[0]:
        raise problem("empty_series", sheet.source, "has no row of LMP", "give a report with the whole price")
    for name in _PLACES:
        if name in sheet.header:
            sheet = one_place(sheet, request, name)
            notes.append(note(f"{sheet.source} column {name}", f"the series is {sheet.cells(name)[0]}"))
            break
    runs = sorted(set(sheet.cells("MARKET_RUN_ID"))) if "MARKET_RUN_ID" in sheet.header else []
    if len(runs) > 1:
        expected = "keep the rows of one market in the file"
        raise problem("several_places", sheet.source, f"column MARKET_RUN_ID holds {', '.join(runs)}", expected)
    column = choose(sheet, request, [name for name in _VALUES if name in sheet.header])
    if request.quantity == "price" and column == "MW":
        notes.append(note(f"{sheet.source} column MW", "holds the price in USD/MWh, as in every OASIS price report"))
    unit = "USD/MWh" if request.quantity == "price" else "MW"
    starts = read_offsets(sheet.source, [_zoned(cell) for cell in sheet.cells(_START)])
    return Found(starts, sheet.numbers(column), unit, _ZONE, column, tuple(notes))


def _zoned(text: str) -> str:
    return text.replace("-00:00", "+00:00")


FORMAT = Format("CAISO OASIS", '"INTERVALSTARTTIME_GMT", "LMP_TYPE", "MW"', _knows, _read)
