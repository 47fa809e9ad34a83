"""Agents that fail in every way, as modules of users may."""

import os
import signal
import subprocess
import sys
import time

from agents import Decision


class Uniform:
    """The random agent, without batches; it draws from spawned generators too."""

    def decide(self, positions, rng):
        return [Decision(self.cell(position, rng), value=0.5, nodes=7) for position in positions]

    def cell(self, position, rng):
        cells = position.legal_cells()
        return cells[int(rng.integers(len(cells)) + rng.spawn(1)[0].integers(len(cells))) % len(cells)]


class Batched(Uniform):
    batched = True

    def decide(self, positions, rng):
        pairs = zip(positions, rng, strict=True)
        return [Decision(self.cell(position, each)) for position, each in pairs]


class Leaves(Uniform):
    """Ends its process in odd positions."""

    def decide(self, positions, rng):
        if positions[0].plies > 2:
            os._exit(7)
        return super().decide(positions, rng)


class Crashes(Uniform):
    def decide(self, positions, rng):
        os.kill(os.getpid(), signal.SIGSEGV)


class Hangs(Uniform):
    """Never answers, ignores SIGTERM, and has a process that holds its pipes."""

    def decide(self, positions, rng):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"], close_fds=False)
        time.sleep(100)


class HangsWhenMade:
    def __init__(self):
        time.sleep(100)


class Forks(Uniform):
    def decide(self, positions, rng):
        os.fork()
        return super().decide(positions, rng)


class Strays(Uniform):
    """Leaves the folder, prints, and closes the standard streams."""

    def decide(self, positions, rng):
        print("thinking aloud")
        sys.stdout.close()
        sys.stderr.close()
        os.close(1)
        os.chdir("/")
        return super().decide(positions, rng)


class Own(BaseException):
    """An exception that is no Exception."""


class Raises(Uniform):
    def __init__(self, kind: str = "Own"):
        self.error = {"Own": Own, "KeyboardInterrupt": KeyboardInterrupt, "ValueError": ValueError}[kind]

    def decide(self, positions, rng):
        raise self.error("no idea")


class Edits(Uniform):
    """Plays a legal cell, but writes a win into its position and another size into its board first."""

    def decide(self, positions, rng):
        decisions = super().decide(positions, rng)
        for position in positions:
            object.__setattr__(position, "first", position.board.playable)
            object.__setattr__(position.board, "rows", 3)
            object.__setattr__(position.board, "bricks", ())
        return decisions


class Empties(Uniform):
    """Empties the lists that it was given, and returns as many decisions."""

    batched = True

    def decide(self, positions, rng):
        positions.clear()
        rng.clear()
        return []


class Fickle(Uniform):
    """Its decisions name another cell each time they are read."""

    def decide(self, positions, rng):
        cells = iter(positions[0].legal_cells())

        class Other:
            cell = property(lambda self: next(cells))
            value = nodes = proven = None

        return [Other()]


class Odd(Uniform):
    """Its cell is nothing that another process could receive."""

    def decide(self, positions, rng):
        return [Decision(lambda: "x" * 10**6)]


class Silent(Uniform):
    """Raises an exception whose text raises another one."""

    def decide(self, positions, rng):
        class MuteError(Exception):
            def __str__(self):
                raise KeyboardInterrupt

        raise MuteError


class Late(Uniform):
    """Its decision raises when it is read a second time."""

    def decide(self, positions, rng):
        reads = iter([0])

        class Once:
            value = nodes = proven = None

            @property
            def cell(self):
                for each in reads:
                    return each
                raise KeyboardInterrupt

        return [Once()]


class Endless(Uniform):
    """Its decisions never end."""

    def decide(self, positions, rng):
        while True:
            yield Decision(0)


class ByName(Uniform):
    """Names its cells."""

    def decide(self, positions, rng):
        return [Decision(position.board.cell_name(position.legal_cells()[0])) for position in positions]


class Huge(Uniform):
    """Its numbers have more digits than Python writes."""

    def decide(self, positions, rng):
        return [Decision(10**5000, nodes=10**5000)]


class Long(Uniform):
    """The name of its cell is long."""

    def decide(self, positions, rng):
        return [Decision("x" * 10**6)]


class SlowWhenMade(Uniform):
    def __init__(self):
        time.sleep(0.3)
