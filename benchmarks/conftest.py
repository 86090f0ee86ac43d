"""After the benchmarks, one table: the rates, and what fraction of the ceilings measured beside them they reach."""

import os
import platform

import pytest


@pytest.fixture
def timed(benchmark):
    """Times a run that does so much work, in some rounds after a first that does not count."""

    def time(work, run, unit="network-steps", rounds=8):
        benchmark.extra_info.update(work=work, unit=unit)
        benchmark.pedantic(run, rounds=rounds, warmup_rounds=1)

    return time


def pytest_terminal_summary(terminalreporter, config):
    """Print every benchmark that states how much work it does, by its quickest round."""
    session = getattr(config, "_benchmarksession", None)
    found = [b for b in session.benchmarks if "work" in b.extra_info] if session else []
    rates = {b.name: b.extra_info["work"] / b.stats.min for b in found}
    if not rates:
        return
    write = terminalreporter.write_line
    terminalreporter.section("rates, by the quickest round")
    for b in found:
        write(f"{b.name.removeprefix('test_'):28s} {rates[b.name]:16,.0f} {b.extra_info['unit']} per second")
    write("")
    for says, ratio in ratios(rates):
        write(f"{says:68s} {ratio:8.2f}")
    write(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end: it should be about 1"
    )


FLOPS = 2 * 100 * 20 * (2 * 10 + 3 * 10)  # of one step of the network of the benchmark
NORMALS = 100 * 21
CORRIDOR_FLOPS = 2 * 500 * 150 * (2 * 18 + 3 * 17)  # and of the corridor's
CORRIDOR_NORMALS = 500 * 36


def ratios(rates):
    """What is to be compared, where both have been measured."""
    quiet, noisy = "test_compiled_without_noise", "test_compiled"
    known = rates.__contains__
    yield from recurrent(rates)
    for name in ("two numbers", "a network of six"):
        alone = f"test_particle_noise[{name}]"
        for how, says in (("walk", "noisy descent"), ("wander", "error descent")):
            if known(alone) and known(f"test_particle_{how}[{name}]"):
                yield (
                    f"{says} of {name}, over its random numbers alone",
                    rates[f"test_particle_{how}[{name}]"] / rates[alone],
                )
    if known("test_eager_loop"):
        for name in (noisy, "test_batched_torch"):
            if known(name):
                yield f"{name.removeprefix('test_')} over the eager loop", rates[name] / rates["test_eager_loop"]
    if known("test_eager_corridor") and known("test_compiled_corridor"):
        ratio = rates["test_compiled_corridor"] / rates["test_eager_corridor"]
        yield "one network of the corridor's size, compiled, over the eager loop", ratio
    if known("test_compiled_corridor") and known("test_compiled_corridor_side_by_side"):
        ratio = rates["test_compiled_corridor"] / rates["test_compiled_corridor_side_by_side"]
        yield "the same, over each of sixteen with a network in every lane", ratio
    if known("test_matrix_product") and known("test_normal_numbers") and known("test_compiled_corridor"):
        bound = 1 / (CORRIDOR_FLOPS / rates["test_matrix_product"] + CORRIDOR_NORMALS / rates["test_normal_numbers"])
        yield "the same, of a large product and the normal numbers alone", rates["test_compiled_corridor"] / bound
    if known("test_matrix_product") and known(quiet):
        yield (
            "multiplications without noise, of those of a large product",
            rates[quiet] * FLOPS / rates["test_matrix_product"],
        )
    if known("test_matrix_product") and known("test_normal_numbers") and known(noisy):
        bound = 1 / (FLOPS / rates["test_matrix_product"] + NORMALS / rates["test_normal_numbers"])
        yield "compiled with noise, of a large product and the normal numbers alone", rates[noisy] / bound
    if known("test_two_threads") and known("test_one_thread"):
        yield "two threads over one, by the clock on the wall", rates["test_two_threads"] / rates["test_one_thread"]


def recurrent(rates):
    """Recurrent networks over torch's own, and over what products and tanh alone would allow."""
    ways = dict(torch="one network in torch", compiled="one network", ensemble="each of sixteen networks")
    for units in (16, 32, 64, 128):
        for how, says in ways.items():
            if {f"test_rnn_autograd[{units}]", f"test_rnn_{how}[{units}]"} <= rates.keys():
                ratio = rates[f"test_rnn_{how}[{units}]"] / rates[f"test_rnn_autograd[{units}]"]
                yield f"{says} of {units} units by hand, over torch.nn.RNN under autograd", ratio
        if {"test_rnn_product", "test_rnn_tanh", f"test_rnn_ensemble[{units}]"} <= rates.keys():
            products = 2 * 6400 * units * (3 * units + 15) / 1e9 / rates["test_rnn_product"]
            least = products + 6400 * units / 1e6 / rates["test_rnn_tanh"]
            yield f"{units} units, of products and tanh alone", rates[f"test_rnn_ensemble[{units}]"] * least
            yield f"{units} units, share of tanh in that", 1 - products / least
