"""The methods: what they come to where randomness or memory is taken away, and what each step is made of."""

from itertools import islice, pairwise

import pytest
import torch
from bilevel_quadratic import HELD, SAMPLES, Quadratic

from pruning.bilevel.methods import METHODS, check_method, optimise
from pruning.bilevel.problem import Problem, hypergradient, lower_gradient
from pruning.bilevel.solvers import Neumann, added
from pruning.bilevel.start import Batches, Start, State

WHOLE = 0
PLAIN = 1e9
"""A factor c1 or c2 at which the weight of the new estimate is 1."""
SINGLE = ("bsa", "ttsa", "mstsa")
"""Methods of one sample at a time."""
EXACT = ("aid-fp", "aid-cg", "itd")
"""Methods on all samples at once."""


def start_of(quadratic, seed=0, **options):
    batches = Batches(HELD, SAMPLES, seed)
    return Start(quadratic.problem, quadratic.x, quadratic.y, batches, **options)


def states(name, quadratic, number, *, seed=0, scale=1.0, **options):
    return list(islice(optimise(name, start_of(quadratic, seed, scale=scale), **options), number))


def flat(tree):
    return torch.cat([value.flatten() for value in tree.values()])


def same(one, other):
    return all(torch.equal(flat(getattr(one, part)), flat(getattr(other, part))) for part in ("x", "y"))


def close(one, other):
    return all(
        torch.allclose(flat(getattr(one, part)), flat(getattr(other, part)), rtol=1e-9, atol=1e-12)
        for part in ("x", "y")
    )


def plain_sgd(quadratic, number, *, batch, outer_lr, inner_lr, terms, eta, rate=lambda k: 1.0):
    """One loop, both steps from the same point, with the draws in MRBO's order."""
    batches, at, found = Batches(HELD, SAMPLES, 0), State(quadratic.x, quadratic.y), []
    for k in range(number):
        sample, lower = batches.sample(batch, terms), batches.lower(batch)
        slope = lower_gradient(quadratic.problem, at.x, at.y, lower)
        gradient = hypergradient(
            quadratic.problem,
            at.x,
            at.y,
            upper_batch=sample.upper,
            lower_batches=sample.lower,
            solver=Neumann(terms, eta),
        ).gradient
        at = State(added(at.x, gradient, -outer_lr * rate(k)), added(at.y, slope, -inner_lr * rate(k)))
        found.append(at)
    return found


STEPS = {"outer_lr": 0.3, "inner_lr": 0.2, "terms": 4, "eta": 0.2}


def test_mrbo_without_memory_is_plain_descent_bit_for_bit():
    options = {"batch": 3, **STEPS}
    found = states("mrbo", Quadratic(), 12, **options, d=1.0, m=1.0, c1=PLAIN, c2=PLAIN)
    wanted = plain_sgd(Quadratic(), 12, **options, rate=lambda k: (1 + k) ** (-1 / 3))
    assert all(same(one, other) for one, other in zip(found, wanted, strict=True))


def test_memory_changes_nothing_where_nothing_is_random():
    options = {"batch": WHOLE, **STEPS}
    wanted = plain_sgd(Quadratic(), 12, **options, rate=lambda k: 2.0 * (8 + k) ** (-1 / 3))
    found = states("mrbo", Quadratic(), 12, **options, d=2.0, m=8.0, c1=0.3, c2=0.1)
    assert all(close(one, other) for one, other in zip(found, wanted, strict=True))


def test_mrbo_is_its_recursion():
    """Written out on its own: same samples at both points, and weights that decay with the steps."""
    quadratic, c1, c2 = Quadratic(1), 0.7, 0.4
    found = states("mrbo", quadratic, 6, batch=2, **STEPS, d=1.0, m=1.0, c1=c1, c2=c2)
    batches, at, before, v, u = Batches(HELD, SAMPLES, 0), State(quadratic.x, quadratic.y), None, None, None
    for k, state in enumerate(found):
        sample, lower = batches.sample(2, 4), batches.lower(2)

        def estimate(of, sample=sample):
            return hypergradient(
                quadratic.problem,
                of.x,
                of.y,
                upper_batch=sample.upper,
                lower_batches=sample.lower,
                solver=Neumann(4, 0.2),
            ).gradient["log"]

        def slope(of, lower=lower):
            return flat(lower_gradient(quadratic.problem, of.x, of.y, lower))

        if k == 0:
            v, u = estimate(at), slope(at)
        else:
            eta = k ** (-1 / 3)  # of the step before, 1 / (1 + (k - 1))^(1/3)
            v = estimate(at) + (1 - c1 * eta**2) * (v - estimate(before))
            u = slope(at) + (1 - c2 * eta**2) * (u - slope(before))
        factor = (1 + k) ** (-1 / 3)
        assert torch.allclose(state.x["log"], at.x["log"] - 0.3 * factor * v, rtol=1e-10)
        assert torch.allclose(flat(state.y), flat(at.y) - 0.2 * factor * u, rtol=1e-10)
        before, at = at, state


