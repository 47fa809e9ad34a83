import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bttt
from agents import AGENTS, Agent, Decision, make_agent
from agents.agent import generators
from agents.random_agent import RandomAgent
from bttt.board import Board
from bttt.opponent import ask
from bttt.position import Position

STARTS = [Position.start(Board(bricks=bricks)) for bricks in ("D4", "E5", "A1")]
USER_MODULE = """
from __future__ import annotations
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Optional, Union
from agents.agent import Agent, Decision

if TYPE_CHECKING:
    from nowhere import Unknown

class Base:
    def decide(self, positions, rng):
        return [Decision(position.legal_cells()[-1]) for position in positions]

class Plain(Base): ...

class Explicit(Agent):
    decide = Base.decide

class Annotated(Base):
    def __init__(self, depth: int, rate: float = 0.5, deep: bool = False, name: str = "x",
                 leaf: Literal["rollout", "heuristic"] = "rollout", seconds: float | None = None,
                 old: Optional[int] = 3, either: Union[int, float] = 1, text: str | None = None):
        self.options = dict(locals())

class KeywordOnly(Base):
    def __init__(self, *, depth: int = 1):
        self.depth = depth

class Unannotated(Base):
    def __init__(self, depth, rate=0.5, other=None):
        self.options = (depth, rate, other)

class AnyKeyword(Base):
    def __init__(self, depth: int = 1, **rest):
        self.depth, self.rest = depth, rest

class Inherited(AnyKeyword):
    def __init__(self, **rest):
        super().__init__(**rest)

class ForTypeCheckers(Base):
    def __init__(self, model: Unknown = None, depth: int = 1):
        self.model, self.depth = model, depth

@dataclass(frozen=True)
class Data(Base):
    depth: int = 1
    hidden: list = field(default_factory=list, init=False)

@dataclass(frozen=True)
class Named(Base):
    file: str = "x"
    depth: int = 1

    positional = "file"

def build(depth: int = 1):
    return KeywordOnly(depth=depth)

class NoDecide: ...

class Breaks(Base):
    def __init__(self, path: str = "model"):
        raise FileNotFoundError(f"no file\\n{path}")

class Refuses(Base):
    def __init__(self, depth: int):
        raise ValueError(f"depth must be at least 1, got {depth}")

number = 3
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """The name of an importable module with a user's agents."""
    (tmp_path / "user_agents.py").write_text(USER_MODULE)
    (tmp_path / "broken_syntax.py").write_text("def decide(:\n")
    (tmp_path / "broken_import.py").write_text("import user_agents\n1 / 0\n")
    (tmp_path / "empty.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "user_agents"
    for name in ("user_agents", "broken_import", "empty"):
        sys.modules.pop(name, None)


def user_agent(module: str, text: str):
    return make_agent(f"python:{module}:{text}")


def error_of(spec: str) -> str:
    with pytest.raises(ValueError) as caught:
        make_agent(spec)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("spec", ["random", " random "])
def test_a_registered_agent(spec):
    assert make_agent(spec) == RandomAgent()
    assert isinstance(make_agent(spec), Agent)


def test_every_registered_agent_can_be_made_from_its_name():
    for name in AGENTS:
        assert isinstance(make_agent(name), Agent)


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("", ["unknown agent ''; agents are alphazero, human,", "python:package.module:Class"]),
        ("nobody", ["unknown agent 'nobody'; agents are"]),
        ("MCTS", ["unknown agent 'MCTS' (did you mean 'mcts'?)"]),
        ("Random:", ["unknown agent 'Random' (did you mean 'random'?)"]),
        ("minmax:depth=2", ["unknown agent 'minmax' (did you mean 'minimax'?)", "minimax, perfect, random"]),
        ("pyton:a:B", ["unknown agent 'pyton' (did you mean 'python'?)"]),
        ("random:seed=1", ["agent 'random:seed=1': unknown option 'seed'; options are none"]),
        ("random:seed", ["agent 'random:seed': option 'seed' does not have the form option=value"]),
        ("human:x=1", ["agent 'human:x=1': unknown option 'x'; options are none"]),
        ("human:source=1", ["agent 'human:source=1': unknown option 'source'; options are none"]),
        ("mcts:iterations", ["option 'iterations' does not have the form option=value"]),
        ("mcts:iterations=ten", ["agent 'mcts:iterations=ten': option iterations='ten' must be a whole"]),
        ("mcts:iterations=", ["option iterations='' must be a whole number"]),
        ("mcts:Iterations=10", ["unknown option 'Iterations' (did you mean 'iterations'?); options are"]),
        ("mcts:iterations=1,iterations=2", ["option 'iterations' is given twice"]),
        ("python:", ["agent 'python:' ends with a colon: options follow it, or leave it out"]),
        ("mcts:", ["agent 'mcts:' ends with a colon: options follow it, or leave it out"]),
        ("random: ", ["agent 'random: ' ends with a colon"]),
        (f"mcts:iterations={2**63}", [f"option iterations='{2**63}' must be a whole number"]),
        ("mcts:iterations=5,seconds=1", ["option 'iterations' has no effect with seconds: leave it out"]),
        ("mcts:leaf=heuristic,rollouts=2", ["option 'rollouts' has no effect with leaf=heuristic"]),
        ("minimax:depth=3,seconds=1", ["option 'depth' has no effect with seconds: leave it out"]),
        ("python:os", ["agent 'python:os': 'os' does not have the form package.module:Class"]),
        ("python:os:", ["'os:' does not have the form package.module:Class"]),
        ("python::Class", ["':Class' does not have the form package.module:Class"]),
        ("python:os:sep", ["module 'os' has no class 'sep'; its classes are"]),
        ("python:no_such_module:Class", ["module 'no_such_module' cannot be imported: ModuleNotFoundError"]),
        ("python:.relative:Class", ["module '.relative' cannot be imported"]),
    ],
)  # fmt: skip
def test_wrong_specs_are_named_in_one_line(spec, parts):
    message = error_of(spec)
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("rest", "part"),
    [
        ("user_agents:Plane", "module 'user_agents' has no class 'Plane' (did you mean 'Plain'?); its"),
        ("user_agents:number", "module 'user_agents' has no class 'number'"),
        ("empty:Any", "module 'empty' has no class 'Any'; its classes are none"),
        ("user_agents:NoDecide", "agent 'python:user_agents:NoDecide' has no method decide(positions, rng)"),
        ("user_agents:Plain,x=1", "unknown option 'x'; options are none"),
        ("user_agents:Annotated", "cannot be made: TypeError: Annotated.__init__() missing 1 required"),
        ("user_agents:Annotated,depht=3", "unknown option 'depht' (did you mean 'depth'?); options are"),
        ("user_agents:Annotated,depth=1.5", "option depth='1.5' must be a whole number"),
        ("user_agents:Annotated,depth=1,deep=yes", "option deep='yes' must be true or false"),
        ("user_agents:Annotated,depth=1,leaf=deep", "option leaf='deep' must be rollout or heuristic"),
        ("user_agents:Annotated,depth=1,seconds=fast", "option seconds='fast' must be a number or none"),
        ("user_agents:Annotated,depth=1,old=2.5", "option old='2.5' must be a whole number or none"),
        ("user_agents:Annotated,depth=none", "option depth='none' must be a whole number"),
        ("user_agents:Data,hidden=1", "unknown option 'hidden'; options are depth"),
        ("user_agents:Inherited,other=1,x", "option 'x' does not have the form option=value"),
        ("user_agents:Explicit,x=1", "agent 'python:user_agents:Explicit,x=1'"),
        ("user_agents:Breaks", "cannot be made: FileNotFoundError: no file model"),
        ("user_agents:Refuses,depth=0", "cannot be made: depth must be at least 1, got 0"),
        ("user_agents:Named,depth=1,y", "option 'y' does not have the form option=value"),
        ("user_agents:Named,y,file=z", "option 'file' is given twice"),
        ("user_agents:Named,y,z", "option 'z' does not have the form option=value"),
        ("broken_syntax:Any", "module 'broken_syntax' cannot be imported: SyntaxError"),
        ("broken_import:Any", "module 'broken_import' cannot be imported: ZeroDivisionError"),
    ],
)  # fmt: skip
def test_wrong_specs_of_user_agents_are_named_in_one_line(module, rest, part):
    assert part in error_of(f"python:{rest}")


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("depth=3", {"depth": 3, "rate": 0.5}),
        (" depth = 3 , rate=2,", {"depth": 3, "rate": 2.0}),
        ("depth=-1,deep=true", {"depth": -1, "deep": True}),
        ("depth=1,deep=False", {"deep": False}),
        ("depth=1,name=7", {"name": "7"}),
        ("depth=1,name=a=b", {"name": "a=b"}),
        ("depth=1,leaf=heuristic", {"leaf": "heuristic"}),
        ("depth=1,seconds=none", {"seconds": None}),
        ("depth=1,seconds=1", {"seconds": 1.0}),
        ("depth=1,old=None", {"old": None}),
        ("depth=1,old=4", {"old": 4}),
        ("depth=1,either=2", {"either": 2}),
        ("depth=1,either=2.5", {"either": 2.5}),
        ("depth=1,text=none", {"text": None}),
        ("depth=1,text=nothing", {"text": "nothing"}),
    ],
)
def test_values_become_what_the_annotations_say(module, text, options):
    made = user_agent(module, f"Annotated,{text}").options
    for name, value in options.items():
        assert made[name] == value
        assert type(made[name]) is type(value)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("depth=3", (3, 0.5, None)),
        ("depth=0.5,rate=1e-3,other=deep", (0.5, 0.001, "deep")),
        ("depth=true,rate=none,other=False", (True, None, False)),
    ],
)
def test_values_without_annotation_become_what_they_read_like(module, text, options):
    made = user_agent(module, f"Unannotated,{text}").options
    assert made == options
    assert list(map(type, made)) == list(map(type, options))


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("Named", ("x", 1)),
        ("Named,", ("x", 1)),
        ("Named,runs/y", ("runs/y", 1)),
        ("Named, C:\\runs\\y , depth=2", ("C:\\runs\\y", 2)),
        ("Named,depth=2", ("x", 2)),
        ("Named,depth=2,file=a=b", ("a=b", 2)),
    ],
)
def test_one_option_may_stand_first_without_its_name(module, text, options):
    made = user_agent(module, text)
    assert (made.file, made.depth) == options


