// What the kernels share: how wide registers are, tanh of one, and arithmetic without denormal numbers.

#pragma once
#include <cstdint>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

using i64 = int64_t;

#if defined(__AVX512F__)
constexpr int register_bytes = 64;
#elif defined(__AVX__)
constexpr int register_bytes = 32;
#else
constexpr int register_bytes = 16;
#endif

constexpr double exponential[] = {1, 1. / 2, 1. / 6, 1. / 24, 1. / 120, 1. / 720, 1. / 5040, 1. / 40320, 1. / 362880,
                                  1. / 3628800, 1. / 39916800, 1. / 479001600, 1. / 6227020800};
template <class Real> struct Bits;  // of a number's fraction, and terms of the series of (e^x - 1)/x that it resolves
template <> struct Bits<float> {
    using Int = int32_t;
    static constexpr int fraction = 23, terms = 7;
};
template <> struct Bits<double> {
    using Int = int64_t;
    static constexpr int fraction = 52, terms = 13;
};

template <class Real, class V> static V hyperbolic_tangent(V z) {  // -m/(m + 2), m = exp(-2|z|) - 1 = 2^e (p + 1) - 1
    typedef typename Bits<Real>::Int Ints __attribute__((vector_size(register_bytes)));
    const V size = z < 0 ? -z : z, y = -2 * (size > 20 ? V{} + 20 : size);
    const V magic = V{} + Real(i64(3) << (Bits<Real>::fraction - 1));  // a sum with it is rounded to whole numbers
    const V shifted = y * Real(1.4426950408889634) + magic, e = shifted - magic;
    const V r = (y - e * Real(0.693145751953125)) - e * Real(1.4286068203094172321e-6);
    V p = V{} + Real(exponential[Bits<Real>::terms - 1]);
#pragma GCC unroll 16
    for (int k = Bits<Real>::terms - 2; k >= 0; k--) p = p * r + Real(exponential[k]);
    const V power = (V)(((Ints)shifted << Bits<Real>::fraction) + (Ints)(V{} + 1));
    const V m = power * (r * p) + (power - 1), h = -m / (m + 2);
    return z < 0 ? -h : h;
}

// Numbers below the smallest normal one are 0 while this lives, in its thread: moments of dead units decay to them, and
// arithmetic with them is many times slower.
class WithoutDenormals {
#if defined(__SSE__)
    const unsigned before = _mm_getcsr();

  public:
    WithoutDenormals() { _mm_setcsr(before | 0x8040); }  // results, and operands
    ~WithoutDenormals() { _mm_setcsr(before); }
#elif defined(__aarch64__)
    uint64_t before;

  public:
    WithoutDenormals() {
        asm volatile("mrs %0, fpcr" : "=r"(before));
        asm volatile("msr fpcr, %0" : : "r"(before | uint64_t(1) << 24));
    }
    ~WithoutDenormals() { asm volatile("msr fpcr, %0" : : "r"(before)); }
#else
  public:
    WithoutDenormals() {}
    ~WithoutDenormals() {}
#endif
    WithoutDenormals(const WithoutDenormals &) = delete;
};
