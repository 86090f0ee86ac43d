"""Retrieval by softmax attention from noisy queries: its best temperature, the keys that it uses, and its error."""

import numpy as np

from laws import Mean, Order, Trend, confront
from laws.judges.verdict import Panel, Series
from numerics import memory
from theory.memory import effective_keys, effective_keys_in_noise, inverse_temperature, retrieval_error

N, r = 12, 1.3
NOISE = np.array([0.3, 0.45, 0.6, 0.9, 1.8])
SIGNAL = r / NOISE


def keys():
    """Twelve orthogonal keys."""
    return memory.orthogonal(N, r, seed=2)


def retrieved(measure, sigmas, n, seed):
    """A measure of n retrievals at each noise, at the best temperature; shape (n, noises)."""
    seeds = np.random.SeedSequence(seed).generate_state(len(sigmas))
    drawn = [(memory.queries(keys(), s, n, seed=int(k)), s) for s, k in zip(sigmas, seeds, strict=True)]
    return np.stack([measure(*query, keys(), 1 / s**2).numpy() for query, s in drawn], axis=1)


def concentration(query, target, keys, beta):
    """The sum of squared weights: one over the number of keys in use."""
    return (memory.attend(query, keys, beta) ** 2).sum(dim=-1)


def test_inverse_temperature():
    """Attention that is trained to retrieve from noisy queries ends at the inverse variance of their noise."""
    sigmas, few = np.array([0.45, 0.7, 1.1]), memory.orthogonal(6, r, seed=2)

    def run(n, seed):
        seeds = np.random.SeedSequence(seed).generate_state(len(sigmas))
        trained = [memory.train(few, s, 512, networks=n, seed=int(k)) for s, k in zip(sigmas, seeds, strict=True)]
        return np.log(np.stack(trained, axis=1))

    rivals = {
        "one over the deviation": lambda sigma: -np.log(sigma),
        "half of it, as in the density": lambda sigma: -np.log(2 * sigma**2),
        "a temperature of its own": lambda sigma: 0 * sigma - np.log(r),
    }
    through = lambda law: lambda sigma: np.log(law(sigma=sigma))  # noqa: E731
    judge = Mean(detects=0.1, variance=2 * float(run(40, 1).var(axis=0).max()), points=3)
    claim = "trained attention is as sharp as the noise of its queries lets it be"
    drawn = dict(sigma="noise of the query σ", y="logarithm of the inverse temperature, ln β")
    confront(claim, inverse_temperature, run, dict(sigma=sigmas), judge, rivals, labels=drawn, through=through)


def used():
    """Keys in use against noise, by several numbers of keys."""
    sigma = np.geomspace(0.15, 3, 60)
    lines = [
        Series("law" if many == N else "rival", sigma.tolist(), effective_keys(r / sigma, many).tolist(), f"N = {many}")
        for many in (4, N, 100)
    ]
    return Panel("noise of the query σ (keys of length 1.3)", "effective number of keys K", tuple(lines), "xy")


def test_effective_keys():
    """The number of keys that retrieval uses is that of the integral (5)."""
    run = lambda n, seed: retrieved(concentration, NOISE, n, seed)  # noqa: E731
    rivals = {
        "fewer keys at more noise": lambda signal: 1 / effective_keys(SIGNAL.min() * SIGNAL.max() / signal, N),
        "all keys": lambda signal: 0 * signal + 1 / N,
        "noise of the target's match alone": alone,
    }
    claim = "the noisier its query, the more keys attention uses"
    drawn = dict(signal="signal of the query r/σ (N = 12 keys)", y="sum of squared weights, 1/K")
    judge = Mean(detects=0.02, bounds=(0, 1), points=len(NOISE))
    law = lambda signal: 1 / effective_keys(signal, N)  # noqa: E731
    at = dict(signal=SIGNAL)
    confront(claim, law, run, at, judge, rivals, labels=drawn, picture=used(), of=effective_keys)


def alone(signal):
    """The rival in which the other keys match the query by nothing."""
    z, w = np.polynomial.hermite_e.hermegauss(60)
    g = np.asarray(signal)[..., None]
    return np.sum(w / w.sum() / (1 + (N - 1) * np.exp(-(g**2) - g * z)), axis=-1)