def test_classes_with_other_signatures(module):
    assert user_agent(module, "KeywordOnly,depth=4").depth == 4
    assert user_agent(module, "Data,depth=4").depth == 4
    assert user_agent(module, "build,depth=4").depth == 4
    assert user_agent(module, "ForTypeCheckers,depth=4").depth == 4
    assert user_agent(module, "AnyKeyword,depth=4,width=2").rest == {"width": 2}
    assert user_agent(module, "Inherited,depth=4").depth == 4
    for name in ("Plain", "Explicit"):
        assert ask(user_agent(module, name), STARTS, [None] * 3) == [Decision(48)] * 3


def test_agents_of_the_current_folder_are_found_by_a_console_script(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "my_agent.py").write_text(
        "from agents.random_agent import RandomAgent\nclass Mine(RandomAgent): ...\n"
    )
    root = Path(bttt.__file__).parents[1]
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys; sys.path.append({str(root)!r})\n"
        "from agents import make_agent\n"
        "print(type(make_agent('python:my_agent:Mine')).__name__)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path / "here", capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("Mine\n", "")


class Recorder:
    """Plays the last free cell, and records its calls."""

    def __init__(self, answers: int | None = None):
        self.calls = []
        self.answers = answers

    def decide(self, positions, rng):
        self.calls.append((list(positions), rng))
        decisions = [Decision(position.legal_cells()[-1]) for position in positions]
        return decisions if self.answers is None else decisions[:1] * self.answers


