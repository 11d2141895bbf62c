"""Small faults in a source: one change each, in operators, comparisons, constants, conditions and calls.

Left out are texts, annotations and what only words an error: there is no test of a sentence's every letter here;
and the flag `mutable` of a Pyomo parameter, which decides how a row is printed, not what it says.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ARITHMETIC: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
COMPARISONS: dict[type, type] = {
    ast.LtE: ast.Lt,
    ast.Lt: ast.LtE,
    ast.GtE: ast.Gt,
    ast.Gt: ast.GtE,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
NAMES = {"minimum": "maximum", "maximum": "minimum", "min": "max", "max": "min", "abs": "negative"}


@dataclass(frozen=True)
class Mutant:
    """A changed module: where, the line's text, what it was, what it is; `inside` a function's body or not."""

    line: int
    text: str
    before: str
    after: str
    tree: ast.Module
    inside: bool

    @property
    def key(self) -> tuple[str, str, str]:
        """The same change after the module has grown elsewhere."""
        return self.text, self.before, self.after


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of `source`, in order of its lines."""
    tree, lines = ast.parse(source), source.splitlines()
    places = sorted(_places(tree, ()), key=lambda place: place[0])
    for line, path, change in places:
        changed = copy.deepcopy(tree)
        parent, node = _at(changed, path)
        before = _first(node)
        after = change(copy.deepcopy(node))
        _put(parent, path[-1], after)
        ast.fix_missing_locations(changed)
        yield Mutant(line, lines[line - 1].strip(), before, _first(after) or "pass", changed, _inside(tree, path))


def _places(node: ast.AST, path: tuple[Any, ...]) -> Iterator[tuple[int, tuple[Any, ...], Any]]:
    for field, value in ast.iter_fields(node):
        if (
            field in ("annotation", "returns", "decorator_list", "type_comment")
            or isinstance(node, ast.Raise)
            or _flag(node)
        ):
            continue
        listed = value if isinstance(value, list) else [value]
        for place, child in enumerate(listed):
            if not isinstance(child, ast.AST):
                continue
            here = (*path, (field, place if isinstance(value, list) else None))
            yield from ((child.lineno, here, change) for change in _changes(child) if hasattr(child, "lineno"))
            yield from _places(child, here)


def _changes(node: ast.AST) -> Iterator[Any]:
    """Functions that make a mutant of a copy of `node`."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in ARITHMETIC and not _is_type(node):
        yield lambda n: _with(n, op=ARITHMETIC[type(n.op)]())
    elif isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            if type(op) in COMPARISONS:
                yield lambda n, i=i, op=op: _with(n, ops=[*n.ops[:i], COMPARISONS[type(op)](), *n.ops[i + 1 :]])
    elif isinstance(node, ast.BoolOp):
        yield lambda n: _with(n, op=ast.Or() if isinstance(n.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield lambda n: n.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield lambda n: ast.Constant(not n.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield lambda n: ast.Constant(n.value + 1)
    elif (
        isinstance(node, ast.Name | ast.Attribute) and (getattr(node, "id", "") or getattr(node, "attr", "")) in NAMES
    ):
        yield _renamed
    elif isinstance(node, ast.If | ast.IfExp):
        yield lambda n: _with(n, test=ast.UnaryOp(ast.Not(), n.test))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield lambda n: ast.Pass()


def _flag(node: ast.AST) -> bool:
    return isinstance(node, ast.keyword) and node.arg == "mutable"


def _first(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0] if isinstance(node, ast.If) else ast.unparse(node)


def _inside(tree: ast.AST, path: tuple[Any, ...]) -> bool:
    """Whether only a function's code changes: its defaults are made when the module is."""
    node: Any = tree
    for field, place in path:
        if isinstance(node, ast.FunctionDef) and field == "body":
            return True
        node = getattr(node, field)
        node = node if place is None else node[place]
    return False


def _is_type(node: ast.AST) -> bool:
    """`int | None` outside of an annotation."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and isinstance(node.left, ast.Name)


def _renamed(node: Any) -> Any:
    if isinstance(node, ast.Name):
        return ast.Name({"abs": "float"}.get(node.id, NAMES[node.id]), node.ctx)
    return _with(node, attr=NAMES[node.attr])


def _with(node: Any, **fields: Any) -> Any:
    for name, value in fields.items():
        setattr(node, name, value)
    return node


def _at(tree: ast.AST, path: tuple[Any, ...]) -> tuple[Any, Any]:
    parent: Any = None
    node: Any = tree
    for field, place in path:
        parent, node = node, getattr(node, field)
        if place is not None:
            node = node[place]
    return parent, node


def _put(parent: Any, step: tuple[str, int | None], node: Any) -> None:
    field, place = step
    if place is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[place] = node
