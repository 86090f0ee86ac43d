// One-hidden-layer networks: many together, a network in every lane of the SIMD registers, or one, its units in them.
//
// Hidden unit u has weights w_u from d inputs, a bias b_u, and weights n_u to D outputs; with K samples
//
//     f(x) = sum_u n_u phi(w_u x + b_u),     loss = c sum over samples and outputs of (f - y)^2,   c = 1/(K D).
//
// The parameters (w_u, b_u, n_u) of a unit lie together, and what is computed are matrix products, summed in blocks of
// registers.  With a network in every lane, lanes never mix.  With the units of one network in them, its activities are
// computed with samples in the lanes, and turned over for the way back, so that no sum runs over lanes: all sums run in
// the same order both ways, and a network has the same bits in whatever company, or alone.
//
// Noise is counted: Threefry 4x32 with 20 rounds (Salmon et al., SC11), under the network's own seed and for a stream, a
// step and a place in it, starts xoshiro128++ (Blackman and Vigna, 2021) for 128 words; then Box and Muller.  So a run
// can stop after any step and go on from there.

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "registers.h"

#if defined(__AVX512F__)
constexpr int block_columns = 6;
#elif defined(__AVX__)
constexpr int block_columns = 2;
#else
constexpr int block_columns = 4;
#endif
constexpr int block_rows = 4, units_at_once = 16;

template <class Real> struct Format;  // how numbers are made of bits, and series as exact as they are
template <> struct Format<float> : Bits<float> {
    static constexpr Int root = 0x3F3504F3;  // sqrt(1/2)
    // through Chebyshev's points: cos(sqrt(t)) and sin(sqrt(t))/sqrt(t) to pi^2/4, (ln m - f)/f^2, f = m - 1, as below
    static constexpr double cosine[] = {0.999999953028, -0.499999047778, 0.0416635731602, -0.00138536295362,
                                        2.315241666e-5};
    static constexpr double sine[] = {0.999999995699, -0.166666579478, 0.00833305017067, -0.000198090174087,
                                      2.60510763533e-6};
    static constexpr double near_one[] = {-0.4999999713, 0.3333367061, -0.2500114768, 0.1997204971,
                                          -0.1658848853, 0.1483478684, -0.1415964701, 0.08787265491};
};
template <> struct Format<double> : Bits<double> {
    static constexpr Int root = 0x3FE6A09E667F3BCD;
    static constexpr double cosine[] = {1, -1. / 2, 1. / 24, -1. / 720, 1. / 40320, -1. / 3628800, 1. / 479001600,
                                        -1. / 87178291200, 1. / 20922789888e3, -1. / 6402373705728e3,
                                        1. / 243290200817664e4};
    static constexpr double sine[] = {1, -1. / 6, 1. / 120, -1. / 5040, 1. / 362880, -1. / 39916800, 1. / 6227020800,
                                      -1. / 1307674368e3, 1. / 355687428096e3, -1. / 121645100408832e3,
                                      1. / 5109094217170944e4};
    static constexpr double artanh[] = {1,       1. / 3,  1. / 5,  1. / 7,  1. / 9, 1. / 11,
                                        1. / 13, 1. / 15, 1. / 17, 1. / 19, 1. / 21};
};