def constant_slopes():
    """Gradients of 1 wherever: the lower loss is no minimum problem, and each step tells its own length."""
    problem = Problem(lambda x, y, batch: x["x"].sum(), lambda x, y, batch: y["y"].sum() + 0 * x["x"].sum())
    zero = {"x": torch.zeros(2, dtype=torch.float64)}, {"y": torch.zeros(3, dtype=torch.float64)}
    return Start(problem, *zero, Batches(5, 5, 0))


def steps_of(name, number, **options):
    """The lengths of the steps of x and of y."""
    start = constant_slopes()
    found = [State(start.x, start.y), *islice(optimise(name, start, **options), number)]
    x, y = ([float(flat(getattr(each, part))[0]) for each in found] for part in ("x", "y"))
    return [[a - b for a, b in pairwise(each)] for each in (x, y)]


def test_mrbo_s_steps_decay_and_y_moves_once_in_each():
    x, y = steps_of("mrbo", 20, outer_lr=0.3, inner_lr=0.2, batch=1, d=2.0, m=4.0)
    rates = [2.0 * (4 + k) ** (-1 / 3) for k in range(20)]
    assert x == pytest.approx([0.3 * rate for rate in rates])
    assert y == pytest.approx([0.2 * rate for rate in rates])


@pytest.mark.parametrize(
    ("name", "outer", "inner", "moves"),
    [("bsa", 0.5, 0.0, 10), ("ttsa", 0.6, 0.4, 1), ("mstsa", 0.5, 0.5, 1), ("stocbio", 0.0, 0.0, 10)],
)
def test_single_sample_methods_step_by_their_powers(name, outer, inner, moves):
    x, y = steps_of(name, 8, outer_lr=0.3, inner_lr=0.2)
    assert x == pytest.approx([0.3 * k**-outer for k in range(1, 9)])
    assert y == pytest.approx([moves * 0.2 * k**-inner for k in range(1, 9)])


def test_vrbo_with_large_batches_each_time_and_no_inner_steps_is_a_step_of_large_batches():
    quadratic = Quadratic()
    options = {"outer_lr": 0.3, "terms": 4, "eta": 0.2}
    found = states("vrbo", quadratic, 8, batch=9, every=1, inner_steps=0, **options)
    batches, x = Batches(HELD, SAMPLES, 0), quadratic.x
    for state in found:
        sample = batches.sample(9, 4)
        gradient = hypergradient(
            quadratic.problem,
            x,
            quadratic.y,
            upper_batch=sample.upper,
            lower_batches=sample.lower,
            solver=Neumann(4, 0.2),
        ).gradient
        x = added(x, gradient, -0.3)
        assert torch.equal(state.x["log"], x["log"]) and state.y is quadratic.y


@pytest.mark.parametrize("every", [1, 2, 5])
@pytest.mark.parametrize("inner_steps", [0, 1, 3])
def test_vrbo_without_randomness_has_exact_estimates_at_its_point(every, inner_steps):
    """Which holds only if the first difference is from where x was, and none is left out."""
    quadratic = Quadratic(2)
    options = {"outer_lr": 0.3, "inner_lr": 0.2, "terms": 4, "eta": 0.2}
    found = states(
        "vrbo",
        quadratic,
        11,
        batch=WHOLE,
        small_batch=WHOLE,
        every=every,
        inner_steps=inner_steps,
        **options,
    )
    wanted, at = [], State(quadratic.x, quadratic.y)
    whole = torch.arange(SAMPLES)
    for _ in found:
        gradient = hypergradient(
            quadratic.problem, at.x, at.y, upper_batch=None, lower_batches=[whole], solver=Neumann(4, 0.2)
        ).gradient
        at = State(added(at.x, gradient, -0.3), at.y)
        for _ in range(inner_steps):
            at = State(at.x, added(at.y, lower_gradient(quadratic.problem, at.x, at.y, whole), -0.2))
        wanted.append(at)
    assert all(close(one, other) for one, other in zip(found, wanted, strict=True))


