r"""The positive part, the normal density and distribution function, and that of a pair, with certified balls.

Phi2(a, b; rho) is the probability that two standard normal variables of correlation rho lie below a and
b.  It has no closed form.  Plackett's formula, d Phi2 / d rho = the joint density, gives

    Phi2(a, b; rho) = Phi(a) Phi(b) + 1/(2 pi) int_0^{asin rho} exp(-(a^2 + b^2 - 2 a b sin q) / (2 cos^2 q)) dq,

which Arb integrates rigorously with sin q = tanh y, where the density is as smooth near rho = 1 as elsewhere.
"""

import sympy as sp
from flint import acb, arb, ctx

from theory.noise import _float

ROOT_HALF = sp.sqrt(sp.Rational(1, 2))


class relu(sp.Function):
    """The positive part."""

    nargs = 1
    _imp_ = staticmethod(_float.positive_part)

    def fdiff(self, argindex=1):
        """1 above 0, 0 below."""
        return (1 + sp.sign(self.args[0])) / 2

    @staticmethod
    def certified(x: arb) -> arb:
        """A ball around the value."""
        return x.max(arb(0))

    def _latex(self, printer, exp=None):
        return _power(rf"\left({printer._print(self.args[0])}\right)_+", exp)


class phi(sp.Function):
    """The standard normal density."""

    nargs = 1
    _imp_ = staticmethod(_float.density)

    def fdiff(self, argindex=1):
        """Phi' = -x phi."""
        return -self.args[0] * phi(self.args[0])

    @staticmethod
    def certified(x: arb) -> arb:
        """A ball around the value."""
        return (-x * x / 2).exp() / (2 * arb.pi()).sqrt()

    def _latex(self, printer, exp=None):
        return _power(rf"\varphi\left({printer._print(self.args[0])}\right)", exp)


class Phi(sp.Function):
    """The standard normal distribution function."""

    nargs = 1
    _imp_ = staticmethod(_float.below)

    def fdiff(self, argindex=1):
        """Phi' = phi."""
        return phi(self.args[0])

    @staticmethod
    def certified(x: arb) -> arb:
        """A ball around the value."""
        return (-x / arb(2).sqrt()).erfc() / 2

    def _latex(self, printer, exp=None):
        return _power(rf"\Phi\left({printer._print(self.args[0])}\right)", exp)


class Phi2(sp.Function):
    """The distribution function of two standard normal variables with correlation rho, at (a, b)."""

    nargs = 3
    _imp_ = staticmethod(_float.both_below)
    _known: dict = {}  # balls of late: a law, its slopes and its mutants ask for the same

    def fdiff(self, argindex=1):
        """Given one variable at its limit, the other is normal too; in rho the slope is the joint density."""
        a, b, rho = self.args
        width = sp.sqrt(1 - rho**2)
        if argindex == 3:
            return phi(a) * phi((b - rho * a) / width) / width
        one, other = (a, b) if argindex == 1 else (b, a)
        return phi(one) * Phi((other - rho * one) / width)

    @staticmethod
    def certified(a: arb, b: arb, rho: arb) -> arb:
        """A ball around the value; not a number unless -1 <= rho <= 1."""
        key = ctx.prec, a.repr(), b.repr(), rho.repr()
        if key not in Phi2._known:
            if len(Phi2._known) >= 2**12:
                Phi2._known.clear()
            Phi2._known[key] = _both_below(a, b, rho)
        return Phi2._known[key]

    def _latex(self, printer, exp=None):
        a, b, rho = map(printer._print, self.args)
        return _power(rf"\Phi_2\left({a}, {b}; {rho}\right)", exp)


def _both_below(a: arb, b: arb, rho: arb) -> arb:
    """Phi2 by Plackett's formula."""
    if rho == 1:
        return Phi.certified(a.min(b))
    if rho == -1:
        return (Phi.certified(a) - Phi.certified(-b)).max(arb(0))
    if not abs(rho) < 1:
        return arb.nan()
    plus, minus = (a + b) * (a + b) / 8, (a - b) * (a - b) / 8  # Arb's power of a ball around 0 is not a number

    def integrand(y, _):
        grows = (2 * y).exp()
        return (-plus * (1 + 1 / grows) - minus * (1 + grows)).exp() / y.cosh()

    arc = acb.integral(integrand, acb(0), acb(rho.atanh())).real
    return Phi.certified(a) * Phi.certified(b) + arc / (2 * arb.pi())


def plain(expr: sp.Expr) -> sp.Expr:
    """The same in exp and erfc, between which sympy knows the relations."""
    return expr.replace(Phi, lambda x: sp.erfc(-x * ROOT_HALF) / 2).replace(
        phi, lambda x: sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)
    )


def _power(text: str, exponent) -> str:
    return text if exponent is None else rf"{text}^{{{exponent}}}"