template <class Real> struct Simd {
    static constexpr int lanes = register_bytes / sizeof(Real);
    typedef Real V __attribute__((vector_size(register_bytes)));
    typedef typename Format<Real>::Int Ints __attribute__((vector_size(register_bytes)));  // bits and masks
    typedef uint32_t Words __attribute__((vector_size(4 * lanes)));                        // random bits
    typedef int32_t Signed __attribute__((vector_size(4 * lanes)));

    static V root(V x) {
        for (int i = 0; i < lanes; i++) x[i] = std::sqrt(x[i]);
        return x;
    }
    template <int terms> static V series(V x, const double (&c)[terms]) {  // c[0] + c[1] x + ...
        V sum = V{} + Real(c[terms - 1]);
#pragma GCC unroll 16
        for (int k = terms - 2; k >= 0; k--) sum = sum * x + Real(c[k]);
        return sum;
    }

    static void tile(const Real *from, i64 row, Real *to, i64 column, i64 columns = lanes) {  // to[j][i] = from[i][j]
        typedef V Loose __attribute__((aligned(sizeof(Real))));
        V x[lanes];
#pragma GCC unroll 16
        for (int i = 0; i < lanes; i++) x[i] = *(const Loose *)(from + i * row);
        turn_over<1>(x);
        if (columns == lanes)
#pragma GCC unroll 16
            for (int j = 0; j < lanes; j++) *(Loose *)(to + j * column) = x[j];
        else
            for (int j = 0; j < columns; j++) *(Loose *)(to + j * column) = x[j];
    }

    template <int bit> static void turn_over(V (&x)[lanes]) {  // lanes with this bit for places with it, and so on
#pragma GCC unroll 16
        for (int i = 0; i < lanes; i++)
            if (!(i & bit)) {
                const V a = x[i], b = x[i + bit];
                x[i] = shuffled<bit, 0>(a, b, std::make_integer_sequence<int, lanes>());
                x[i + bit] = shuffled<bit, bit>(a, b, std::make_integer_sequence<int, lanes>());
            }
        if constexpr (2 * bit < lanes) turn_over<2 * bit>(x);
    }

    template <int bit, int from, int... l> static V shuffled(V a, V b, std::integer_sequence<int, l...>) {
#if defined(__clang__)
        return __builtin_shufflevector(a, b, (l & bit ? lanes + l - bit + from : l + from)...);
#else
        return __builtin_shuffle(a, b, Ints{(l & bit ? lanes + l - bit + from : l + from)...});
#endif
    }
};

// ---- random numbers

constexpr int words_of_a_start = 128;

