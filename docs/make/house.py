"""The picture of how the house is built, drawn from the imports: packages, their rooms, and the arrows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

from docs.make.imports import circles, module_graph, modules

PACKAGES = ("agents", "bttt", "pruning", "tournaments")
FLOORS = ("pruning.studies", "pruning", "tournaments", "agents", "bttt")
"""From the roof to the ground; `pruning` is its core, without the studies."""
COMPOSITION_ROOT = "bttt.__main__"
SUBJECTS = {
    "pruning.studies": "experiments on AlphaZero and on image classifiers",
    "pruning": "prunes any torch network; knows no game",
    "tournaments": "plays, rates, evaluates and reports",
    "agents": "players, AlphaZero among them",
    "bttt": "the game, its environments, its solver",
}
CHIP, ROW, COLUMN, PAD, HEAD, GAP, MARGIN = 88, 26, 100, 14, 30, 34, 46
"""Pixels: width of a room, height of a row, width of a column, space in a box, height of a title, space
between boxes and beside them."""
INK, LINE, BOX, FILL = "#1f2933", "#52606d", "#f5f7fa", "#dbeafe"

Graph = Mapping[str, Iterable[str]]


def floor_of(room: str) -> str:
    """Returns the package of a room; the studies of `pruning` are one of their own."""
    return next(floor for floor in FLOORS if f"{room}.".startswith(f"{floor}."))


def room_graph(root: Path) -> dict[str, set[str]]:
    """Returns the rooms that each room imports from.

    A room is a folder of a package, with all below it, or a package's own modules. Doors are left out: they
    import what they offer; and so is the composition root, which imports every command.
    """
    known = modules(root, PACKAGES)
    furnished = [
        name for name, path in known.items() if path.name != "__init__.py" and name != COMPOSITION_ROOT
    ]
    graph: dict[str, set[str]] = {_room(known[name]): set() for name in furnished}
    imported = module_graph(root, PACKAGES)
    for name in furnished:
        room = _room(known[name])
        graph[room] |= {_room(known[other]) for other in imported[name]} & set(graph) - {room}
    return graph


def _room(path: Path) -> str:
    depth = 3 if path.parts[:2] == ("pruning", "studies") else 2
    return ".".join(path.parent.parts[:depth])


def levels(graph: Graph) -> dict[str, int]:
    """Returns for each node the length of the longest way down; nodes of one circle stand side by side."""
    circle_of = {node: circle for circle in circles(graph) for node in circle}
    found: dict[str, int] = {}

    def level(node: str) -> int:
        if node not in found:
            circle = circle_of.get(node, (node,))
            below = {other for each in circle for other in graph[each] if other not in circle}
            found.update(dict.fromkeys(circle, max((1 + level(other) for other in below), default=0)))
        return found[node]

    for node in graph:
        level(node)
    return found


def arrows(rooms: Graph) -> list[tuple[str, str]]:
    """Returns which package imports from which, without arrows that others imply."""
    direct: dict[str, set[str]] = {floor: set() for floor in FLOORS}
    for room, others in rooms.items():
        direct[floor_of(room)] |= {floor_of(other) for other in others} - {floor_of(room)}
    implied = {
        (one, far) for one, others in direct.items() for near in others for far in _below(near, direct)
    }
    return [
        (one, other)
        for one in FLOORS
        for other in FLOORS
        if other in direct[one] and (one, other) not in implied
    ]


def _below(node: str, graph: Graph) -> set[str]:
    return {far for near in graph[node] for far in ({near} | _below(near, graph))}


def columns(floor: str, rooms: Graph) -> list[list[str]]:
    """Returns the rooms of one package in columns: each imports only from columns to its left."""
    own = {room for room in rooms if floor_of(room) == floor}
    found = levels({room: own & set(rooms[room]) for room in own})
    return [sorted(room for room in own if found[room] == level) for level in range(max(found.values()) + 1)]


def picture(root: Path) -> str:
    """Returns the picture as SVG."""
    rooms = room_graph(root)
    parts: list[str] = []
    spans: dict[str, tuple[int, int]] = {}
    widest = max(len(columns(floor, rooms)) for floor in FLOORS)
    width = 2 * MARGIN + 2 * PAD + widest * COLUMN - (COLUMN - CHIP)
    top = PAD
    for floor in FLOORS:
        drawn, height = _floor(floor, columns(floor, rooms), top, width)
        parts += drawn
        spans[floor] = (top, top + height)
        top += height + GAP
    parts += [line for one, other in arrows(rooms) for line in _arrow(one, other, spans, width)]
    height = top - GAP + PAD
    return "\n".join([*_frame(width, height), *parts, "</svg>"]) + "\n"


def _frame(width: int, height: int) -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="12" fill="{INK}">',
        "<title>The packages, their folders, and their imports</title>",
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        f'<path d="M0,0 L8,4 L0,8 z" fill="{LINE}"/></marker></defs>',
        f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>',
    ]


def _floor(floor: str, found: list[list[str]], top: int, width: int) -> tuple[list[str], int]:
    height = HEAD + max(map(len, found)) * ROW + PAD
    lines = [
        f'<rect x="{MARGIN}" y="{top}" width="{width - 2 * MARGIN}" height="{height}" rx="8" fill="{BOX}" '
        f'stroke="{LINE}"/>',
        f'<text x="{MARGIN + PAD}" y="{top + 20}"><tspan font-weight="bold">{floor}</tspan>'
        f'<tspan dx="10" fill="{LINE}">{escape(SUBJECTS[floor])}</tspan></text>',
    ]
    for column, own in enumerate(found):
        for row, room in enumerate(own):
            x, y = MARGIN + PAD + column * COLUMN, top + HEAD + row * ROW
            name = room.removeprefix(f"{floor}.") if room != floor else "*.py"
            lines.append(f'<rect x="{x}" y="{y}" width="{CHIP}" height="{ROW - 6}" rx="4" fill="{FILL}"/>')
            lines.append(
                f'<text x="{x + CHIP / 2:g}" y="{y + 14}" text-anchor="middle" font-size="11">{name}</text>'
            )
    return lines, height


def _arrow(one: str, other: str, spans: Mapping[str, tuple[int, int]], width: int) -> list[str]:
    """Returns a straight arrow between neighbours, and one around what lies between others."""
    style = f'fill="none" stroke="{LINE}" stroke-width="1.5" marker-end="url(#tip)"'
    if FLOORS.index(other) == FLOORS.index(one) + 1:
        return [f'<path d="M{width // 2},{spans[one][1]} V{spans[other][0] - 1}" {style}/>']
    start, end = (sum(spans[each]) // 2 for each in (one, other))
    return [f'<path d="M{MARGIN},{start} H{MARGIN // 2} V{end} H{MARGIN - 1}" {style}/>']
