"""What there is to choose from: the table of all strategies."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
from pydantic.fields import FieldInfo

from bess_opt.common.input_table import allowed
from bess_opt.strategies.shared.contract import Strategy
from bess_opt.strategies.shared.discovery import discover


def strategies() -> pd.DataFrame:
    """All strategies, one row per name: summary, options, needed series, unit and sense of the score.

    `options` has a line per option: its default as TOML, range, unit and meaning. `needs` are
    kinds of series, with a comma between them. Unit and sense are those of the default options.
    """
    rows = {name: _row(strategy) for name, strategy in discover().items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="strategy")


def _row(strategy: Strategy) -> dict[str, Any]:
    options = strategy.options.model_fields
    return {
        "summary": strategy.summary,
        "options": "\n".join(_option(name, field) for name, field in options.items()),
        "needs": ", ".join(strategy.needs),
        "score_unit": _by_default(strategy.score_unit, strategy),
        "score_sense": _by_default(strategy.score_sense, strategy),
    }


def _by_default(stated: str | Callable[[Any], str], strategy: Strategy) -> str:
    """A unit or sense; one that is a function of the options is shown for their defaults."""
    return stated(strategy.options()) if callable(stated) else stated


def _option(name: str, field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    stated = "" if default is None else f" = {json.dumps(default, default=str)}"
    return f"{name}{' (required)' if field.is_required() else stated}: {allowed(field)}"
