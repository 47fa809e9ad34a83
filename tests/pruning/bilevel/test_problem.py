"""Hypergradients against finite differences, matrices and automatic differentiation of the whole."""

import pytest
import torch
from bilevel_quadratic import FEATURES, SAMPLES, Quadratic

from pruning.bilevel.problem import Counter, hypergradient, itd, lower_gradient, upper_gradient
from pruning.bilevel.solvers import ConjugateGradients, FixedPoint, Neumann, added

EVERY = torch.arange(SAMPLES)


def found(quadratic, solver, y=None, *, lower=(EVERY,), upper=None, **options):
    return hypergradient(
        quadratic.problem,
        quadratic.x,
        y or quadratic.minimum(quadratic.x),
        upper_batch=upper,
        lower_batches=list(lower),
        solver=solver,
        **options,
    )


def flat(tree):
    return torch.cat([value.flatten() for value in tree.values()])


def step_of(quadratic):
    """1 / the largest eigenvalue of the Hessian."""
    return 1 / float(torch.linalg.eigvalsh(quadratic.hessian(quadratic.x))[-1])


@pytest.mark.parametrize("seed", range(3))
def test_the_hypergradient_is_the_slope_of_phi(seed):
    quadratic = Quadratic(seed)
    eta = step_of(quadratic)
    wanted = quadratic.slope(quadratic.x)
    assert wanted.abs().max() > 0.01
    for solver in (ConjugateGradients(20), Neumann(300, eta), FixedPoint(300, eta)):
        assert (found(quadratic, solver).gradient["log"] - wanted).abs().max() < 1e-7


def test_single_precision_is_within_the_issue_s_bound():
    quadratic = Quadratic(4)
    wanted = quadratic.slope(quadratic.x)
    for name in ("a", "t", "c", "s"):
        setattr(quadratic, name, getattr(quadratic, name).float())
    quadratic.x = {"log": quadratic.x["log"].float()}
    y = {name: value.float() for name, value in Quadratic(4).minimum(Quadratic(4).x).items()}
    gradient = found(quadratic, ConjugateGradients(20, 1e-6), y).gradient["log"]
    assert gradient.dtype == torch.float32 and (gradient - wanted).abs().max() < 1e-5


def test_the_truncated_series_is_eta_times_its_sum():
    """Not the last power times eta with the other powers unscaled, as in public code."""
    quadratic = Quadratic()
    eta, size = 0.2, 5
    batches = [torch.randint(SAMPLES, (size,), generator=torch.Generator().manual_seed(j)) for j in range(6)]
    y = quadratic.y
    right = flat(upper_gradient(quadratic.problem, quadratic.x, y, None)[1])
    total, power = right.clone(), right
    for batch in batches[1:]:
        power = power - eta * quadratic.hessian(quadratic.x, batch) @ power
        total += power
    adjoint = flat(found(quadratic, Neumann(5, eta), y, lower=batches).adjoint)
    assert torch.allclose(adjoint, eta * total, rtol=1e-12, atol=0)
    none = flat(found(quadratic, Neumann(0, eta), y).adjoint)
    assert torch.equal(none, eta * right)


def test_the_limit_of_many_terms_does_not_depend_on_eta():
    quadratic = Quadratic(1)
    y = quadratic.y
    right = flat(upper_gradient(quadratic.problem, quadratic.x, y, None)[1])
    exact = torch.linalg.solve(quadratic.hessian(quadratic.x), right)
    errors = []
    for terms in (1, 10, 100, 1000):
        sizes = [
            (flat(found(quadratic, Neumann(terms, share * step_of(quadratic)), y).adjoint) - exact).norm()
            for share in (0.3, 1.0)
        ]
        errors.append(float(max(sizes)))
    assert errors == sorted(errors, reverse=True) and errors[-1] < 1e-10 < errors[0]


def test_a_fixed_point_from_zero_is_the_series():
    quadratic = Quadratic(2)
    for steps in (1, 2, 7):
        one, other = (
            found(quadratic, solver) for solver in (FixedPoint(steps, 0.2), Neumann(steps - 1, 0.2))
        )
        assert torch.allclose(one.gradient["log"], other.gradient["log"], rtol=1e-12)
    half = found(quadratic, FixedPoint(4, 0.2))
    rest = found(quadratic, FixedPoint(3, 0.2), start=half.adjoint)
    whole = found(quadratic, FixedPoint(7, 0.2))
    assert torch.allclose(flat(rest.adjoint), flat(whole.adjoint), rtol=1e-12)


def test_conjugate_gradients_need_as_many_steps_as_there_are_entries():
    quadratic = Quadratic(3)
    y = quadratic.y
    right = flat(upper_gradient(quadratic.problem, quadratic.x, y, None)[1])
    exact = torch.linalg.solve(quadratic.hessian(quadratic.x), right)

    def error(steps, **options):
        adjoint = found(quadratic, ConjugateGradients(steps), y, **options).adjoint
        return float((flat(adjoint) - exact).norm() / exact.norm())

    assert error(FEATURES) < 1e-12 < 1e-3 < error(FEATURES - 2)
    start = found(quadratic, ConjugateGradients(FEATURES), y).adjoint
    counter = Counter()
    assert error(FEATURES, start=start, counter=counter) < 1e-12
    assert counter.hvps <= 2  # it ends where it starts


