"""Numbers that other people published, with their sources: what `verify` compares with."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True)
class Published:
    """One published figure of a case; `tolerance` is half of the last digit that the source gives."""

    case: str
    figure: str
    value: float
    tolerance: float
    unit: str


EPL, HOPP, REOPT = "energy-py-linear battery", "HOPP block prices", "REopt demand ratchet"
ASTM, SAM, DERVET, PJM = "ASTM rainflow", "SAM calendar ageing", "DER-VET sizing", "PJM regulation settlement"

SOURCES = {
    EPL: "energy-py-linear, documentation of the battery asset",
    HOPP: "NREL HOPP, battery dispatch at block prices: 3·160·(100·√0.88 − 30/√0.88)",
    REOPT: "REopt.jl, test of demand look-back: 100·(10.5 + 0.35·10.5·5 + 0.35·11.5·6)",
    ASTM: "ASTM E1049-85, rainflow counting example",
    SAM: "NREL SAM (ssc), test of the lithium-ion calendar model",
    DERVET: "EPRI DER-VET, validation report, sizing at a site with a time-of-use tariff",
    PJM: "PJM, hourly regulation prices, mileage ratio and credits of January 2017",
}

NUMBERS: tuple[Published, ...] = (
    Published(EPL, "profit of 8 hours", 1037.7778, 5e-5, "currency"),
    *(
        Published(EPL, f"net import of hour {hour}", value, 1e-6, "MWh")
        for hour, value in enumerate((0.444444, 2.0, -2.0, 2.0, -2.0), start=1)
    ),
    Published(HOPP, "revenue of 48 hours", 3 * 160 * (100 * sqrt(0.88) - 30 / sqrt(0.88)), 5e-3, "currency"),
    Published(REOPT, "demand charges of a year", 100 * (10.5 + 0.35 * 10.5 * 5 + 0.35 * 11.5 * 6), 5e-3, "USD"),
    *(
        Published(ASTM, f"cycles of range {depth}", count, 1e-9, "1")
        for depth, count in ((3, 0.5), (4, 1.5), (6, 0.5), (8, 1.0), (9, 0.5))
    ),
    *(
        Published(SAM, f"capacity after {hours:,} h", value, 5e-3, "%")
        for hours, value in ((500, 101.78), (1000, 101.69), (200_000, 97.67))
    ),
    Published(DERVET, "power", 1993.0, 0.5, "kW"),
    Published(DERVET, "energy", 11_958.0, 0.5, "kWh"),
    Published(DERVET, "energy bill", 55_745_904.163, 5e-4, "USD"),
    Published(DERVET, "demand charges", 9_522_419.643, 5e-4, "USD"),
    Published(DERVET, "fixed O&M", 288_068.343, 5e-4, "USD"),
    Published(DERVET, "capital", 4_583_900.0, 5e-4, "USD"),
    Published(DERVET, "total", 70_140_292.148, 1e-3, "USD"),
    Published(PJM, "credits of 743 hours", 1284.79276, 5e-6, "USD"),
    Published(PJM, "capability part", 925.63700, 5e-6, "USD"),
    Published(PJM, "performance part", 359.15576, 5e-6, "USD"),
)