template <class Real> struct Noise : Simd<Real> {
    using typename Simd<Real>::V, typename Simd<Real>::Ints, typename Simd<Real>::Words, typename Simd<Real>::Signed;
    struct State { Words x[4]; };
    static constexpr auto sign_bit = std::numeric_limits<typename Format<Real>::Int>::min();
    Words seed[2], place{};  // of the lanes' starts
    State state;

    State start(uint64_t step, Words counter, uint32_t stream) const {  // Threefry
        constexpr int turn[8][2] = {{10, 26}, {11, 21}, {13, 27}, {23, 5}, {6, 20}, {17, 11}, {25, 10}, {18, 20}};
        const Words key[5] = {seed[0], seed[1], Words{} + stream, Words{}, (0x1BD11BDA ^ stream) ^ seed[0] ^ seed[1]};
        Words x[4] = {key[0] + counter, key[1] + uint32_t(step), key[2] + uint32_t(step >> 32), key[3]};
#pragma GCC unroll 20
        for (int round = 0; round < 20; round++) {
            Words &y = x[round % 2 ? 3 : 1], &z = x[round % 2 ? 1 : 3];
            const int r = turn[round % 8][0], q = turn[round % 8][1], n = round / 4 + 1;
            x[0] += y, y = rotated(y, r) ^ x[0];
            x[2] += z, z = rotated(z, q) ^ x[2];
            if (round % 4 == 3)
                for (int i = 0; i < 4; i++) x[i] += key[(n + i) % 5] + uint32_t(i == 3 ? n : 0);
        }
        return {{x[0], x[1], x[2], x[3]}};
    }

    static Words rotated(Words w, int n) { return w << n | w >> (32 - n); }

    static Words word(State &now) {  // xoshiro128++
        Words *x = now.x;
        const Words result = rotated(x[0] + x[3], 7) + x[0], shifted = x[1] << 9;
        x[2] ^= x[0], x[3] ^= x[1], x[1] ^= x[2], x[0] ^= x[3], x[2] ^= shifted, x[3] = rotated(x[3], 11);
        return result;
    }

    static V fraction(Words w) { return __builtin_convertvector(w, V) * Real(0x1p-32) + Real(0x1p-33); }

    static V logarithm(V m) {  // of sqrt(1/2) <= m < sqrt(2)
        const V f = m - 1;
        if constexpr (sizeof(Real) == 4) return f + f * f * Simd<Real>::series(f, Format<Real>::near_one);
        else {
            const V s = f / (m + 1);
            return 2 * s * Simd<Real>::series(s * s, Format<Real>::artanh);
        }
    }

    static V radius(V u) {  // sqrt(-2 ln u), u = 2^e m
        using F = Format<Real>;
        const Ints bits = (Ints)u - F::root;
        const V m = (V)((bits & ((typename F::Int(1) << F::fraction) - 1)) + F::root);
        const V e = __builtin_convertvector(bits >> F::fraction, V);
        return Simd<Real>::root(-2 * (e * Real(0.6931471805599453) + logarithm(m)));
    }

    static void turn(Words w, V radius, V *x, V *y) {  // by w 2^-32 of a half turn, and reflected in y if w is odd
        const V angle = __builtin_convertvector((Signed)w, V) * Real(3.14159265358979324 * 0x1p-32);
        const V t = angle * angle;
        const Ints mirror = __builtin_convertvector((Signed)(w << 31), Ints) & sign_bit;
        *x = (V)((Ints)(radius * Simd<Real>::series(t, Format<Real>::cosine)) ^ mirror);
        *y = radius * angle * Simd<Real>::series(t, Format<Real>::sine);
    }

    // Use pairs of words, one after the other, for numbers i and i + 1 of so many; `first`, an even number, is 0 or where
    // the last call for this step and stream ended.
    template <class Use> void pairs(i64 first, i64 count, uint64_t step, uint32_t stream, Use use) {
        State own = state;  // in registers
        for (i64 i = 0; i < count; i += 2) {
            const i64 at = first + i;
            if (at % words_of_a_start == 0) own = start(step, place + uint32_t(at / words_of_a_start), stream);
            const Words one = word(own), other = word(own);
            use(i, one, other);
        }
        state = own;
    }

    template <class Use> void normals(i64 first, i64 count, uint64_t step, uint32_t stream, Use use) {
        pairs(first, count, step, stream, [=](i64 i, Words one, Words other) {
            V x, y;
            turn(other, radius(fraction(one)), &x, &y);
            use(i, x);
            if (i + 1 < count) use(i + 1, y);
        });
    }

    static V centred(Words w) { return (fraction(w) - Real(0.5)) * Real(3.4641016151377544); }

    void fill(V *out, i64 first, i64 count, uint64_t step, uint32_t stream, bool uniform = false) {
        if (uniform)
            pairs(first, count, step, stream, [=](i64 i, Words one, Words other) {
                out[i] = centred(one);
                if (i + 1 < count) out[i + 1] = centred(other);
            });
        else
            normals(first, count, step, stream, [=](i64 i, V x) { out[i] = x; });
    }

    // The numbers of one network, one after the other, where its seed is in all lanes and every lane has starts of its
    // own; there is room for a multiple of lanes * words_of_a_start.
    void row(Real *out, i64 count, uint64_t step, uint32_t stream, bool uniform = false) {
        constexpr int lanes = Simd<Real>::lanes;
        V numbers[words_of_a_start];
        for (int l = 0; l < lanes; l++) place[l] = l;
        for (i64 first = 0; first < count; first += lanes * words_of_a_start) {
            fill(numbers, first, words_of_a_start, step, stream, uniform);
            for (int i = 0; i < words_of_a_start; i += lanes)
                Simd<Real>::tile((const Real *)&numbers[i], lanes, out + first + i, words_of_a_start);
        }
    }
};

// ---- matrix products in the lanes: C = S + A B; an operand stands still where its stride is 0

template <class T> struct Matrix {
    T *at;
    i64 row, column;
    Matrix from(i64 i, i64 j) const { return {at + i * row + j * column, row, column}; }
};

// C and B are of vectors, S and A of vectors or of numbers, each of which is in all lanes
template <class V, class Start = V, class Left = V, int most_rows = block_rows, int most_columns = block_columns>
struct Product {
    Matrix<V> C;
    Matrix<const Start> S;
    Matrix<const Left> A;
    Matrix<const V> B;
    i64 rows, columns, depth;

    template <int M, int N> void block(i64 m, i64 n) const {
        V sum[M][N], *c = C.from(m, n).at;
        const Start *s = S.from(m, n).at;
        const Left *a = A.from(m, 0).at;
        const V *b = B.from(0, n).at;
#pragma GCC unroll 12
        for (int i = 0; i < M; i++)
#pragma GCC unroll 6
            for (int j = 0; j < N; j++) sum[i][j] = spread(s[i * S.row + j * S.column]);
        for (i64 k = 0; k < depth; k++, a += A.column, b += B.row)
#pragma GCC unroll 12
            for (int i = 0; i < M; i++)
#pragma GCC unroll 6
                for (int j = 0; j < N; j++) sum[i][j] += a[i * A.row] * b[j * B.column];
#pragma GCC unroll 12
        for (int i = 0; i < M; i++)
#pragma GCC unroll 6
            for (int j = 0; j < N; j++) c[i * C.row + j * C.column] = sum[i][j];
    }