def test_going_back_through_descent_is_automatic_differentiation_of_it():
    quadratic = Quadratic(5)
    batches = [EVERY, torch.tensor([3, 4, 5]), torch.tensor([7, 7, 1, 0])]
    gradient, end = itd(
        quadratic.problem,
        quadratic.x,
        quadratic.y,
        upper_batch=torch.tensor([1, 2]),
        lower_batches=batches,
        lr=0.2,
    )
    x = {"log": quadratic.x["log"].clone().requires_grad_()}
    y = {name: value.clone().requires_grad_() for name, value in quadratic.y.items()}
    for batch in batches:
        slopes = torch.autograd.grad(quadratic.lower(x, y, batch), list(y.values()), create_graph=True)
        y = {name: value - 0.2 * slope for (name, value), slope in zip(y.items(), slopes, strict=True)}
    quadratic.upper(x, y, torch.tensor([1, 2])).backward()
    assert torch.allclose(gradient.gradient["log"], x["log"].grad, rtol=1e-12)
    assert torch.allclose(flat(end), flat(y), rtol=1e-12)


def test_from_the_minimum_going_back_is_the_series_and_nears_the_slope():
    quadratic = Quadratic(6)
    wanted = quadratic.slope(quadratic.x)
    lr = step_of(quadratic)
    errors = []
    for steps in (1, 4, 16, 200):
        gradient, _ = itd(
            quadratic.problem,
            quadratic.x,
            quadratic.minimum(quadratic.x),
            upper_batch=None,
            lower_batches=[EVERY] * steps,
            lr=lr,
        )
        series = found(quadratic, Neumann(steps - 1, lr)).gradient["log"]
        assert torch.allclose(gradient.gradient["log"], series, rtol=1e-9, atol=1e-12)
        errors.append(float((gradient.gradient["log"] - wanted).norm()))
    assert errors == sorted(errors, reverse=True) and errors[-1] < 1e-7


@pytest.mark.parametrize(
    ("solver", "hvps"),
    [
        (Neumann(6, 0.1), 6),
        (Neumann(0, 0.1), 0),
        (FixedPoint(6, 0.1), 5),
        (ConjugateGradients(3), 3),
    ],
)
def test_what_is_computed_is_counted(solver, hvps):
    quadratic = Quadratic()
    counter = Counter()
    batches = [torch.arange(3), torch.arange(5)]
    found(quadratic, solver, quadratic.y, lower=batches, upper=torch.arange(4), counter=counter)
    assert (counter.gradients, counter.hvps, counter.crosses) == (1, hvps, 1)
    assert (counter.gradient_samples, counter.hvp_samples, counter.cross_samples) == (4, 5 * hvps, 3)
    assert (counter.calls, counter.samples) == (2 + hvps, 7 + 5 * hvps)


def test_what_going_back_computes_is_counted():
    quadratic = Quadratic()
    counter = Counter()
    batches = [torch.arange(3), torch.arange(5)]
    itd(
        quadratic.problem,
        quadratic.x,
        quadratic.y,
        upper_batch=torch.arange(4),
        lower_batches=batches,
        lr=0.1,
        counter=counter,
    )
    assert (counter.gradients, counter.hvps, counter.crosses) == (3, 2, 2)
    assert (counter.gradient_samples, counter.hvp_samples, counter.cross_samples) == (12, 8, 8)


def test_batches_that_are_none_count_no_samples():
    quadratic = Quadratic()
    counter = Counter()
    whole = found(quadratic, Neumann(3, 0.1), lower=[None], counter=counter)
    assert (counter.calls, counter.samples) == (5, 0)
    assert torch.allclose(whole.gradient["log"], found(quadratic, Neumann(3, 0.1)).gradient["log"])


def test_each_loss_sees_its_own_batches():
    quadratic = Quadratic()
    upper, lower = torch.tensor([5]), [torch.tensor([j]) for j in range(4)]
    quadratic.seen.clear()
    gradient = found(quadratic, Neumann(3, 0.1), quadratic.y, lower=lower, upper=upper).gradient["log"]
    assert [int(batch) for loss, batch in quadratic.seen if loss == "upper"] == [5]
    assert sorted(int(batch) for loss, batch in quadratic.seen if loss == "lower") == [0, 1, 2, 3]
    direct = 0.02 * quadratic.x["log"]
    assert (gradient - direct).nonzero().flatten().tolist() == [0]  # the sample of the mixed product alone


def test_nothing_is_changed_in_place():
    quadratic = Quadratic()
    before = quadratic.x["log"].clone(), flat(quadratic.y).clone()
    for solver in (Neumann(2, 0.1), FixedPoint(3, 0.1), ConjugateGradients(3)):
        start = added(quadratic.y, quadratic.y)
        kept = flat(start).clone()
        found(quadratic, solver, quadratic.y, start=start)
        assert torch.equal(flat(start), kept)
    assert torch.equal(quadratic.x["log"], before[0]) and torch.equal(flat(quadratic.y), before[1])


def test_at_the_minimum_the_lower_loss_is_flat():
    quadratic = Quadratic()
    y = quadratic.minimum(quadratic.x)
    assert flat(lower_gradient(quadratic.problem, quadratic.x, y, None)).abs().max() < 1e-12


def test_wrong_input_is_told():
    quadratic = Quadratic()
    with pytest.raises(ValueError, match="a hypergradient needs a lower batch, got none"):
        found(quadratic, Neumann(1, 0.1), lower=())
    with pytest.raises(ValueError, match="terms must be at least 0, got -1"):
        Neumann(-1, 0.1)
    for solver in (FixedPoint, ConjugateGradients):
        with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
            solver(0, 0.1)
    for solver in (Neumann, FixedPoint):
        with pytest.raises(ValueError, match="eta must be above 0, got 0"):
            solver(1, 0)
