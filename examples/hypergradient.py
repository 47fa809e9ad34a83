"""The gradient of an upper loss through the minimum of a lower loss, checked by finite differences.

A ridge regression is fitted to noisy samples; the weight of its penalty minimises the loss on clean samples.
"""

import torch

from pruning.bilevel import ConjugateGradients, Problem, hypergradient

torch.set_default_dtype(torch.float64)


def upper(x, y, batch):
    """Returns the loss on clean samples."""
    inputs, targets = batch
    return ((inputs @ y["w"] - targets) ** 2).mean()


def lower(x, y, batch):
    """Returns the loss on noisy samples, with a penalty of weight exp(x)."""
    return upper(x, y, batch) + x["log"].exp() * (y["w"] ** 2).sum()


def fitted(log, noisy):
    """Returns the minimum of the lower loss, in closed form."""
    inputs, targets = noisy
    curvature = inputs.T @ inputs / len(inputs) + log.exp() * torch.eye(inputs.shape[1])
    return torch.linalg.solve(curvature, inputs.T @ targets / len(inputs))


def main():
    """Compares the hypergradient with a difference quotient."""
    torch.manual_seed(0)
    truth, inputs = torch.randn(5), torch.randn(40, 5)
    noisy = inputs[:20], inputs[:20] @ truth + torch.randn(20)
    clean = inputs[20:], inputs[20:] @ truth
    log, step = torch.tensor(-1.0), 1e-5
    found = hypergradient(
        Problem(upper=upper, lower=lower),
        {"log": log},
        {"w": fitted(log, noisy)},
        upper_batch=clean,
        lower_batches=[noisy],
        solver=ConjugateGradients(steps=10),
    )
    losses = [upper({}, {"w": fitted(log + sign * step, noisy)}, clean) for sign in (1, -1)]
    quotient = (losses[0] - losses[1]) / (2 * step)
    print(f"hypergradient {found.gradient['log']:.6f}, difference quotient {quotient:.6f}")


if __name__ == "__main__":
    main()
