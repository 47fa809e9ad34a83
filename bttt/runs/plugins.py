"""User-defined code, given as "python:module:name" in place of a name, and its errors as one line."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import textwrap
from collections.abc import Callable, MutableMapping
from typing import Any, TypeVar

from bttt.processes import is_interrupt
from bttt.runs.options import nearest

PLUGIN_PREFIX = "python:"
FAILURES = (Exception, SystemExit, GeneratorExit)
"""Exceptions that count as failures of the user's code; Ctrl-C does not."""
MOST_TEXT = 300
"""Maximum length of an error message, in characters."""
KIND_OF = {"class": True, "brick set": False, "encoding": False, "function": False}
"""Kinds of objects that are classes (True) or functions (False): the list in a message has no others."""
Entry = TypeVar("Entry")


def is_plugin(name: str) -> bool:
    """Returns whether a name refers to a plug-in."""
    return name.startswith(PLUGIN_PREFIX)


def folder_name(name: str) -> str:
    """Returns a name as part of a folder's name: a colon, as in "python:module:name", becomes a dash."""
    return name.replace(":", "-")


def load_plugin(name: str, what: str, accepts: Callable[[Any], bool] = callable) -> Any:
    """Returns the object named "python:package.module:name"; the search includes the current folder.

    Args:
        name: The name: "python:", the module, a colon, and a name in the module.
        what: Kind of object for the error message, for example "criterion".
        accepts: Function that returns whether an object is of this kind.

    Raises:
        ValueError: The name has another form, the module cannot be imported, or it has no such object. The
            message lists the module's objects of this kind.
    """
    module_name, _, attribute = name.removeprefix(PLUGIN_PREFIX).partition(":")
    if not is_plugin(name) or not module_name or not attribute:
        raise ValueError(
            f"{name.removeprefix(PLUGIN_PREFIX)!r} does not have the form package.module:{what.title()}"
        )
    if os.getcwd() not in sys.path and "" not in sys.path:
        # console scripts do not search the current folder; at the end, it hides no other module
        sys.path.append(os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except BaseException as error:
        if is_interrupt(error):
            raise
        raise ValueError(f"module {module_name!r} cannot be imported: {one_line(error)}") from error
    found = getattr(module, attribute, None)
    if found is None or not _accepted(accepts, found):
        names = sorted(
            own
            for own, value in vars(module).items()
            if not own.startswith("_")
            and _is_own(value, module_name)
            and _accepted(accepts, value)
            and (what not in KIND_OF or isinstance(value, type) == KIND_OF[what])
        )
        raise ValueError(
            f"module {module_name!r} has no {what} {attribute!r}{nearest(attribute, names)}; "
            f"its {_plural(what)} are {', '.join(names) or 'none'}"
        )
    return found


def _plural(what: str) -> str:
    return {"class": "classes", "criterion": "criteria", "topology": "topologies"}.get(what, f"{what}s")


def _is_own(value: Any, module_name: str) -> bool:
    """Returns whether a class or function is defined in the module; always True for other objects."""
    defined = isinstance(value, type) or inspect.isroutine(value)
    return not defined or getattr(value, "__module__", None) == module_name


def _accepted(accepts: Callable[[Any], bool], value: Any) -> bool:
    try:
        return bool(accepts(value))
    except Exception:  # inspecting a user's object may raise anything
        return False


def resolve(
    registry: MutableMapping[str, Entry], name: str, what: str, accepts: Callable[[Any], bool] = callable
) -> str:
    """Adds a plug-in to a registry under its full name and returns the name; other names pass unchanged.

    A registry is a plain dict of names, so no other code needs to know about plug-ins. Worker processes
    resolve the name again.

    Raises:
        ValueError: The plug-in cannot be loaded (see `load_plugin`).
    """
    if is_plugin(name) and name not in registry:
        registry[name] = load_plugin(name, what, accepts)
    return name


def one_line(error: BaseException, *, own: bool = False) -> str:
    """Returns the message of an error on one line; its type comes first unless it is a ValueError.

    Args:
        error: The error.
        own: Whether this program raised it, or a library for it. Then the type, which tells only the author
            of the code something, is left out.
    """
    try:
        text = str(error)
    except BaseException as other:
        if is_interrupt(other):
            raise
        text = "(its message cannot be read)"
    printable = "".join(symbol if symbol.isprintable() else " " for symbol in text)
    text = textwrap.shorten(printable, MOST_TEXT, placeholder=" ...")
    if own and isinstance(error, KeyError):
        return f"{text} is missing"
    return text if text and (own or isinstance(error, ValueError)) else f"{type(error).__name__}: {text}"
