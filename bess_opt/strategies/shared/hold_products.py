"""Market products beside a rule: bids that are stated, held where they fit, with the rule's power as base point.

When a block begins its bid is held if the batteries can serve it until the block ends whatever is called, the base
point working against the calls as far as its own head-room allows. In each step the rule's power is moved as little
as it takes to keep that promise; what calls took from or put into the cells is brought back within an hour. Where a
ramp of the connection may move the power, both buses hold batteries, or calls would use up a cap on cycles, no bid is
known to fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.products.activation import port_factor
from bess_opt.plant.products.offers import SIGN, Direction, Offer, call_levels
from bess_opt.plant.room import Setpoints, port_bounds
from bess_opt.plant.rule import AnyRule, Held, State

RECENTRE_H = 1.0  # hours in which what calls moved is brought back
CANDIDATES = 65  # base points that are tried where the one that is wished for breaks a promise
CLOSER = 3  # times that they are tried, closer each time around the one that breaks it least
SLACK = 1e-9  # of nameplate: an energy that misses by less is there


def holding_products(plant: Plant, rule: AnyRule) -> AnyRule:
    """`rule` with the bids of the plant's market products beside it; the rule itself where none is stated.

    A rule that sets a capacity of its own holds what the bids leave of it.
    """
    stated = [offer for offer in plant.offers if offer.bid_mw > 0.0 or np.nan_to_num(offer.held_mw) > 0.0]
    if not stated:
        return rule
    own: Held | None = getattr(rule, "held", None)
    sold = [offer for offer in plant.offers if offer.line == "regulation"]
    return (
        HoldProducts(plant, rule, stated) if own is None or not sold else HoldBeside(plant, rule, own, stated, sold)
    )


class HoldProducts:
    """The rule: asked with the state of a step it gives each battery's mean power, and notes what it holds."""

    def __init__(self, plant: Plant, rule: AnyRule, offers: Sequence[Offer]) -> None:
        self._plant, self._rule, self._offers = plant, rule, offers
        prefixes = ["", *(battery.prefix for battery in plant.batteries if battery.prefix)]
        self.held = Held.nothing(plant.steps, [f"{p}{offer.name}" for p in prefixes for offer in plant.offers])
        names = [battery.name for battery in plant.batteries] if len(plant.batteries) > 1 else []
        self.held = Held(self.held.capacity_mw, self.held.swing_mw, {name: [0.0] * plant.steps for name in names})
        nothing = np.zeros(plant.steps)
        lowest, _, highest, _ = port_bounds(plant, Setpoints(nothing, nothing, nothing, nothing))
        self._units = [_Unit(plant, battery, offers, lowest, highest) for battery in plant.batteries]
        every = np.arange(plant.steps)
        self._starts = {offer.name: np.isin(every, offer.block_starts).tolist() for offer in plant.offers}
        ends = {offer.name: np.append(offer.block_starts[1:], plant.steps)[offer.block] for offer in plant.offers}
        self._ends = {name: end.tolist() for name, end in ends.items()}
        self._bids: dict[str, float] = {}

    def __call__(self, state: State) -> float | Mapping[str, float]:
        """Mean power of each battery in the step, + discharges."""
        t = state.step
        wished, energies = self._wished(self._rule(state), state), self._energies(state)
        self._choose(t, energies)
        return self._operated(t, wished, energies)

    def _energies(self, state: State) -> list[float]:
        return [state.units[name].energy_mwh for name in self.held.swing_of] or [state.energy_mwh]

    def _operated(self, t: int, wished: Sequence[float], energies: Sequence[float]) -> float | dict[str, float]:
        """Mean power of each battery, its base point as near to what is `wished` as all calls allow."""
        running, powers = self._running(), []
        for unit, wish, energy in zip(self._units, wished, energies, strict=True):
            base = wish if not running else unit.base(t, wish, energy, self._calls(running, t))
            powers.append(self._note(unit, t, base, running))
        return powers[0] if not self.held.swing_of else dict(zip(self.held.swing_of, powers, strict=True))

    def _running(self) -> list[Offer]:
        """The products of which a bid is held."""
        return [offer for offer in self._plant.offers if self._bids.get(offer.name, 0.0) > 0.0]

    def _wished(self, answer: float | Mapping[str, float], state: State) -> list[float]:
        """What the rule asks of each battery; one power for all is shared by room."""
        names = list(self.held.swing_of)
        if not names:
            return [float(answer)]  # type: ignore[arg-type]
        if isinstance(answer, Mapping):
            return [float(answer.get(name, 0.0)) for name in names]
        rooms = [state.units[n].discharge_room_mw if answer > 0.0 else state.units[n].charge_room_mw for n in names]
        return [answer * room / max(sum(rooms), 1e-12) for room in rooms]

    def _calls(self, running: Sequence[Offer], t: int) -> _Calls:
        left = max((self._ends[offer.name][t] - t for offer in running), default=0)
        return _Calls({offer.name: (offer, self._bids[offer.name]) for offer in running}, left)

    def _choose(self, t: int, energies: Sequence[float]) -> None:
        """Drop the bids whose block has ended, and hold those of blocks that begin here where they fit."""
        for offer in self._offers:
            if self._starts[offer.name][t]:
                self._bids.pop(offer.name, None)
        for offer in self._offers:
            if not self._starts[offer.name][t]:
                continue
            stands = offer.block[t] == offer.block[0] and not np.isnan(offer.held_mw)
            bid = offer.held_mw if stands else offer.bid_mw
            others = self._running()
            alone = offer.group is None or all(other.group != offer.group for other in others)
            free = alone and bid <= offer.most_mw[t] + SLACK
            self._bids[offer.name] = float(bid)
            calls = self._calls([*others, offer], t)
            if not stands and not (free and self._fit(t, energies, calls)):
                self._bids[offer.name] = 0.0

    def _fit(self, t: int, energies: Sequence[float], calls: _Calls) -> bool:
        """Whether every battery can serve its part of all calls."""
        return all(unit.fits(t, energy, calls) for unit, energy in zip(self._units, energies, strict=True))

    def _note(self, unit: _Unit, t: int, base: float, running: Sequence[Offer]) -> float:
        """Note what a battery holds in a step; its mean power over base point and calls."""
        charge, discharge, rest = 0.0, 0.0, 1.0
        for offer in running:
            part = unit.share * self._bids[offer.name]
            capacity = self.held.capacity_mw
            if unit.battery.prefix:
                capacity[f"{unit.battery.prefix}{offer.name}"][t] = part
                capacity[offer.name][t] += part
            else:
                capacity[offer.name][t] = part
            for direction, share in offer.called.items():
                power = base + SIGN[direction] * unit.factor[direction] * part
                charge, discharge = charge + share[t] * max(-power, 0.0), discharge + share[t] * max(power, 0.0)
                rest -= float(share[t])
        charge, discharge = charge + rest * max(-base, 0.0), discharge + rest * max(base, 0.0)
        swing = min(charge, discharge) if running else 0.0
        (self.held.swing_of.get(unit.battery.name) or self.held.swing_mw)[t] = swing
        if running:
            unit.follow(charge, discharge, base)
        return discharge - charge