def test_identity():
    """At the best temperature the target weighs, on average, what the squared weights add up to."""
    run = lambda n, seed: retrieved(on_target, NOISE, n, seed)  # noqa: E731
    rivals = {
        "certainty": lambda signal: 0 * signal + 1,
        "root of the squared weights": lambda signal: effective_keys(signal, N) ** -0.5,
    }
    claim = "attention trusts its target as much as it concentrates"
    drawn = dict(signal="signal of the query r/σ (N = 12 keys)", y="weight of the target")
    judge = Mean(detects=0.02, bounds=(0, 1), points=len(NOISE))
    law = lambda signal: 1 / effective_keys(signal, N)  # noqa: E731
    confront(claim, law, run, dict(signal=SIGNAL), judge, rivals, labels=drawn, of=effective_keys)


def on_target(query, target, keys, beta):
    """The weight that the target gets."""
    return memory.attend(query, keys, beta).gather(-1, target[..., None])[..., 0]


def test_retrieval_error():
    """What retrieval misses follows from the number of keys that it uses."""
    run = lambda n, seed: retrieved(memory.squared_error, NOISE, n, seed)  # noqa: E731
    at = dict(r=r, K=effective_keys(r / NOISE, N))
    rivals = {
        "an answer that misses as often as it is wrong": lambda r, K: 2 * r**2 * (1 - 1 / K),
        "without the error of its own keys": lambda r, K: r**2 * (1 - 1 / K) ** 2,
    }
    claim = "the more keys attention uses, the less it retrieves"
    drawn = dict(K="effective number of keys K, of 12 (r = 1.3)", y="squared error of the answer")
    judge = Mean(detects=0.05, bounds=(0, 2 * r**2), points=len(NOISE))
    confront(claim, retrieval_error, run, at, judge, rivals, labels=drawn)


def test_much_noise():
    """Far from the keys, retrieval uses all of them but (N - 1) r^2/sigma^2."""
    few, sigma = memory.orthogonal(3, r, seed=2), 1.7

    def run(h, seed):
        """Keys not in use, over h^2, as the keys are shortened by h; an average over a grid of queries."""
        query, chance = memory.every_query(h * few, sigma, 30)
        K = 1 / float((chance * concentration(query, None, h * few, 1 / sigma**2)).sum())
        return (3 - K) / h**2

    through = lambda law: lambda r, sigma, N: (N - law(r=1e-3 * r, sigma=sigma, N=N)) / 1e-6  # noqa: E731
    rivals = {"one more key": 3 * (r / sigma) ** 2, "half the signal": (r / sigma) ** 2}
    claim = "at much noise attention uses all keys but (N - 1) r²/σ²"
    drawn = dict(y="keys not in use, over h² (N = 3, σ = 1.7, keys of length 1.3 h)", h="size h of the keys")
    at = dict(r=r, sigma=sigma, N=3)
    confront(claim, effective_keys_in_noise, run, at, Order(2, start=0.4), rivals, labels=drawn, through=through)


def test_digits():
    """Among digits, which are no orthogonal keys, more noise makes retrieval use more of them; the law is for those."""

    def run(sigma, seed):
        shown = memory.digits(64, r, seed=seed)
        query, target = memory.queries(shown, sigma, 200, seed=seed + 1)
        return 1 / float(concentration(query, target, shown, 1 / sigma**2).mean())

    claim = "among digits, too, a noisier query uses more keys"
    drawn = dict(x="noise of the query σ (digits of length 1.3)", y="effective number of keys, of 64")
    levels, sigma = (0.2, 0.6, 1.8), np.geomspace(0.15, 2.4, 60)
    seen = np.array([[run(level, seed) for seed in range(12)] for level in levels])
    middle, low, high = (of(seen, axis=1).tolist() for of in (np.median, np.min, np.max))
    law = Series("law", sigma.tolist(), effective_keys(r / sigma, 64).tolist(), "law of 64 orthogonal keys")
    digits = Series("run", list(levels), middle, "64 digits: median and range of 12 draws", low, high)
    picture = Panel("noise of the query σ (length 1.3)", "effective number of keys", (law, digits), "xy")
    judge, rivals = Trend(levels), {"fewer": -1, "no change": 0}
    confront(claim, 1, run, {}, judge, rivals, labels=drawn, of=effective_keys, picture=picture)
