"""Small mutations of Python source: one operator, number or condition changed, or one statement skipped."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
SKIPPED = (ast.FunctionDef, ast.ClassDef, ast.Raise, ast.JoinedStr)
CALLS = (ast.Call, ast.YieldFrom)


@dataclass(frozen=True)
class Mutant:
    """One change of a module.

    Attributes:
        line: Line of the change, from 1.
        text: The source of that line.
        before: The changed expression or statement.
        after: What takes its place.
        source: The module's source with the change.
    """

    line: int
    text: str
    before: str
    after: str
    source: str


def mutants(source: str) -> list[Mutant]:
    """Returns every mutant of a module, in the order of its lines.

    Only code inside functions changes. Annotations, decorators, docstrings, the arguments of a raised error
    and `strict=True` of zip, which only guards, stay: changing them changes no result.
    """
    lines = source.splitlines(keepends=True)
    starts = list(accumulate((len(line.encode()) for line in lines), initial=0))
    text = source.encode()
    found: list[Mutant] = []
    for node, after in _changes(ast.parse(source)):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        before = text[begin:end].decode()
        changed = (text[:begin] + after.encode() + text[end:]).decode()
        line = lines[node.lineno - 1].strip()
        found.append(Mutant(node.lineno, line, " ".join(before.split()), after, changed))
    return sorted(found, key=lambda each: (each.line, each.before, each.after))


def _changes(tree: ast.Module) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for statement in node.body:
                yield from _in(statement)


def _in(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Yields the changes of a node and of the nodes in it; functions in it are visited by `_changes`."""
    if isinstance(node, SKIPPED) or (isinstance(node, ast.keyword) and node.arg == "strict"):
        return
    yield from _own(node)
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "type_comment"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _in(child)


def _own(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Yields the changes at the top of a node."""
    if isinstance(node, ast.expr) and (after := _changed(node)) is not None:
        yield node, f"({ast.unparse(after)})"
    elif isinstance(node, ast.If):
        yield node.test, "(False)"
    elif isinstance(node, ast.AugAssign) or (isinstance(node, ast.Expr) and isinstance(node.value, CALLS)):
        yield node, "pass"


def _changed(node: ast.expr) -> ast.expr | None:
    """Returns the expression with one change at its top, or None if it has none."""
    match node:
        case ast.Compare(ops=[op, *rest]) if type(op) in COMPARISONS:
            return ast.Compare(node.left, [COMPARISONS[type(op)](), *rest], node.comparators)
        case ast.BinOp(op=op) if type(op) in OPERATORS:
            return ast.BinOp(node.left, OPERATORS[type(op)](), node.right)
        case ast.BoolOp(op=op):
            return ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            return node.operand
        case ast.Constant(value=bool(value)):
            return ast.Constant(not value)
        case ast.Constant(value=int(value)):
            return ast.Constant(value + 1)
        case ast.Constant(value=float(value)):
            return ast.Constant(2 * value + 1)
    return None
