"""What there is to choose from: the table of all strategies."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
from pydantic.fields import FieldInfo

from bess_opt.strategies import discover
from bess_opt.strategy import Strategy
from bess_opt.tables import allowed


def strategies() -> pd.DataFrame:
    """All strategies, one row per name: summary, options, needed series, unit and sense of the score.

    `options` has a line per option: its default as TOML, range, unit and meaning. `needs` are
    kinds of series, with a comma between them.
    """
    rows = {name: _row(strategy) for name, strategy in discover().items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="strategy")


def _row(strategy: Strategy) -> dict[str, Any]:
    options = strategy.options.model_fields
    return {
        "summary": strategy.summary,
        "options": "\n".join(_option(name, field) for name, field in options.items()),
        "needs": ", ".join(strategy.needs),
        "score_unit": strategy.score_unit,
        "score_sense": strategy.score_sense,
    }


def _option(name: str, field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    stated = "" if default is None else f" = {json.dumps(default, default=str)}"
    return f"{name}{' (required)' if field.is_required() else stated}: {allowed(field)}"