    static V spread(Start s) {
        if constexpr (std::is_same_v<Start, V>) return s;
        else return V{} + s;
    }

    template <int M, int N> void blocks(i64 m, i64 n) const {  // in blocks of m x n, and then what is left
        if constexpr (M > 1) if (m < M) return blocks<M - 1, N>(m, n);
        if constexpr (N > 1) if (n < N) return blocks<M, N - 1>(m, n);
        const i64 down = rows - rows % M, across = columns - columns % N;
        for (i64 i = 0; i < down; i += M)
            for (i64 j = 0; j < across; j += N) block<M, N>(i, j);
        const Product right{C.from(0, across), S.from(0, across), A, B.from(0, across), down, columns - across, depth};
        const Product below{C.from(down, 0), S.from(down, 0), A.from(down, 0), B, rows - down, columns, depth};
        if (across < columns) right.compute();
        if (down < rows) below.compute();
    }

    static i64 even(i64 length, i64 most) {  // the length of equal parts, none above `most`
        const i64 parts = (length + most - 1) / most;
        return (length + parts - 1) / parts;
    }

    void compute() const { blocks<most_rows, most_columns>(even(rows, most_rows), even(columns, most_columns)); }
};

// ---- training

struct Job {  // what all networks of a call share
    i64 inputs, hidden, outputs, samples, activation, algorithm, uniform_labels, first, steps;
    double eta, decay1, decay2, epsilon, update_noise, label_noise, spread[3], ceiling;
};
enum { RELU, TANH, LINEAR };                // activations
enum { DESCENT, ADAM, RMSPROP, SED };       // algorithms
enum { UPDATES, LABELS, PERTURBATIONS };    // streams of noise

template <class V, class Real> static void activate(V *z, i64 count, i64 activation) {
    if (activation == RELU)
        for (i64 i = 0; i < count; i++) z[i] = z[i] < 0 ? V{} : z[i];
    if (activation == TANH)
        for (i64 i = 0; i < count; i++) z[i] = hyperbolic_tangent<Real>(z[i]);
}

template <class V> static void pass_back(V *error, const V *h, i64 count, i64 activation) {
    if (activation == RELU)
        for (i64 i = 0; i < count; i++) error[i] = h[i] > 0 ? error[i] : V{};
    if (activation == TANH)
        for (i64 i = 0; i < count; i++) error[i] *= 1 - h[i] * h[i];
}

// A network in every lane.  Parameters are (hidden, width), data (samples, inputs) and (samples, outputs).
template <class Real> struct Networks : Simd<Real> {
    using typename Simd<Real>::V;
    using Datum = V;
    const Job &job;
    const V *X, *minus_Y;
    Noise<Real> noise;
    const i64 d = job.inputs, D = job.outputs, K = job.samples, rows = job.hidden, width = d + 1 + D;
    static constexpr i64 at_once = units_at_once;
    std::vector<V> h = std::vector<V>(rows * K), r = std::vector<V>(K * D), delta = std::vector<V>(at_once * K);

    V forward(const V *p) {  // activities, residuals, and the loss
        for (i64 u = 0; u < rows; u += at_once) {
            const i64 units = std::min<i64>(at_once, rows - u);
            const V *w = p + u * width, *b = w + d, *n = b + 1;
            V *own = &h[u * K];
            Product<V>{{own, K, 1}, {b, width, 0}, {w, width, 1}, {X, 1, d}, units, K, d}.compute();
            activate<V, Real>(own, units * K, job.activation);
            const V *so_far = u ? r.data() : minus_Y;
            Product<V>{{r.data(), D, 1}, {so_far, D, 1}, {own, 1, K}, {n, width, 1}, K, D, units}.compute();
        }
        V part[Simd<Real>::lanes]{}, loss{};  // as it is summed below
        for (i64 k = 0; k < K; k++)
            for (i64 i = k * D; i < (k + 1) * D; i++) part[k % Simd<Real>::lanes] += r[i] * r[i];
        for (V sum : part) loss += sum;
        return loss * Real(1.0 / (K * D));
    }

    void backward(const V *p, i64 u, i64 units, V *slope) {
        const V *own = &h[u * K], *n = p + u * width + d + 1, zero{}, one = zero + 1;
        Product<V>{{&slope[d + 1], width, 1}, {&zero, 0, 0}, {own, K, 1}, {r.data(), D, 1}, units, D, K}.compute();
        Product<V>{{delta.data(), K, 1}, {&zero, 0, 0}, {n, width, 1}, {r.data(), 1, D}, units, K, D}.compute();
        pass_back(delta.data(), own, units * K, job.activation);
        Product<V>{{slope, width, 1}, {&zero, 0, 0}, {delta.data(), K, 1}, {X, d, 1}, units, d, K}.compute();
        Product<V>{{&slope[d], width, 1}, {&zero, 0, 0}, {delta.data(), K, 1}, {&one, 0, 0}, units, 1, K}.compute();
    }

    template <class Use> void parameters(i64 u, i64 units, i64 step, uint32_t stream, Use use) {  // noise for each
        noise.normals(u * width, units * width, step, stream, use);
    }

    void labels(V *out, i64 step) { noise.fill(out, 0, K * D, step, LABELS, job.uniform_labels); }
};