class HoldBeside(HoldProducts):
    """Bids beside a rule that sets a capacity of its own, which is cut from block to block to what the bids leave.

    Where no bid is held in a block of it the rule is as it is alone.
    """

    def __init__(
        self, plant: Plant, rule: AnyRule, own: Held, offers: Sequence[Offer], sold: Sequence[Offer]
    ) -> None:
        """`own` is what the rule would hold alone of the products `sold`, alike and in the same blocks."""
        super().__init__(plant, rule, offers)
        self._own, self._sold, self._beside = own, sold, False

    def __call__(self, state: State) -> float | Mapping[str, float]:
        """Mean power of each battery in the step, + discharges."""
        t, answer, energies = state.step, self._rule(state), self._energies(state)
        starts = self._starts[self._sold[0].name][t]
        if starts:
            self._sell(0.0)
        self._choose(t, energies)
        stated = any(self._bids.get(offer.name, 0.0) > 0.0 for offer in self._offers)
        self._beside = stated or (self._beside and not starts)
        wanted = self._own.capacity_mw[self._sold[0].name][t]
        if starts:
            self._sell(self._left(t, wanted, energies) if self._beside else wanted)
        if self._beside:
            powers = self._operated(t, self._base_points(t, answer, state), energies)
            for unit in self._units:
                unit.drift = 0.0  # the rule brings back itself what calls moved
            return powers
        for name, capacity in self._own.capacity_mw.items():
            self.held.capacity_mw[name][t] = capacity[t]
        self.held.swing_mw[t] = self._own.swing_mw[t]
        for name, swing in self._own.swing_of.items():
            self.held.swing_of[name][t] = swing[t]
        return answer

    def _sell(self, capacity_mw: float) -> None:
        self._bids |= dict.fromkeys((offer.name for offer in self._sold), capacity_mw)

    def _left(self, t: int, wanted: float, energies: Sequence[float]) -> float:
        """The most of the capacity that is `wanted` for which the bids leave room."""

        def fits(capacity_mw: float) -> bool:
            self._sell(capacity_mw)
            return self._fit(t, energies, self._calls(self._running(), t))

        return wanted if fits(wanted) else _towards(0.0, wanted, fits)

    def _base_points(self, t: int, answer: float | Mapping[str, float], state: State) -> list[float]:
        """What the rule asks of each battery, without the calls of its capacity."""
        found = []
        for unit, power in zip(self._units, self._wished(answer, state), strict=True):
            for offer in self._sold:
                part = self._own.capacity_mw[f"{unit.battery.prefix}{offer.name}"][t]
                for way, share in offer.called.items():
                    power -= SIGN[way] * float(share[t]) * unit.factor[way] * part
            found.append(power)
        return found


