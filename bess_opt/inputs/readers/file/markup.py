"""JSON and XML documents, read with care for what a hostile or cut file may hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from bess_opt.inputs.readers.file.opened import Opened
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.problems import listed, problem

Element = ElementTree.Element
_CUT = "get the whole file again: it ends in the middle"


def json_of(opened: Opened) -> Any:
    """The content of a JSON file. ScenarioError where it is not well formed."""
    try:
        return json.loads(opened.text())
    except (ValueError, RecursionError) as error:
        raise problem("unreadable_file", opened.source, f"cannot be read: {error}", "mend the JSON there") from None


def xml_of(opened: Opened) -> Element:
    """The root of an XML file, whose tags have lost their namespaces.

    ScenarioError for one that is cut, and for one that declares a document type, which can make a small file huge.
    """
    text = opened.text()
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        found = "declares a document type, which no export needs"
        raise problem("unreadable_file", opened.source, found, "take the declaration out")
    first = re.search(r"<\?xml|<[A-Za-z_]", text)
    try:
        root = ElementTree.fromstring(text[first.start() if first else 0 :])
    except ElementTree.ParseError as error:
        raise problem("unreadable_file", opened.source, f"cannot be read as XML: {error}", _CUT) from None
    for element in root.iter():
        element.tag = local_name(element.tag)
    return root


def local_name(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rpartition("}")[2]


def text_of(element: Element | None, tag: str, default: str = "") -> str:
    """The text of the first descendant with a tag; `default` if there is none."""
    found = None if element is None else element.find(f".//{tag}")
    return default if found is None or found.text is None else found.text.strip()


def records_in(content: Any) -> Sequence[Mapping[str, Any]]:
    """The longest list of tables in a JSON document; empty if there is none."""
    lists = [
        place
        for place in _places(content)
        if isinstance(place, list) and place and all(isinstance(item, dict) for item in place)
    ]
    return max(lists, key=len, default=[])


def _places(content: Any, depth: int = 0) -> Iterator[Any]:
    yield content
    if depth < 6:
        inside = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
        for place in inside:
            if isinstance(place, dict | list):
                yield from _places(place, depth + 1)


def table_of_records(source: str, records: Sequence[Mapping[str, Any]], **more: Any) -> Table:
    """Tables of a JSON list as rows; nested tables become "outer.inner"."""
    flat = [_flat(record) for record in records]
    names = list(dict.fromkeys(name for record in flat for name in record))
    return Table.of(source, {name: [cell_text(record.get(name)) for record in flat] for name in names}, **more)


def table_of_lists(source: str, content: Mapping[str, Any]) -> Table | None:
    """Lists of one length as columns; None if there are no two of them."""
    lists = {key: value for key, value in content.items() if isinstance(value, list) and value}
    lengths = {len(value) for value in lists.values()}
    if len(lists) < 2 or len(lengths) != 1 or any(isinstance(v[0], dict | list) for v in lists.values()):
        return None
    return Table.of(source, {key: [cell_text(cell) for cell in cells] for key, cells in lists.items()})


def _flat(record: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            cells |= _flat(value, f"{before}{name}.")
        else:
            cells[f"{before}{name}"] = value
    return cells


def cell_text(value: Any) -> str:
    """A value of JSON as the text of a cell."""
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value)


def keys_found(content: Any) -> str:
    """The keys of a JSON document in words."""
    if isinstance(content, dict):
        return f"is JSON with the keys {listed(list(content))}"
    first = content[0] if isinstance(content, list) and content else None
    return f"is a JSON list of {listed(list(first)) if isinstance(first, dict) else type(first).__name__}"