// One network.  Parameters are (hidden / lanes, width, lanes), units side by side; what is computed forward has samples
// side by side.  Sums run in the same order as above, and so have the same bits.  Units and samples that fill up the
// lanes are 0, and stay so.
template <class Real> struct Units : Simd<Real> {
    using typename Simd<Real>::V;
    using Simd<Real>::lanes, Simd<Real>::tile;
    using Datum = Real;
    template <class Start> using Forward = Product<V, Start, Real, 6, 4>;
    using Backward = Product<V, V, Real, 12, 2>;
    const Job &job;
    const Real *X, *minus_Y;
    Noise<Real> noise;
    const i64 d = job.inputs, D = job.outputs, K = job.samples, rows = (job.hidden + lanes - 1) / lanes,
              width = d + 1 + D, across = (K + lanes - 1) / lanes, at_once = rows;
    std::vector<V> seen = beside(X, d), minus_wanted = beside(minus_Y, D), r = std::vector<V>(D * across),
                   active = std::vector<V>(lanes * across), h = std::vector<V>(rows * across * lanes),
                   delta = std::vector<V>(2 * K);
    std::vector<Real> biased = with_ones(),
                      random = std::vector<Real>(std::max(rows * lanes * width + lanes, K * D) + lanes * words_of_a_start);

    std::vector<V> beside(const Real *data, i64 columns) const {  // (samples, columns) -> (columns, samples)
        std::vector<V> out(columns * across);
        for (i64 k = 0; k < K; k++)
            for (i64 i = 0; i < columns; i++) out[i * across + k / lanes][k % lanes] = data[k * columns + i];
        return out;
    }

    std::vector<Real> with_ones() const {  // (samples, inputs + 1)
        std::vector<Real> out(K * (d + 1), 1);
        for (i64 k = 0; k < K; k++) std::copy(X + k * d, X + (k + 1) * d, &out[k * (d + 1)]);
        return out;
    }

    V forward(const V *p) {
        for (i64 u = 0; u < rows; u++) {
            const Real *w = (const Real *)(p + u * width), *b = w + d * lanes, *n = b + lanes;
            V *own = active.data(), *f = r.data();
            Forward<Real>{{own, across, 1}, {b, 1, 0}, {w, 1, lanes}, {seen.data(), across, 1}, lanes, across, d}
                .compute();
            activate<V, Real>(own, lanes * across, job.activation);
            const V *so_far = u ? f : minus_wanted.data();
            Forward<V>{{f, across, 1}, {so_far, across, 1}, {n, lanes, 1}, {own, across, 1}, D, across, lanes}.compute();
            for (i64 k = 0; k < across; k++)
                tile((const Real *)(own + k), across * lanes, (Real *)&h[(u * across + k) * lanes], lanes);
        }
        V part{}, loss{};
        for (i64 o = 0; o < D; o++)
            for (i64 k = K; k < across * lanes; k++) r[o * across + k / lanes][k % lanes] = 0;
        for (i64 k = 0; k < across; k++)
            for (i64 o = 0; o < D; o++) part += r[o * across + k] * r[o * across + k];
        for (int l = 0; l < lanes; l++) loss += V{} + part[l];
        return loss * Real(1.0 / (K * D));
    }

    void backward(const V *p, i64, i64, V *slope) {
        const i64 next = across * lanes;
        for (i64 u = 0; u < rows; u += 2) {
            const i64 units = std::min<i64>(2, rows - u);
            const V *own = &h[u * next], *n = p + u * width + d + 1, zero{};
            const Real *wrong = (const Real *)r.data();
            V *w = slope + u * width, *error = delta.data();
            Backward{{w + d + 1, 1, width}, {&zero, 0, 0}, {wrong, next, 1}, {own, 1, next}, D, units, K}.compute();
            Backward{{error, 1, K}, {&zero, 0, 0}, {wrong, 1, next}, {n, 1, width}, K, units, D}.compute();
            for (i64 i = 0; i < units; i++) pass_back(error + i * K, own + i * next, K, job.activation);
            Backward{{w, 1, width}, {&zero, 0, 0}, {biased.data(), 1, d + 1}, {error, 1, K}, d + 1, units, K}.compute();
        }
    }

    template <class Use> void parameters(i64, i64, i64 step, uint32_t stream, Use use) {
        const i64 count = job.hidden * width;
        noise.row(random.data(), count, step, stream);
        std::fill(random.begin() + count, random.end(), Real(0));
        V xi[lanes];
        for (i64 u = 0; u < rows; u++)
            for (i64 j = 0; j < width; j += lanes) {
                tile(&random[u * lanes * width + j], width, (Real *)xi, lanes);
                for (i64 i = j; i < std::min<i64>(j + lanes, width); i++) use(u * width + i, xi[i - j]);
            }
    }

    void labels(V *out, i64 step) {
        noise.row(random.data(), K * D, step, LABELS, job.uniform_labels);
        const std::vector<V> sorted = beside(random.data(), D);
        std::copy(sorted.begin(), sorted.end(), out);
    }
};