@pytest.mark.parametrize("name", ["mrbo", "vrbo", "mstsa"])
def test_differences_take_the_same_samples_at_both_points(name):
    quadratic = Quadratic()
    batch = {"batch": 5} if name != "vrbo" else {"batch": 6, "small_batch": 5, "every": 2, "inner_steps": 2}
    methods = optimise(name, start_of(quadratic), **batch, terms=3, eta=0.1)
    next(methods)
    seen = []
    for _ in range(6):
        quadratic.seen.clear()
        next(methods)
        small = [(loss, tuple(of.tolist())) for loss, of in quadratic.seen if len(of) == 5]
        seen.append(sorted(small))
    drawn = [each for own in seen for each in own]
    assert drawn
    if name == "mstsa":  # whose lower gradient has no memory: one batch of a step is taken once
        assert all(sum(own.count(each) == 1 for each in set(own)) == 1 for own in seen)
    else:
        assert all(own.count(each) % 2 == 0 for own in seen for each in own)


@pytest.mark.parametrize("name", METHODS)
def test_upper_variables_move_only_with_their_own_samples(name):
    """Each loss is of its own samples, and what a batch of the lower one says is of that batch's entries."""
    quadratic = Quadratic(3)
    upper = quadratic.upper

    def without_direct(x, y, batch):
        return upper({"log": torch.zeros_like(x["log"])}, y, batch)

    quadratic.upper = without_direct
    options = {} if name in SINGLE else {"batch": 2}
    more = {"small_batch": 2} if name == "vrbo" else {}
    methods = optimise(name, start_of(quadratic), **options, **more)
    before = quadratic.x["log"]
    moved = torch.zeros(SAMPLES, dtype=torch.bool)
    drawn = set()
    for _ in range(2):
        quadratic.seen.clear()
        x = next(methods).x["log"]
        drawn |= {int(i) for loss, batch in quadratic.seen if loss == "lower" for i in batch}
        assert all(int(batch.max()) < HELD for loss, batch in quadratic.seen if loss == "upper")
        moved |= x != before
        before = x
    assert int(moved.sum()) > 0 and set(moved.nonzero().flatten().tolist()) <= drawn


def stochastic(name):
    """Options at which a method's batches are parts of the samples."""
    more = {"small_batch": 3} if name == "vrbo" else {}
    return {"batch": 5, **more} if name not in SINGLE + EXACT else {}


@pytest.mark.parametrize("name", METHODS)
def test_every_method_makes_phi_smaller(name):
    quadratic = Quadratic(7)
    quadratic.y = quadratic.minimum(quadratic.x)
    exact = {"aid-fp": {"steps": 5, "eta": 0.3}, "aid-cg": {"steps": 3}, "itd": {}}
    options = exact.get(name, {"terms": 3, "eta": 0.2, "batch": 5, **stochastic(name)})
    rate = {"bsa": 2.0, "ttsa": 1.0}.get(name, 0.3)  # whose steps fall
    found = states(name, quadratic, 40, outer_lr=rate, inner_lr=0.1, **options)
    values = [quadratic.value(each.x) for each in found[-10:]]
    assert sum(values) / 10 < quadratic.value(quadratic.x) - 0.002


@pytest.mark.parametrize("name", EXACT)
def test_methods_on_all_samples_find_a_stationary_point(name):
    quadratic = Quadratic(8)
    inner = {"inner_steps": 12} if name == "itd" else {"inner_steps": 5, "steps": 5}
    last = states(name, quadratic, 60, outer_lr=10.0, inner_lr=0.4, **inner)[-1]
    before, after = (quadratic.slope(each) for each in (quadratic.x, last.x))
    assert after.norm() < 0.05 * before.norm()


@pytest.mark.parametrize("name", METHODS)
def test_the_scale_multiplies_the_outer_steps_alone(name):
    one = states(name, Quadratic(), 3, scale=4.0, outer_lr=0.01, seed=3)
    other = states(name, Quadratic(), 3, outer_lr=0.04, seed=3)
    assert all(close(a, b) for a, b in zip(one, other, strict=True))
    still = states(name, Quadratic(), 3, scale=0.0, seed=3)[-1]
    assert torch.equal(still.x["log"], Quadratic().x["log"]) and not torch.equal(
        flat(still.y), flat(one[0].y)
    )


