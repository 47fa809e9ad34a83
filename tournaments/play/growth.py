"""Runs that grow: players, boards and repeats can be added, and stored games stay.

A game is identified by its players, seats, board and repeat (`ScheduledGame.key`). Numbers never change.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tournaments.play.schedule import ScheduledGame, schedule_of
from tournaments.play.store import STORE_FILE, Store, clean
from tournaments.play.stored_run import difference, refuse_differences

LISTS = ("players", "boards", "against")
"""Settings that are lists and may get longer."""
COUNTS = ("repeats",)
"""Settings that may get larger."""
BY_PLAYER = ("source files", "fingerprints", "trained on")
"""Settings with an entry for some players: those of the stored players must stay."""


def open_growing(
    folder: Path, settings: Mapping[str, Any], earlier: Mapping[str, Any] | None = None
) -> tuple[Store, list[ScheduledGame]]:
    """Returns the store of a tournament in an open folder, and its schedule; the run grows to `settings`.

    Args:
        folder: The folder.
        settings: The settings that determine the games.
        earlier: The same settings as earlier versions stored them.

    Raises:
        ValueError: The folder holds a run with other settings, or with more players, boards or repeats.
        OSError: The folder cannot be written.
    """
    schedule = schedule_of(settings, by_key=True)
    store = Store.create_or_open(folder / STORE_FILE, settings, settings["players"], len(schedule))
    try:
        before = store.settings
        if not store.is_tournament:
            raise ValueError(
                f"out must be a new folder or that of a tournament, but {folder} holds other games"
            )
        given = _as_stored(before, clean(settings), clean(earlier or settings))
        grown = grown_settings(before, given, f"{folder} holds a run")
        if grown != before:
            stage = (len(before["players"]), len(before["boards"]), before["repeats"])
            schedule = schedule_of(grown, [*store.stages, stage], by_key=store.version > 1)
            store.grow(grown, len(schedule), stage)
            print(f"{folder} grows: {growth_text(before, grown)}; stored games stay")
            return store, schedule
        return store, schedule_of(before, store.stages, by_key=store.version > 1)
    except BaseException:
        store.close()
        raise


def _as_stored(
    stored: Mapping[str, Any], given: Mapping[str, Any], earlier: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the settings `given`, with a player's entry of an earlier version where the run stored that."""
    found = dict(given)
    for name in BY_PLAYER:
        before, old = _entries(stored.get(name)), _entries(earlier.get(name))
        entries = {
            player: old[player] if player in old and before.get(player) == old[player] else entry
            for player, entry in _entries(given.get(name)).items()
        }
        if entries:
            found[name] = entries if isinstance(given[name], Mapping) else list(entries.values())
    return found


def grown_settings(stored: Mapping[str, Any], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Returns the stored settings, with what `given` adds at the end of lists.

    Raises:
        ValueError: A setting differs in another way; the message begins with `where`.
    """
    grown, differences = {}, []
    for name in {**stored, **given}:
        before, now = stored.get(name), given.get(name)
        if name in BY_PLAYER:
            own = {spec: entry for spec, entry in _entries(now).items() if spec in stored["players"]}
            grown[name] = before if _entries(before) == _entries(now) else now
            problem = "" if own == _entries(before) else difference(name, before, now)
        else:
            grown[name], problem = _grown(name, before, now)
        differences += [problem] if problem else []
    refuse_differences(where, differences or _sides_differ(stored, given))
    return {name: value for name, value in grown.items() if value is not None or name in stored}


def joined_settings(one: Mapping[str, Any], other: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Returns the settings of two runs together: the players, boards and repeats of both.

    Raises:
        ValueError: Another setting differs; the message begins with `where`.
    """
    both = dict(other)
    for name in LISTS:
        if name in one and name in other:
            both[name] = [*other[name], *(each for each in one[name] if each not in other[name])]
    for name in COUNTS:
        both[name] = max(one[name], other[name])
    for name in BY_PLAYER:
        entries = _entries(other.get(name))
        for player, entry in _entries(one.get(name)).items():
            if player not in other["players"]:
                entries[player] = entry
        if entries:
            is_table = isinstance(one.get(name, other.get(name)), Mapping)
            both[name] = entries if is_table else list(entries.values())
    return grown_settings(one, both, where)


def _entries(setting: Any) -> dict[str, Any]:
    """Returns the entries of a setting by player: of a table, or of a list of texts "player digest"."""
    if isinstance(setting, Mapping):
        return dict(setting)
    return {str(each).rpartition(" ")[0]: each for each in setting or ()}


def _grown(name: str, before: Any, now: Any) -> tuple[Any, str]:
    """Returns the larger value of a setting, and what is wrong with it, if anything."""
    if name in LISTS and isinstance(before, list) and isinstance(now, list):
        lost = [str(each) for each in before if each not in now]
        shown = " ".join(lost[:3]) + (" ..." if lost[3:] else "")
        problem = f"{name} lack {shown} (a run can grow, not shrink)" if lost else ""
        return [*before, *(each for each in now if each not in before)], problem
    if name in COUNTS and isinstance(before, int) and isinstance(now, int) and before <= now:
        return now, ""
    return before, "" if before == now else difference(name, before, now)


def _sides_differ(stored: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Returns what differs in the roles of the players that were there before."""
    before, now = stored["players"], given["players"]
    if stored["schedule"] == "gauntlet" and before[0] != now[0]:
        return [difference("the first player", before[0], now[0])]
    sides = [frozenset(settings.get("against", ())) for settings in (stored, given)]
    return [
        f"{player} is on the other side" for player in before if len({player in side for side in sides}) > 1
    ]


def growth_text(before: Mapping[str, Any], grown: Mapping[str, Any]) -> str:
    """Returns what is new, for example "repeats 1 to 2; players mcts"."""
    parts = [f"{name} {before[name]} to {grown[name]}" for name in COUNTS if before[name] != grown[name]]
    for name in LISTS[:2]:
        added = [str(each) for each in grown[name] if each not in before[name]]
        if added:
            parts.append(f"{name} {' '.join(added[:3])}{f' ... ({len(added)} in all)' if added[3:] else ''}")
    return "; ".join(parts)
