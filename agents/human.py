"""The human agent: a person at the terminal who types cell names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from agents.agent import Decision, Rng, generators
from bttt import Position
from bttt.drawing import ansi

HELP = (
    "Type the cell for your stone: a row letter and a column number, for example D4 or d4.\n"
    "? or help shows this text and the free cells. quit (or Ctrl-D) ends the game."
)
HELP_WORDS = ("?", "h", "help")
QUIT_WORDS = ("q", "quit", "exit")


class GameQuit(KeyboardInterrupt):
    """The person has quit or the input has ended; like Ctrl-C, this is not a failure of the agent."""


class HumanAgent:
    """Asks a person for each move. Spec: "human", without options.

    Args:
        source: Stream to read the answers from; default: standard input.
        sink: Stream to write boards and questions to; default: standard output.
    """

    # Positional only, so that a spec cannot set them: the options of a spec are keywords.
    def __init__(self, source: TextIO | None = None, sink: TextIO | None = None, /):
        self._source = source
        self._sink = sink

    def decide(self, positions: Sequence[Position], rng: Rng) -> list[Decision]:
        """Returns the person's choice for each position, asking again until the move is legal.

        Raises:
            GameQuit: The person has quit, or the input has ended.
        """
        generators(rng, positions)
        return [Decision(self._ask(position)) for position in positions]

    def _ask(self, position: Position) -> int:
        self._write(ansi(position))
        while True:
            answer = self._read("Your cell (? for help): ")
            if answer.lower() in QUIT_WORDS:
                raise GameQuit("quit")
            if answer.lower() in HELP_WORDS:
                self._write(f"{HELP}\n{_free_cells(position)}")
                continue
            try:
                position.play(answer)
                return position.board.cell(answer)
            except ValueError as error:
                problem = str(error).partition(";")[0]  # without the list of up to 62 free cells
                self._write(
                    f"{problem}\nType a free cell (for example {_example(position)}), ? for help, or quit."
                )

    def _read(self, question: str) -> str:
        """Returns the next line without surrounding space; "" if it is not valid text."""
        self._write(question, end="")
        try:
            line = (self._source or sys.stdin).readline()
        except UnicodeDecodeError:
            return ""
        if not line:
            self._write("")
            raise GameQuit("the input has ended")
        return line.strip()

    def _write(self, text: str, end: str = "\n") -> None:
        print(text, end=end, file=self._sink or sys.stdout, flush=True)


def _free_cells(position: Position) -> str:
    """Returns the free cells as text, one line per row of the board."""
    rows: dict[int, list[str]] = {}
    for cell in position.legal_cells():
        rows.setdefault(cell // position.board.cols, []).append(position.board.cell_name(cell))
    return "\n".join(["Free cells:", *("  " + " ".join(names) for names in rows.values())])


def _example(position: Position) -> str:
    return position.board.cell_name(position.legal_cells()[0])
