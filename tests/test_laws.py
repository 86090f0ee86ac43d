"""Every law of `theory`, found by itself, keeps the promises that a law makes."""

import html
import importlib
import inspect
import pkgutil
import re
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from latex2mathml.converter import convert

import theory
from laws import ball, proof
from laws.law import Step, admits, found_in

modules = [importlib.import_module(f"theory.{m.name}") for m in pkgutil.iter_modules(theory.__path__)]
laws = {f"{module.__name__}.{name}": law for module in modules for name, law in found_in(module)}
stated = {
    f"{module.__name__}.{name}": function
    for module in modules
    for name, function in vars(module).items()
    if inspect.isfunction(function) and "latex" in vars(function)
}
every_law = pytest.mark.parametrize("law", laws.values(), ids=laws)


def test_laws_are_found():
    """The search finds laws in every module of theory, and each knows its own name."""
    assert {name.rpartition(".")[0] for name in laws} == {module.__name__ for module in modules}
    assert all(name == f"{law.module}.{law.name}" for name, law in laws.items())


@every_law
def test_law_solves_its_problem(law):
    """The residuals of the law's problem vanish at its examples and around them."""
    assert proof.prove(law) in ("identity", "60 digits", "order")


@every_law
def test_every_mutant_is_refuted(law):
    """One number or symbol off by a tenth leaves a residual that is certainly not zero."""
    survivors = [name for name, mutant in law.mutants().items() if not proof.refuted(mutant, law)]
    assert not survivors and law.mutants()


@every_law
def test_float64_is_accurate(law):
    """At the examples and around them float64 errs by no more than its operations and the condition number explain."""
    operations = law.rhs.count_ops()
    for point in proof.points(law, drawn=10, seed=1):
        rounded = {x.name: float(v) for x, v in point.items()}
        exact, value = law.exact(30, **rounded), law(**rounded)
        error = abs(float((sp.Float(value, 30) - exact) / exact))
        assert error <= operations * np.finfo(float).eps * (1 + law.condition(**rounded)), (rounded, value, exact)


@every_law
def test_law_broadcasts(law):
    """Arrays give, element by element, what scalars give."""
    points = [{x.name: float(v) for x, v in point.items()} for point in proof.points(law)]
    arrays = {name: np.array([p[name] for p in points]) for name in points[0]}
    np.testing.assert_array_max_ulp(law(**arrays), np.array([law(**p) for p in points]), maxulp=2)


@every_law
def test_every_hypothesis_is_enforced(law):
    """A point that breaks a hypothesis is refused, and the error names one that it breaks."""
    example = {x: ball.number(x.name, law.examples[0][x.name]) for x in law.symbols}
    for hypothesis in law.given:
        point = _breaking(hypothesis, example)
        broken = [str(h) for h in law.given if not admits(h, point)]
        with pytest.raises(ValueError, match="violates") as caught:
            law(**{x.name: float(v) for x, v in point.items()})
        assert any(h in str(caught.value) for h in broken)


@every_law
def test_law_typesets(law):
    """The law, its hypotheses and its source typeset as LaTeX and as MathML."""
    assert convert(law.latex()).startswith("<math")
    assert r"\lambda" in law.latex() or sp.Symbol("lam", real=True) not in law.symbols
    assert str(law.source) in law._repr_latex_() and str(law.source) in repr(law)


steps = {
    f"{module.__name__}: {step.says}": step
    for module in modules
    if hasattr(module, "derive")
    for step in module.derive()
}


@pytest.mark.parametrize("function", stated.values(), ids=stated)
def test_formula_of_a_function_typesets(function):
    """Every piece of the formula that a function states typesets with no word of LaTeX left over; it has a source."""
    for piece in re.split(r"\n+", function.latex):
        assert "\\" not in re.sub("<[^>]*>", "", html.unescape(convert(piece))), piece
    assert re.search(r"^Source: ", inspect.getdoc(function), re.M)


def test_every_module_derives():
    """Every module of theory has `derive()`."""
    assert all(hasattr(module, "derive") for module in modules)


@pytest.mark.parametrize("step", steps.values(), ids=steps)
def test_step_holds(step):
    """Both sides of the step agree wherever they are defined."""
    assert proof.proves(step)


@pytest.mark.parametrize("step", steps.values(), ids=steps)
def test_planted_error_in_a_step_is_caught(step):
    """The same step with its right side a tenth larger does not hold."""
    wrong = sp.Eq(step.equation.lhs, step.equation.rhs * sp.Rational(11, 10), evaluate=False)
    assert not proof.proves(replace(step, equation=wrong))


def test_a_step_is_tried_on_both_sides_of_zero():
    """What holds for positive numbers alone must say so; where nothing satisfies it, nothing is proved."""
    x = sp.Symbol("x", real=True)
    for equation in (sp.Eq(sp.Abs(x), x, evaluate=False), sp.Eq(sp.Max(x, 0), x, evaluate=False)):
        assert not proof.proves(Step("without a hypothesis", equation))
        assert proof.proves(Step("with one", equation, given=(x > 0,)))
        with pytest.raises(ValueError, match="defined at only 0"):
            proof.proves(Step("nowhere", equation, given=(x > 0, x < 0)))


def _breaking(hypothesis, example):
    """The example with one symbol moved until the hypothesis fails."""
    for x in sorted(hypothesis.free_symbols, key=str):
        edge = sp.solve(hypothesis.lhs - hypothesis.rhs, x)[0].subs(example)
        for value in (edge, -example[x], sp.Integer(0), 1000 * (1 + abs(example[x]))):
            if not admits(hypothesis, {**example, x: value}):
                return {**example, x: value}
    raise AssertionError(f"no point breaks {hypothesis}: is it a hypothesis?")
