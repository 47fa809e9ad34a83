"""A bilevel problem of 20 samples with a closed form: weighted ridge regression, judged on other samples."""

import torch

from pruning.bilevel.problem import Problem

SAMPLES, HELD, FEATURES = 20, 7, 4
RIDGE = 0.3


class Quadratic:
    """lower = mean(exp(x_i) (a_i y - t_i)^2) / 2 + 0.15 y^2; upper = mean((c_j y - s_j)^2) / 2 + 0.01 x^2.

    `seen` lists (loss, batch) of each evaluation.
    """

    def __init__(self, seed=0):
        generator = torch.Generator().manual_seed(seed)

        def draw(*shape):
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        self.a, self.t = draw(SAMPLES, FEATURES), draw(SAMPLES)
        self.c, self.s = draw(HELD, FEATURES), draw(HELD)
        self.x, self.y = {"log": 0.3 * draw(SAMPLES)}, {"one": draw(1), "rest": draw(FEATURES - 1)}
        self.seen = []

    @property
    def problem(self):
        return Problem(self.upper, self.lower)

    def lower(self, x, y, batch):
        self.seen.append(("lower", batch))
        y = torch.cat([y["one"], y["rest"]])
        own = slice(None) if batch is None else batch
        errors = self.a[own] @ y - self.t[own]
        return 0.5 * (x["log"][own].exp() * errors.square()).mean() + 0.5 * RIDGE * y.square().sum()

    def upper(self, x, y, batch):
        self.seen.append(("upper", batch))
        own = slice(None) if batch is None else batch
        errors = self.c[own] @ torch.cat([y["one"], y["rest"]]) - self.s[own]
        return 0.5 * errors.square().mean() + 0.01 * x["log"].square().sum()

    def hessian(self, x, batch=None):
        """The lower loss's Hessian over y, [4, 4]."""
        own = slice(None) if batch is None else batch
        weighted = self.a[own] * x["log"][own].exp()[:, None]
        return weighted.T @ self.a[own] / len(self.a[own]) + RIDGE * torch.eye(FEATURES, dtype=torch.float64)

    def minimum(self, x):
        """y*(x), by the normal equations."""
        right = self.a.T @ (x["log"].exp() * self.t) / SAMPLES
        found = torch.linalg.solve(self.hessian(x), right)
        return {"one": found[:1], "rest": found[1:]}

    def value(self, x):
        """Phi(x), the upper loss at y*(x)."""
        return float(self.upper(x, self.minimum(x), None))

    def slope(self, x, step=1e-5):
        """The gradient of Phi by central differences, [20]."""
        ends = [
            [self.value({"log": x["log"] + sign * step * unit}) for sign in (1, -1)]
            for unit in torch.eye(SAMPLES, dtype=torch.float64)
        ]
        return torch.tensor([(up - down) / (2 * step) for up, down in ends], dtype=torch.float64)