@pytest.mark.parametrize("name", METHODS)
def test_the_seed_decides(name):
    one, again, other = (
        states(name, Quadratic(), 3, seed=seed, **stochastic(name))[-1] for seed in (0, 0, 1)
    )
    assert same(one, again)
    assert same(one, other) == (name in EXACT)  # which take all samples


def test_no_two_methods_are_the_same():
    ends = {name: flat(states(name, Quadratic(), 3)[-1].x) for name in METHODS}
    pairs = [(a, b) for a in ends for b in ends if a < b]
    assert not any(torch.allclose(ends[a], ends[b], rtol=1e-9) for a, b in pairs)


COUNTS = {  # gradients, Hessian-vector products, mixed ones: of two outer steps
    "mrbo": ({"batch": 2, "terms": 4}, (2 + 4, 4 + 8, 1 + 2)),
    "mstsa": ({"terms": 4}, (2 + 3, 4 + 8, 1 + 2)),
    "stocbio": ({"inner_steps": 5, "terms": 4}, (2 * 6, 2 * 4, 2)),
    "bsa": ({"inner_steps": 5, "terms": 4}, (2 * 6, 2 * 4, 2)),
    "ttsa": ({"terms": 4}, (2 * 2, 2 * 4, 2)),
    "aid-fp": ({"inner_steps": 5, "steps": 4}, (2 * 6, 3 + 4, 2)),
    "aid-cg": ({"inner_steps": 5, "steps": 2}, (2 * 6, 2 + 3, 2)),
    "itd": ({"inner_steps": 5}, (2 * 6, 2 * 5, 2 * 5)),
    # large: 2, 4, 1; then 3 differences of 2 x (2, 4, 1); then 2 of lower gradients alone
    "vrbo": ({"terms": 4, "every": 2, "inner_steps": 2}, (2 + 12 + 4, 4 + 24, 1 + 6)),
}


@pytest.mark.parametrize("name", METHODS)
def test_what_each_method_computes(name):
    options, wanted = COUNTS[name]
    start = start_of(Quadratic())
    list(islice(optimise(name, start, **options), 2))
    counter = start.counter
    assert (counter.gradients, counter.hvps, counter.crosses) == wanted


def test_batches_are_of_their_level_and_repeatable():
    batches = Batches(7, 20, 5)
    upper, lower = (torch.cat([draw(10) for _ in range(100)]) for draw in (batches.upper, batches.lower))
    assert (batches.upper(0).tolist(), batches.lower(20).tolist()) == (list(range(7)), list(range(20)))
    assert upper.unique().tolist() == list(range(7)) and lower.unique().tolist() == list(range(20))
    assert torch.equal(Batches(7, 20, 5).lower(4), Batches(7, 20, 5).lower(4))
    assert not torch.equal(Batches(7, 20, 5).lower(4), Batches(7, 20, 6).lower(4))
    assert [len(each) for each in batches.sample(3, 4).lower] == [3] * 5
    assert [len(each) for each in batches.sample(0, 4).lower] == [20]


def test_wrong_input_is_told():
    with pytest.raises(ValueError, match=r"unknown method 'mrb' \(did you mean 'mrbo'\?\); methods are"):
        check_method("mrb")
    with pytest.raises(ValueError, match=r"'vrbo' has no option 'evry' \(did you mean 'every'\?\); its opt"):
        optimise("vrbo", start_of(Quadratic()), evry=2)
    with pytest.raises(ValueError, match="'bsa' has no option 'start'"):
        check_method("bsa", start=None)
    with pytest.raises(ValueError, match="every must be 1 to inf, got 0"):
        next(optimise("vrbo", start_of(Quadratic()), every=0))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("vrbo", {"every": 0}, "every must be 1 to inf, got 0"),
        ("stocbio", {"batch": -5}, "batch must be 0 to inf, got -5"),
        ("stocbio", {"outer_lr": -1.0}, "outer_lr must be 0 to inf, got -1.0"),
        ("aid-cg", {"inner_lr": float("nan")}, "inner_lr must be 0 to inf, got nan"),
        ("itd", {"inner_steps": 1.5}, "inner_steps must be a whole number, got 1.5"),
        ("mstsa", {"momentum": 7}, "momentum must be 0 to 1, got 7"),
    ],
)
def test_options_out_of_range_are_refused_before_the_first_step(name, options, message):
    with pytest.raises(ValueError, match=message):
        check_method(name, **options)
