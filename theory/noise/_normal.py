r"""The positive part, the normal density and distribution function, and that of a pair, with certified balls.

Phi2(a, b; rho) is the probability that two standard normal variables of correlation rho lie below a and
b.  It has no closed form.  Plackett's formula, d Phi2 / d rho = the joint density, gives

    Phi2(a, b; rho) = Phi(a) Phi(b) + 1/(2 pi) int_0^{asin rho} exp(-(a^2 + b^2 - 2 a b sin q) / (2 cos^2 q)) dq,

which Arb integrates rigorously.
"""

import sympy as sp
from flint import acb, arb

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
        if rho == 1:
            return Phi.certified(a.min(b))
        if rho == -1:
            return (Phi.certified(a) - Phi.certified(-b)).max(arb(0))
        if not abs(rho) < 1:
            return arb.nan()

        def integrand(angle, _):
            sine, cosine = angle.sin(), angle.cos()
            return (-(a * a + b * b - 2 * a * b * sine) / (2 * cosine * cosine)).exp()

        arc = acb.integral(integrand, acb(0), acb(rho.asin())).real
        return Phi.certified(a) * Phi.certified(b) + arc / (2 * arb.pi())

    def _latex(self, printer, exp=None):
        a, b, rho = map(printer._print, self.args)
        return _power(rf"\Phi_2\left({a}, {b}; {rho}\right)", exp)


def plain(expr: sp.Expr) -> sp.Expr:
    """The same in exp and erfc, between which sympy knows the relations."""
    return expr.replace(Phi, lambda x: sp.erfc(-x * ROOT_HALF) / 2).replace(
        phi, lambda x: sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)
    )


def _power(text: str, exponent) -> str:
    return text if exponent is None else rf"{text}^{{{exponent}}}"