@dataclass
class _Calls:
    """What may be called while blocks run: each product with its bid, and the steps until the last block ends."""

    bids: Mapping[str, tuple[Offer, float]]
    left: int

    def total(self, direction: Direction) -> float:
        """All bids of a direction, MW at the AC bus."""
        return sum(bid for offer, bid in self.bids.values() if direction in offer.directions)

    def largest(self, direction: Direction) -> float:
        """The largest bid of a direction that a signal may call, for a whole step."""
        return max((bid for offer, bid in self.bids.values() if direction in offer.called), default=0.0)

    def levels(self, direction: Direction) -> list[tuple[float, float]]:
        """(hours, MW) one after another when all of a direction are called at once."""
        found = call_levels([offer for offer, _ in self.bids.values()], direction)
        return [(hours, sum(self.bids[offer.name][1] for offer in offers)) for hours, offers in found]


@dataclass
class _Unit:
    """One battery: its part of bids, its limits, and how far calls have moved its stored energy."""

    plant: Plant
    battery: Storage
    offers: Sequence[Offer]
    lowest: np.ndarray
    highest: np.ndarray
    drift: float = 0.0
    factor: dict[Direction, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        battery, steps = self.battery, self.plant.steps
        self.share = battery.power_mw / self.plant.power_mw
        self.factor = {direction: port_factor(self.plant, battery, direction) for direction in SIGN}
        on_bus = self.plant.bus is not None and battery.on_dc_bus
        # Of the site's room, whichever way the inverter runs: no MW of a bid counts more at the port.
        self.at_site = 1.0 / self.plant.bus.eta_out if on_bus and self.plant.bus is not None else 1.0
        self.most_in = np.broadcast_to(battery.charge_limit_mw, steps)
        self.most_out = np.broadcast_to(battery.discharge_limit_mw, steps)
        self.kept, self.into, self.out = battery.law(self.plant.step_h)
        self.drawn = self.plant.step_h * np.broadcast_to(battery.drawn_mw, steps)
        self.both_buses = bool(self.plant.on_dc_bus) and bool(self.plant.on_ac_bus)

    def gain(self, power: float) -> float:
        """MWh that the cells gain in a step at a power of the port."""
        return self.into * -power if power < 0.0 else -self.out * power

    def room(self, t: int, calls: _Calls, *, ahead: bool) -> tuple[float, float]:
        """(least, most) base point with all calls beside it, in step `t` or `ahead` in every step there is.

        What load and PV will be is not known ahead: the worst that the site can show.
        """
        up, down = (self.share * calls.total(direction) for direction in SIGN)
        at = slice(None) if ahead else slice(t, t + 1)
        low = -float(self.most_in[at].min()) + self.factor["down"] * down
        high = float(self.most_out[at].min()) - self.factor["up"] * up
        low = max(low, float(self.lowest[at].max()) * self.share + self.at_site * down)
        high = min(high, float(self.highest[at].min()) * self.share - self.at_site * up)
        return low, high

    def taken(self, base: float, calls: _Calls, direction: Direction) -> float:
        """MWh that a call of all products of a direction takes from the cells (downward: puts into them)."""
        h, sign = self.plant.step_h, SIGN[direction]
        moved = 0.0
        for hours, mw in calls.levels(direction):
            called = base + sign * self.factor[direction] * self.share * mw
            moved += hours / h * (self.gain(base) - self.gain(called))
        return sign * moved

    def worst(self, calls: _Calls, low: float, high: float) -> tuple[float, float]:
        """MWh that the cells may lose and gain in a step that is called throughout, the base point against it."""
        up, down = (self.share * self.factor[d] * calls.largest(d) for d in SIGN)
        lost = max(-self.gain(low + up), 0.0) if up else 0.0
        return lost, max(self.gain(high - down), 0.0) if down else 0.0

    def _against(self, calls: _Calls, high: float) -> float:
        """Base point that works against downward calls: it discharges, from where a call puts in the most."""
        return max(high, 0.0) if calls.largest("down") else 0.0

    def window(self, t: int, calls: _Calls) -> tuple[float, float]:
        """Highest floor and lowest ceiling from the start of step `t` until the last block ends."""
        at = slice(t, t + calls.left + 1)
        return float(self.battery.floor_mwh[at].max()), float(self.battery.ceiling_mwh[at].min())

    def fits(self, t: int, energy: float, calls: _Calls) -> bool:
        """Whether all of `calls` can be served until their blocks end, whatever is called."""
        low, high = self.room(t, calls, ahead=calls.left > 1)
        capped = bool(self.battery.caps) and bool(calls.largest("up") or calls.largest("down"))
        if self.both_buses or capped or self.plant.connection.has_ramps or not low <= 0.0 <= high:
            return False
        floor, ceiling = self.window(t, calls)
        lost, gained = self.worst(calls, low, high)
        leak = (1.0 - self.kept) * ceiling + float(self.drawn[t : t + calls.left].max())
        up = self.taken(0.0, calls, "up") + calls.left * (lost + leak)
        down = self.taken(self._against(calls, high), calls, "down") + calls.left * gained
        slack = SLACK * self.battery.energy_mwh
        return energy - floor >= up - slack and ceiling - energy >= down - slack

    def base(self, t: int, wish: float, energy: float, calls: _Calls) -> float:
        """The base point next to `wish`, and to what brings back calls, at which every call can be served.

        Only what calls moved is brought back: what limits keep from the rule it sees in the stored energy.
        """
        own = self._served(t, wish, energy, calls)
        if self.drift == 0.0:
            return own
        back = self.drift * self.plant.step_h / max(RECENTRE_H, self.plant.step_h)
        found = self._served(t, wish + back / (self.out if back > 0.0 else self.into), energy, calls)
        self.drift += self.gain(found) - self.gain(own)
        return found

    def _served(self, t: int, wish: float, energy: float, calls: _Calls) -> float:
        """The base point next to `wish` at which every call can be served, now and in the steps to come."""
        low, high = self.room(t, calls, ahead=False)
        floor, ceiling = self.window(t, calls)
        # As far charged as that, no discharge is left: a call that stops it leaves more than one that charges brings.
        spare = ceiling - self.taken(max(high, 0.0), calls, "down") - self.kept * energy + float(self.drawn[t])
        wish = max(wish, min(-spare / self.into, 0.0))
        least, most = self.room(t, calls, ahead=True)
        lost, gained = self.worst(calls, least, most)
        leak = (1.0 - self.kept) * ceiling + float(self.drawn[t : t + calls.left].max())
        later = calls.left - 1

        def missing(base: float) -> float:
            up, down = self.taken(base, calls, "up"), self.taken(base, calls, "down")
            after = self.kept * energy + self._mean_gain(t, base, calls) - float(self.drawn[t])
            rest_up = self.taken(0.0, calls, "up")
            rest_down = self.taken(self._against(calls, most), calls, "down")
            return max(
                floor + up - min(energy, after),
                max(energy, after) + down - ceiling,
                floor + rest_up + later * (lost + leak) - after if later else 0.0,
                after + rest_down + later * gained - ceiling if later else 0.0,
                0.0,
            )

        nearest = min(max(wish, low), high)
        slack = SLACK * self.battery.energy_mwh
        if missing(nearest) <= slack:
            return nearest
        first, last, best = low, high, min(max(0.0, low), high)
        for _ in range(CLOSER):
            spread = {*np.linspace(first, last, CANDIDATES).tolist(), best}
            tried: list[float] = sorted(spread, key=lambda base: abs(base - nearest))
            for base in tried:
                if missing(base) <= slack:
                    return _towards(base, nearest, lambda x: missing(x) <= slack)
            best, apart = float(min(tried, key=missing)), (last - first) / (CANDIDATES - 1)
            first, last = max(best - apart, low), min(best + apart, high)
        return best

    def _mean_gain(self, t: int, base: float, calls: _Calls) -> float:
        """MWh that the cells gain in step `t`, base point and the calls that it has."""
        gained, rest = 0.0, 1.0
        for offer, bid in calls.bids.values():
            for direction, share in offer.called.items():
                power = base + SIGN[direction] * self.factor[direction] * self.share * bid
                gained, rest = gained + float(share[t]) * self.gain(power), rest - float(share[t])
        return gained + rest * self.gain(base)

    def follow(self, charge: float, discharge: float, base: float) -> None:
        """Note how far the step moved the stored energy from where the rule's own power would have it."""
        self.drift += self.into * charge - self.out * discharge - self.gain(base)


def _towards(good: float, goal: float, holds: Callable[[float], bool]) -> float:
    """The number between `good` and `goal` that is nearest to `goal` and still holds."""
    bad = goal
    for _ in range(40):
        middle = (good + bad) / 2.0
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return good
