"""A user's task in a command: its errors name its class and method, its batches and fingerprint stay."""

import pytest
import torch
from toy_task import ToyTask

from pruning.loop import Plan, fingerprint, run
from pruning.studies.guarded import METHODS, SPLITS, GuardedTask

PLAN = Plan.from_settings(criterion="dropnet", cycles=1)


class Failing(ToyTask):
    """A task one of whose methods fails."""

    def __init__(self, method, error):
        super().__init__()
        self.method, self.error = method, error

    def __getattribute__(self, name):
        if name != "method" and name == getattr(self, "method", None):

            def fail(*args, **options):
                raise self.error

            return fail
        return super().__getattribute__(name)


@pytest.mark.parametrize("method", [*METHODS, *SPLITS])
@pytest.mark.parametrize("error", [ZeroDivisionError("one\ntwo"), SystemExit(3), ValueError("why")])
def test_an_error_is_one_line_that_names_the_method(tmp_path, method, error):
    task = GuardedTask(Failing(method, error))
    with pytest.raises(ValueError, match=rf"^Failing\.{method} failed: ") as found:
        if method == "loss":  # the task's own methods use it too
            task.loss(None, [])
        plan = PLAN.with_settings(criterion="grasp" if method == "sample" else "dropnet")
        run(task, plan, tmp_path)
    assert "\n" not in str(found.value)
    assert found.value.__cause__ is error


def test_ctrl_c_passes(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(GuardedTask(ToyTask(fails=0)), PLAN, tmp_path)


def test_a_guarded_task_is_the_task(tmp_path):
    task = ToyTask()
    one, other = run(GuardedTask(task), PLAN, tmp_path / "a"), run(ToyTask(), PLAN, tmp_path / "b")
    assert [each.measures for each in one] == [each.measures for each in other]
    assert run(task, PLAN, tmp_path / "a") == one
    assert fingerprint(GuardedTask(task)) == fingerprint(task)


def test_batches_may_be_made_while_they_are_read():
    class Lazy(ToyTask):
        def batches(self):
            yield [self.images[:3], self.labels[:3]]
            raise RuntimeError("no more")

    batches = iter(GuardedTask(Lazy()).batches())
    assert torch.equal(next(batches)[1], torch.arange(3))
    with pytest.raises(
        ValueError, match=r"Lazy\.batches failed: RuntimeError: no more \(.*test_guarded\.py:\d+\)"
    ):
        next(batches)
