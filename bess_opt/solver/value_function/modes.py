"""The ways in which the flows of a step can be balanced: on/off modes, and the bases and rays of each.

A mode closes one flow of each converter (one way). For it, every basis of the open columns is a set of prices
that bounds what the step can bring, and every ray a direction in which the rows run out of plans. Both depend on the
matrix alone, so they are found once for all steps. Steps in which further columns are held at zero (no sun, no
load) are a kind of their own with fewer bases.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations, product
from math import comb

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.solver.value_function.step_program import NotStepwiseError, StepProgram

MOST_BASES = 4_000  # of one mode: more take longer than a linear program of the horizon
MOST_ROWS, MOST_COLUMNS, MOST_MODES = 16, 64, 64  # the fixed sizes in recursion.h
INDEPENDENT, WELL = 1e-10, 1e10  # least singular value of independent columns, worst condition of a basis
ZERO = 1e-14


@dataclass(frozen=True)
class Modes:
    """All modes of all kinds of steps, one after the other; see `Problem` in recursion.h.

    `kind` is per step, `first_mode` per kind, `first_basis` and `first_ray` per mode, each with the end of the last.
    `free_mode` is per kind the mode that closes nothing, beyond those that the recursion may choose; −1 for none.
    """

    kind: Array
    first_mode: Array
    free_mode: Array
    first_basis: Array
    first_ray: Array
    open: Array
    basic: Array
    loose: Array
    inverse: Array
    tableau: Array
    ray: Array
    ray_column: Array

    @property
    def most_bases(self) -> int:
        """Bases of the mode that has most."""
        return int(np.diff(self.first_basis).max())

    @property
    def most_modes(self) -> int:
        """Modes of the kind of step that has most."""
        return int(np.diff(self.first_mode).max())

    def held(self, mode: Array) -> Modes:
        """The same where each step has but the one `mode` given for it."""
        count = len(self.first_basis) - 1
        free = np.full(count, -1, dtype=np.int64)
        return replace(self, kind=mode, first_mode=np.arange(count + 1), free_mode=free)


def modes_of(program: StepProgram, *, one_way: bool = True, bounds_may_change: bool = False) -> Modes:
    """The modes of `program`; with `one_way` false a single one per kind that closes nothing: the linear relaxation.

    With `bounds_may_change` no column counts as held at zero, so that the modes stay right for other bounds. Raises
    `NotStepwiseError` where there are too many bases, or where rows depend on each other.
    """
    matrix = program.matrix
    rows, columns = matrix.shape
    if rows > MOST_ROWS or columns > MOST_COLUMNS:
        most = f"at most {MOST_ROWS} and {MOST_COLUMNS}"
        raise NotStepwiseError([f"a step has {rows} rows and {columns} columns; {most}"])
    kinds, kind = _kinds(program)
    if bounds_may_change:
        kinds, kind = [frozenset()], np.zeros(program.steps, dtype=np.int64)
    pairs = tuple(program.pairs) if one_way else ()
    return replace(_modes_of_kinds(matrix.tobytes(), rows, tuple(kinds), pairs), kind=kind)


@lru_cache(maxsize=64)
def _modes_of_kinds(
    matrix_bytes: bytes, rows: int, kinds: tuple[frozenset[int], ...], pairs: tuple[tuple[int, int], ...]
) -> Modes:
    """The modes of kinds of steps, `kind` left empty: the same for every scenario whose steps have this matrix."""
    matrix = np.frombuffer(matrix_bytes).reshape(rows, -1)
    first_mode, found = [0], []
    for held in kinds:
        found += _modes_of(matrix, held, pairs)
        first_mode.append(len(found))
    free_mode = []
    for held in kinds:
        free = _open(matrix, frozenset(), held)
        many = not pairs or comb(len(free), rows) > MOST_BASES  # without pairs every mode closes nothing
        free_mode.append(-1 if many else len(found))
        found += [] if many else [free]
    parts = [_bases_and_rays(matrix_bytes, rows, mode) for mode in found]
    basic = np.concatenate([p[0] for p in parts])
    inverse = np.concatenate([p[1] for p in parts])
    ray = np.concatenate([p[2] for p in parts])
    opened = np.zeros((len(found), matrix.shape[1]), dtype=np.int64)
    for mode, names in enumerate(found):
        opened[mode, list(names)] = 1
    counts = [len(p[0]) for p in parts]
    tableau = inverse @ matrix
    return Modes(
        kind=np.zeros(0, dtype=np.int64),
        first_mode=np.array(first_mode),
        free_mode=np.array(free_mode),
        first_basis=np.concatenate([[0], np.cumsum(counts)]),
        first_ray=np.concatenate([[0], np.cumsum([len(p[2]) for p in parts])]),
        open=opened,
        basic=basic,
        loose=_loose(np.repeat(opened, counts, axis=0), basic),
        inverse=np.ascontiguousarray(inverse),
        tableau=np.where(np.abs(tableau) < ZERO, 0.0, tableau),
        ray=ray,
        ray_column=_clean(-(ray @ matrix)),
    )


def _kinds(program: StepProgram) -> tuple[list[frozenset[int]], Array]:
    """(columns held at zero, of each kind of step; kind of each step)."""
    code = np.zeros(program.steps, dtype=np.int64)
    for j, (lower, upper) in enumerate(zip(program.lower, program.upper, strict=True)):
        code |= ((lower == 0.0) & (upper == 0.0)).astype(np.int64) << j
    found, kind = np.unique(code, return_inverse=True)
    held = [frozenset(j for j in range(len(program.columns)) if int(c) >> j & 1) for c in found]
    return held, np.ascontiguousarray(kind, dtype=np.int64)


def _modes_of(matrix: Array, held: frozenset[int], pairs: tuple[tuple[int, int], ...]) -> list[tuple[int, ...]]:
    """Open columns of each mode of a kind of step; a mode within another is left out."""
    opened: list[tuple[int, ...]] = []
    for choice in product((0, 1), repeat=len(pairs)):
        closed = {pair[1 - way] for pair, way in zip(pairs, choice, strict=True)}
        opened.append(_open(matrix, frozenset(closed), held))
    most = [a for i, a in enumerate(opened) if not any(set(a) < set(b) for b in opened) and a not in opened[:i]]
    for mode in most:
        if not _spans(matrix, mode):
            raise NotStepwiseError(["the rows of a step depend on each other once a converter runs one way"])
        if comb(len(mode), len(matrix)) > MOST_BASES:
            raise NotStepwiseError([f"a step has more than {MOST_BASES:,} bases: too many rows and flows at once"])
    if len(most) > MOST_MODES:
        raise NotStepwiseError([f"a step has {len(most)} on/off modes; at most {MOST_MODES}"])
    return most


def _open(matrix: Array, closed: frozenset[int], held: frozenset[int]) -> tuple[int, ...]:
    """Columns that may flow; those held at zero stay where the rows need them."""
    free = [j for j in range(matrix.shape[1]) if j not in closed]
    without = tuple(j for j in free if j not in held)
    return without if _spans(matrix, without) else tuple(free)


def _spans(matrix: Array, columns: tuple[int, ...]) -> bool:
    return len(columns) >= len(matrix) and int(np.linalg.matrix_rank(matrix[:, list(columns)])) == len(matrix)


@lru_cache(maxsize=512)
def _bases_and_rays(matrix: bytes, rows: int, opened: tuple[int, ...]) -> tuple[Array, Array, Array]:
    """(columns of each basis, their inverses, rays) of the open columns of a matrix."""
    a = np.frombuffer(matrix).reshape(rows, -1)
    subsets = np.array(list(combinations(opened, rows)))
    square = a[:, subsets].transpose(1, 0, 2)
    singular = np.linalg.svd(square, compute_uv=False)
    fine = singular[:, -1] * WELL > singular[:, 0]
    return subsets[fine], np.linalg.inv(square[fine]), _rays(a, opened)


def _rays(matrix: Array, opened: tuple[int, ...]) -> Array:
    """Directions of row prices that press on as few open columns as possible, in both signs."""
    rows = len(matrix)
    if rows == 1:
        return np.array([[1.0], [-1.0]])
    subsets = np.array(list(combinations(opened, rows - 1)))
    across = matrix[:, subsets].transpose(1, 2, 0)
    _, singular, directions = np.linalg.svd(across, full_matrices=True)
    single = (singular > INDEPENDENT * singular.max(axis=1, keepdims=True)).all(axis=1)
    y = directions[single, -1]
    y = _clean(y / np.abs(y).max(axis=1, keepdims=True))
    sign = np.sign(y[np.arange(len(y)), np.argmax(np.abs(y) > INDEPENDENT, axis=1)])
    _, first = np.unique(np.round(y * sign[:, None], 9), axis=0, return_index=True)
    return np.concatenate([y[first], -y[first]])


def _clean(values: Array) -> Array:
    return np.where(np.abs(values) < 1e-13, 0.0, values)


def _loose(opened: Array, basic: Array) -> Array:
    """Open columns outside each basis, ended by −1."""
    outside = opened.astype(bool)
    np.put_along_axis(outside, basic, False, axis=1)
    loose = np.full(outside.shape, -1, dtype=np.int64)
    basis, column = np.nonzero(outside)
    place = np.arange(len(basis)) - np.searchsorted(basis, basis)
    loose[basis, place] = column
    return loose
