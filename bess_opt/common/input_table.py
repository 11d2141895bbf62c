"""The base of every frozen input table, and what turns pydantic's complaints into our findings.

A table refuses unknown keys, text or booleans as numbers, NaN and infinity. Whatever is wrong, and however
the table is built, the caller gets one `ScenarioError` that lists every problem.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, NoReturn, TypeVar, get_args

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.names import nearest
from bess_opt.common.wording import show

_OWN = "bess_opt_findings"
MOST_TOLD = 30  # problems of one table that are told one by one
LARGEST = 1e12  # of any number of an input: beyond, sums of a year lose the small ones beside it


def plain(value: object) -> object:
    """Numpy scalars as Python's own: a sweep over an array is fine, an array is not a number."""
    return value.item() if isinstance(value, np.generic) else value


def _not_absurd(value: float) -> float:
    if abs(value) > LARGEST:
        reject([Finding("wrong_value", "", f"found {show(value)}", f"give a number of at most {LARGEST:g}")])
    return value


Number = Annotated[float, Strict(), BeforeValidator(plain), AfterValidator(_not_absurd)]
Count = Annotated[int, Strict(), BeforeValidator(plain)]
Flag = Annotated[bool, Strict(), BeforeValidator(plain)]


def _printable(value: str) -> str:
    """A text as it may stand in a table, a picture or a terminal."""
    if any(unicodedata.category(letter).startswith("C") for letter in value):
        reject([Finding("wrong_value", "", f"found {show(value)}", "give a text without control characters")])
    return value


Text = Annotated[str, Strict(), AfterValidator(_printable)]


def quantity(
    meaning: str,
    unit: str,
    *,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
) -> Any:
    """Field of a number: its meaning, its `unit` ("1" for a fraction) and its allowed range."""
    return Field(description=f"{meaning} [{unit}]", json_schema_extra={"unit": unit}, gt=gt, ge=ge, lt=lt, le=le)


class Table(BaseModel):
    """A frozen table of a scenario. Keyword arguments only; raises `ScenarioError`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    where: ClassVar[str] = ""

    def __init__(self, /, *positional: object, **values: Any) -> None:
        if positional:
            found = f"found {len(positional)} values without a key"
            keys = ", ".join(keys_of(type(self)))
            raise ScenarioError([Finding("no_key", self.where, found, f"name each value: {keys}")])
        try:
            self.__pydantic_validator__.validate_python(values, self_instance=self)
        except ValidationError as error:
            raise ScenarioError(translate(error, type(self), self.where)) from None

    # Marks this __init__ as pydantic's own, so that nested tables report to the outer one.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def stated(self) -> dict[str, Any]:
        """The keys that were given, not those left at their defaults; values as they are."""
        fields = type(self).model_fields
        return {
            field.alias or key: getattr(self, key) for key, field in fields.items() if key in self.model_fields_set
        }

    def to_plain(self) -> dict[str, Any]:
        """Every key that has a value, as plain data that TOML can hold."""
        return dict(self.model_dump(mode="json", by_alias=True, exclude_none=True))

    def merged(self, changes: Mapping[str, Any], whole: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The stated keys with `changes` over them; inner tables merge too, save those named in `whole`."""
        result = self.stated()
        for key, value in changes.items():
            inner = getattr(self, key, None)
            merge = isinstance(inner, Table) and isinstance(value, Mapping) and key not in whole
            result[key] = inner.merged(value) if merge and isinstance(inner, Table) else value
        return result


def keys_of(kind: type[Table]) -> list[str]:
    """The keys of a table as users write them."""
    return [field.alias or key for key, field in kind.model_fields.items()]


T = TypeVar("T", bound=Table)


def read_table(kind: type[T], value: object, where: str) -> tuple[T | None, list[Finding]]:
    """The table of `kind` from an instance or a mapping, or None with all its problems."""
    if isinstance(value, kind):
        return value, []
    if not isinstance(value, Mapping):
        return None, [Finding("no_table", where, f"found {show(value)}", f"give a table [{where}]")]
    try:
        return kind.model_validate(dict(value)), []
    except ValidationError as error:
        return None, translate(error, kind, where)


def salvage(kind: type[T], value: object, where: str) -> T:
    """What is right in a table that is wrong, so that checks which need a part of it can still run."""
    table, problems = read_table(kind, {} if value is None else value, where)
    if table is not None or not isinstance(value, Mapping):
        return table or kind()
    wrong = {problem.where.removeprefix(f"{where}.").split(".")[0] for problem in problems}
    good = {key: item for key, item in value.items() if key not in wrong}
    return read_table(kind, good, where)[0] or kind()