class BatchedRecorder(Recorder):
    batched = True


def test_an_agent_that_is_not_batched_gets_one_position_and_its_generator_at_a_time():
    agent, rngs = Recorder(), [np.random.default_rng(seed) for seed in range(3)]
    decisions = ask(agent, STARTS, rngs)
    assert agent.calls == [([start], rng) for start, rng in zip(STARTS, rngs, strict=True)]
    assert [decision.cell for decision in decisions] == [48, 48, 48]


def test_a_batched_agent_gets_everything_at_once():
    agent, rngs = BatchedRecorder(), [np.random.default_rng(seed) for seed in range(3)]
    assert ask(agent, STARTS, rngs) == ask(Recorder(), STARTS, rngs)
    assert agent.calls == [(STARTS, rngs)]


def test_no_position_is_no_decision():
    assert ask(Recorder(), [], []) == ask(BatchedRecorder(), [], []) == ask(RandomAgent(), [], []) == []


@pytest.mark.parametrize(
    ("agent", "counts"),
    [
        (Recorder(0), "0 decisions for 1 "),
        (Recorder(2), "2 decisions for 1 "),
        (BatchedRecorder(2), "2 decisions for 3 "),
    ],
)
def test_a_wrong_number_of_decisions_is_refused(agent, counts):
    with pytest.raises(ValueError, match=re.escape(f"decide returned {counts}positions")):
        ask(agent, STARTS, [np.random.default_rng(0)] * 3)


def test_generators():
    rng, other = np.random.default_rng(0), np.random.default_rng(1)
    assert generators(rng, STARTS) == [rng] * 3
    assert generators((rng, other, rng), STARTS) == [rng, other, rng]
    with pytest.raises(ValueError, match="got 2 generators for 3 positions: give one, or one per position"):
        generators([rng, other], STARTS)
    finished = Position.parse("3x3x3 OOO/XX./...")
    with pytest.raises(ValueError, match=r"no move in a finished game \(first wins\): 3x3x3 OOO/XX./..."):
        generators(rng, [STARTS[0], finished])
