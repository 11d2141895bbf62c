"""Every time-series name once: its unit and its meaning. Code, docs, plots and checks read it from here."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A named time series: `unit` in square-bracket style, `meaning` in a sentence, `minimum` if one holds."""

    unit: str
    meaning: str
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class ProductName:
    """A market product that holds capacity, in one direction: its name and what it is called in words.

    `column` of the schedule is the capacity held [MW], `price_column` of the series its pay per MW and hour.
    """

    name: str
    words: str

    @property
    def column(self) -> str:
        """Name of the capacity held."""
        return f"{self.name}_mw"

    @property
    def price_column(self) -> str:
        """Name of its price."""
        return f"{self.name}_price_per_mw"


# The market products that the strategy of frequency regulation sells, whose columns every schedule has.
REGULATION: dict[str, ProductName] = {
    product.name: product
    for product in (
        ProductName("regulation_up", "upward regulation"),
        ProductName("regulation_down", "downward regulation"),
    )
}

# What a series says of one battery alone; with several its name stands before it, "north.drawn_mw".
OF_BATTERY = ("energy_min_mwh", "energy_max_mwh", "charge_limit_mw", "discharge_limit_mw", "drawn_mw")


# What a series says of a market product, by what follows the product's name, "fcr_price_per_mw".
PRODUCT_COLUMNS: dict[str, Column] = {
    "_activation_price_per_mwh": Column("currency/MWh", "price received for activated energy, in either direction"),
    "_activation_down": Column("1", "share of the step in which it is called to charge", minimum=0.0, maximum=1.0),
    "_activation_up": Column("1", "share of the step in which it is called to discharge", minimum=0.0, maximum=1.0),
    "_activation": Column(
        "1", "share of the step in which the bid is called, below zero to charge", minimum=-1.0, maximum=1.0
    ),
    "_price_per_mw": Column("currency/MW/h", "capacity price"),
}


class SeriesColumns(dict[str, Column]):
    """Columns of a series by name; one of a battery is known with the battery's name and a dot before it, too.

    So are those of any market product, "fcr_price_per_mw"; whether there is such a product the scenario checks.
    """

    def __missing__(self, name: str) -> Column:
        if owner_of(name) is not None:
            return self[name.rpartition(".")[2]]
        product = product_of(name)
        if product is None:
            raise KeyError(name)
        return PRODUCT_COLUMNS[name.removeprefix(product)]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or owner_of(name) is not None or product_of(name) is not None


def product_of(name: object) -> str | None:
    """The market product whose name stands before a column of its own; None for any other name."""
    if not isinstance(name, str) or dict.__contains__(SERIES, name):
        return None
    suffix = next((end for end in PRODUCT_COLUMNS if name.endswith(end)), None)
    product = "" if suffix is None else name.removesuffix(suffix)
    return product if re.fullmatch(r"[a-z][a-z0-9_]{0,49}", product) else None


def owner_of(name: object) -> str | None:
    """The battery whose name stands before a column of its own; None for any other name."""
    battery, dot, column = name.rpartition(".") if isinstance(name, str) else ("", "", "")
    return battery if dot and battery and column in OF_BATTERY else None


SERIES: SeriesColumns = SeriesColumns(
    {
        "solar_mw": Column("MW", "PV power at the AC side of its own inverter", minimum=0.0),
        "solar_dc_mw": Column("MW", "PV power of the whole array before the inverter", minimum=0.0),
        "load_mw": Column("MW", "demand of the site; below zero it is generation that cannot be curtailed"),
        "price_per_mwh": Column("currency/MWh", "price paid for import and received for export"),
        "import_price_per_mwh": Column("currency/MWh", "price paid for energy from the grid"),
        "export_price_per_mwh": Column("currency/MWh", "price received for energy to the grid"),
        **{
            product.price_column: Column("currency/MW/h", f"capacity price of {product.words}")
            for product in REGULATION.values()
        },
        "regulation_signal": Column("1", "regulation request, + discharges", minimum=-1.0, maximum=1.0),
        "energy_min_mwh": Column(
            "MWh", "least stored energy at the end of the step: hourly, that of 06:00 holds at 07:00", minimum=0.0
        ),
        "energy_max_mwh": Column("MWh", "most stored energy at the end of the step", minimum=0.0),
        "charge_limit_mw": Column("MW", "most charge power at the port in the step", minimum=0.0),
        "discharge_limit_mw": Column("MW", "most discharge power at the port in the step", minimum=0.0),
        "drawn_mw": Column("MW", "power taken from the cells without loss (a car that drives)", minimum=0.0),
        "import_limit_mw": Column("MW", "most power from the grid in the step", minimum=0.0),
        "export_limit_mw": Column("MW", "most power to the grid in the step", minimum=0.0),
    }
)

SCHEDULE: dict[str, Column] = {
    "solar_mw": Column("MW", "PV power available where it meets the battery (AC side, DC bus, or both summed)"),
    "solar_dc_mw": Column("MW", "part of solar_mw that is on the battery's DC bus"),
    "load_mw": Column("MW", "demand of the site, the battery's auxiliary load included"),
    "unserved_mw": Column("MW", "demand that is not met"),
    "shed_mw": Column("MW", "part of unserved_mw that goes unserved free of charge, in an outage"),
    "charge_mw": Column("MW", "power into the battery at its port"),
    "discharge_mw": Column("MW", "power out of the battery at its port"),
    "battery_mw": Column("MW", "discharge minus charge at the port"),
    "inverter_mw": Column("MW", "shared inverter at its AC side, + towards the AC bus"),
    "inverter_loss_mw": Column("MW", "loss of the shared inverter"),
    "energy_mwh": Column("MWh", "energy in the cells at the end of the step"),
    "soc": Column("1", "energy_mwh over nameplate energy at the end of the step"),
    "import_mw": Column("MW", "power from the grid"),
    "export_mw": Column("MW", "power to the grid"),
    "grid_mw": Column("MW", "export minus import"),
    "curtailed_mw": Column("MW", "PV power not used"),
    "curtailed_dc_mw": Column("MW", "part of curtailed_mw on the DC bus"),
    "loss_mw": Column("MW", "all conversion and storage losses"),
    **{product.column: Column("MW", f"{product.words} capacity held") for product in REGULATION.values()},
    "limited_by": Column("", "what stopped a rule's or a request's power; empty if nothing"),
    "import_price_per_mwh": Column("currency/MWh", "price paid for import"),
    "export_price_per_mwh": Column("currency/MWh", "price received for export"),
    "revenue": Column("currency", "energy money of the step: export paid minus import bought"),
}


def held_column(name: str) -> Column:
    """A column of a schedule with market products: the base point, or a product's own, "fcr_mw"."""
    if name == "base_mw":
        return Column("MW", "battery power at the port while nothing is called, + discharges")
    return Column("MW", f"capacity of {name.removesuffix('_mw')} held")


# Columns of one battery's own schedule, where there are several.
UNIT = ("charge_mw", "discharge_mw", "battery_mw", "energy_mwh", "soc", "loss_mw")
UNIT_LOSS = Column("MW", "losses between the battery's port and its cells, self-discharge included")

# The words of the column limited_by.
LIMITS = (
    "", "power", "c-rate", "energy", "cycles", "import limit", "export limit", "grid charging", "battery export",
    "inverter", "ramp limit",
)  # fmt: skip