def reject(findings: Iterable[Finding]) -> NoReturn:
    """Raise from inside a validator; `where` of each finding is relative to the table it guards."""
    raise PydanticCustomError(_OWN, "see findings", {"findings": tuple(findings)})


def translate(error: ValidationError, kind: type[Table], where: str) -> list[Finding]:
    """Pydantic's errors as findings in plain words, each with what was found and what is allowed."""
    findings: list[Finding] = []
    errors = error.errors(include_url=False)
    for details in errors[:MOST_TOLD]:
        place = _join(where, details["loc"])
        if details["type"] == _OWN:
            findings += [
                Finding(f.code, place + ("." if f.where and place else "") + f.where, f.found, f.expected)
                for f in details["ctx"]["findings"]
            ]
        else:
            findings.append(_finding(details, kind, place))
    return findings + untold(where, len(errors) - MOST_TOLD)


def untold(where: str, count: int) -> list[Finding]:
    """A finding for the problems beyond those that are told, so that nobody reads thousands; none for none."""
    if count <= 0:
        return []
    found = f"{count:,} more problem" + ("s" if count > 1 else "")
    return [Finding("more_problems", where, found, "mend those above first")]


def _finding(details: ErrorDetails, kind: type[Table], place: str) -> Finding:
    parent, field = _field_at(kind, details["loc"])
    found = f"found {show(details['input'])}"
    match details["type"]:
        case "extra_forbidden":
            name = str(details["loc"][-1])
            return Finding("unknown_key", place, f"unknown key {show(name)}", nearest(name, keys_of(parent)))
        case "missing":
            return Finding("missing_key", place, "is missing", f"give {allowed(field)}")
        case "literal_error":
            words = re.findall(r"'([^']*)'", details["ctx"]["expected"])
            hint = nearest(str(details["input"]), words)
            choice = ", ".join(repr(word) for word in words)
            return Finding("unknown_word", place, found, hint if "one of" in hint else f"{hint} ({choice})")
        case _:
            return Finding("wrong_value", place, found, f"give {allowed(field) or details['msg']}")


def _join(where: str, loc: tuple[int | str, ...]) -> str:
    """Path such as tariff.energy[2].hours; parts in brackets are pydantic's own, not keys."""
    for part in loc:
        if isinstance(part, int):
            where += f"[{part}]"
        elif not part.startswith("(") and part != "[key]":
            where += f".{part}" if where else part
    return where


def _field_at(kind: type[Table], loc: tuple[int | str, ...]) -> tuple[type[Table], FieldInfo | None]:
    """The innermost table on the way to `loc`, and the field there."""
    field: FieldInfo | None = None
    for part in loc:
        if not isinstance(part, str) or part.startswith("("):
            continue
        if field is not None:
            inner = [leaf for leaf in _leaves(field.annotation) if isinstance(leaf, type)]
            tables = [leaf for leaf in inner if issubclass(leaf, Table)]
            kind = next((table for table in tables if part in keys_of(table)), tables[0] if tables else kind)
        field = next((f for key, f in kind.model_fields.items() if part in (key, f.alias)), field)
    return kind, field


_SIGNS: dict[type, str] = {Gt: ">", Ge: ">=", Lt: "<", Le: "<="}


def allowed(field: FieldInfo | None) -> str:
    """What a field takes, in words: kind, range and unit of a number, and the meaning."""
    if field is None:
        return ""
    meaning, extra = field.description or "", field.json_schema_extra
    if not isinstance(extra, dict) or "unit" not in extra:
        return meaning
    limits = [
        f"{sign} {getattr(limit, kind.__name__.lower()):g}"
        for limit in field.metadata
        for kind, sign in _SIGNS.items()
        if isinstance(limit, kind)
    ]
    number = "a whole number" if int in _leaves(field.annotation) else "a number"
    unit = "" if extra["unit"] == "1" else f" {extra['unit']}"
    words = f"{number} {' and '.join(limits)}".strip() + unit
    return f"{words} ({meaning.rpartition(' [')[0]})"


def _leaves(annotation: object) -> list[object]:
    """The plain types inside an annotation."""
    inner = [leaf for argument in get_args(annotation) for leaf in _leaves(argument)]
    return inner or [annotation]