template <class Layout, class Real> struct Training : Layout {
    using typename Layout::V, typename Layout::Datum, typename Simd<Real>::Ints;
    using Layout::job, Layout::rows, Layout::width, Layout::d, Layout::r, Layout::forward, Layout::backward;
    V *theta, *moment1, *moment2;
    i64 *diverged;
    std::vector<V> labels = std::vector<V>(r.size()), slope = std::vector<V>(this->at_once * width),
                   moved = std::vector<V>(job.algorithm == SED ? rows * width : 0);
    Ints alive{};
    Real unbias1 = 1, unbias2 = 1;  // Adam's corrections of the means, which start at 0

    void stop_diverged(V loss, i64 step) {
        for (int l = 0; l < Simd<Real>::lanes; l++)
            if (alive[l] && !(loss[l] <= Real(job.ceiling))) alive[l] = 0, diverged[l] = step;
    }

    void descend(i64 step) {  // gradient, noise and update, some units at a time
        if (job.algorithm == ADAM) {
            unbias1 = Real(1 / (1 - std::pow(job.decay1, double(step + 1))));
            unbias2 = Real(1 / (1 - std::pow(job.decay2, double(step + 1))));
        }
        if (job.label_noise > 0) Layout::labels(labels.data(), step);
        for (size_t i = 0; i < r.size(); i++)
            r[i] = (r[i] - Real(job.label_noise) * labels[i]) * Real(2.0 / (job.samples * job.outputs));
        for (i64 u = 0; u < rows; u += this->at_once) {
            const i64 units = std::min<i64>(this->at_once, rows - u);
            backward(theta, u, units, slope.data());
            update(u, units, step);
        }
    }

    void update(i64 u, i64 units, i64 step) {
        const i64 first = u * width, count = units * width;
        V *p = theta + first, *m = moment1 + first, *v = moment2 + first;
        const Real b1 = Real(job.decay1), b2 = Real(job.decay2), tiny = Real(job.epsilon);
        if (job.algorithm == ADAM)
            for (i64 i = 0; i < count; i++) m[i] = b1 * m[i] + (1 - b1) * slope[i];
        if (job.algorithm == ADAM || job.algorithm == RMSPROP)
            for (i64 i = 0; i < count; i++) {
                v[i] = b2 * v[i] + (1 - b2) * slope[i] * slope[i];
                const V mean = job.algorithm == ADAM ? m[i] * unbias1 : slope[i];
                slope[i] = mean / (Simd<Real>::root(v[i] * unbias2) + tiny);
            }
        const Real sigma = Real(job.update_noise), eta = Real(job.eta);
        const V *g = slope.data();
        const Ints moves = alive;
        if (sigma > 0)
            this->parameters(u, units, step, UPDATES,
                             [=](i64 i, V xi) { p[i] = moves ? p[i] + (sigma * xi - eta * g[i]) : p[i]; });
        else
            for (i64 i = 0; i < count; i++) p[i] = moves ? p[i] - eta * g[i] : p[i];
    }

    void perturb(V loss, i64 step) {  // SED: -eta (L(theta + xi) - L(theta)) xi; xi is drawn twice, not kept
        each_perturbation(step, [=](i64 i, V xi) { moved[i] = theta[i] + xi; });
        const V change = Real(-job.eta) * (forward(moved.data()) - loss);
        each_perturbation(step, [=](i64 i, V xi) { theta[i] = alive ? theta[i] + change * xi : theta[i]; });
    }

    template <class Use> void each_perturbation(i64 step, Use use) {
        V *xi = slope.data();
        for (i64 u = 0; u < rows; u += this->at_once) {
            const i64 units = std::min<i64>(this->at_once, rows - u);
            this->parameters(u, units, step, PERTURBATIONS, [=](i64 i, V x) {
                const i64 j = i % width;
                xi[i] = Real(job.spread[j < d ? 0 : j == d ? 1 : 2]) * x;
            });
            for (i64 i = 0; i < units * width; i++) use(u * width + i, xi[i]);
        }
    }

    void train() {
        bool some = true;
        for (i64 step = job.first; some; step++) {
            const V loss = forward(theta);
            stop_diverged(loss, step);
            some = false;
            for (int l = 0; l < Simd<Real>::lanes; l++) some |= alive[l] != 0;
            if (step == job.first + job.steps) return;
            if (job.algorithm == SED) perturb(loss, step);
            else descend(step);
        }
    }
};

template <class Real> static Noise<Real> seeded(const uint32_t *seeds) {  // the low words of all seeds, then the high
    Noise<Real> noise{};
    for (int i = 0; i < 2; i++)
        for (int l = 0; l < Simd<Real>::lanes; l++) noise.seed[i][l] = seeds[i * Simd<Real>::lanes + l];
    return noise;
}

template <class Real, template <class> class Layout>
static void train(const Job *job, const void *X, const void *minus_Y, const uint32_t *seeds, void *theta,
                  void *moment1, void *moment2, i64 *diverged) {
    using V = typename Simd<Real>::V;
    using Datum = typename Layout<Real>::Datum;
    const WithoutDenormals fast;
    Training<Layout<Real>, Real> training{{{}, *job, (const Datum *)X, (const Datum *)minus_Y, seeded<Real>(seeds)},
                                          (V *)theta, (V *)moment1, (V *)moment2, diverged};
    for (int l = 0; l < Simd<Real>::lanes; l++) training.alive[l] = diverged[l] < 0 ? -1 : 0;
    training.train();
}

#define EXPORT(name, Real, Layout)                                                                                   \
    extern "C" void train_##name(const Job *job, const void *X, const void *minus_Y, const uint32_t *seeds,          \
                                 void *theta, void *moment1, void *moment2, i64 *diverged) {                         \
        train<Real, Layout>(job, X, minus_Y, seeds, theta, moment1, moment2, diverged);                              \
    }
#define EXPORT_DRAWS(name, Real)                                                                                     \
    extern "C" void draws_##name(const uint32_t *seeds, uint32_t stream, i64 step, i64 uniform, i64 count,           \
                                 void *out) {                                                                        \
        seeded<Real>(seeds).fill((typename Simd<Real>::V *)out, 0, count, step, stream, uniform);                    \
    }
EXPORT(networks_single, float, Networks)
EXPORT(networks_double, double, Networks)
EXPORT(units_single, float, Units)
EXPORT(units_double, double, Units)
EXPORT_DRAWS(single, float)
EXPORT_DRAWS(double, double)
extern "C" i64 register_bytes_used() { return register_bytes; }
