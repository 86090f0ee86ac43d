// One-hidden-layer networks trained together: a network in every lane of the SIMD registers.
//
// Hidden unit u has weights w_u from d inputs, a bias b_u, and weights n_u to D outputs; with K samples
//
//     f(x) = sum_u n_u phi(w_u x + b_u),     loss = c sum over samples and outputs of (f - y)^2,   c = 1/(K D).
//
// All that a network needs lies in its own lane, and lanes never mix: a network's bits do not depend on its
// neighbours.  The parameters (w_u, b_u, n_u) of a unit lie together; they are brought from memory twice in a
// step, forward and backward, and updated while they are in the first cache.  Both ways are matrix products in
// the lanes, summed in blocks of registers.
//
// Noise is counted: Threefry 4x32 with 20 rounds (Salmon et al., SC11), under the network's own seed and for a stream, a
// step and a place in it, starts xoshiro128++ (Blackman and Vigna, 2021) for 128 words; then Box and Muller.  So a run
// can stop after any step and go on from there.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

using i64 = int64_t;

#if defined(__AVX512F__)
constexpr int register_bytes = 64, block_columns = 6;
#elif defined(__AVX__)
constexpr int register_bytes = 32, block_columns = 2;
#else
constexpr int register_bytes = 16, block_columns = 4;
#endif
constexpr int block_rows = 4, units_at_once = 16;

template <class Real> struct Format;  // how numbers are made of bits, and series as exact as they are
template <> struct Format<float> {
    using Int = int32_t;
    static constexpr int fraction = 23, exponential = 7;
    static constexpr Int root = 0x3F3504F3;  // sqrt(1/2)
    // through Chebyshev's points: cos(sqrt(t)) and sin(sqrt(t))/sqrt(t) to pi^2/4, (ln m - f)/f^2, f = m - 1, as below
    static constexpr double cosine[] = {0.999999953028, -0.499999047778, 0.0416635731602, -0.00138536295362,
                                        2.315241666e-5};
    static constexpr double sine[] = {0.999999995699, -0.166666579478, 0.00833305017067, -0.000198090174087,
                                      2.60510763533e-6};
    static constexpr double near_one[] = {-0.4999999713, 0.3333367061, -0.2500114768, 0.1997204971,
                                          -0.1658848853, 0.1483478684, -0.1415964701, 0.08787265491};
};
template <> struct Format<double> {
    using Int = int64_t;
    static constexpr int fraction = 52, exponential = 13;
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
    template <int terms> static V series(V x, const double (&c)[terms], int last = terms - 1) {  // c[0] + c[1] x
        V sum = V{} + Real(c[last]);
#pragma GCC unroll 16
        for (int k = last - 1; k >= 0; k--) sum = sum * x + Real(c[k]);
        return sum;
    }
};

// ---- random numbers

constexpr int words_of_a_start = 128;

template <class Real> struct Noise : Simd<Real> {
    using typename Simd<Real>::V, typename Simd<Real>::Ints, typename Simd<Real>::Words, typename Simd<Real>::Signed;
    struct State { Words x[4]; };
    static constexpr auto sign_bit = std::numeric_limits<typename Format<Real>::Int>::min();
    Words seed[2];
    State state;

    State start(uint64_t step, uint32_t counter, uint32_t stream) const {  // Threefry
        constexpr int turn[8][2] = {{10, 26}, {11, 21}, {13, 27}, {23, 5}, {6, 20}, {17, 11}, {25, 10}, {18, 20}};
        const Words key[5] = {seed[0], seed[1], Words{} + stream, Words{}, (0x1BD11BDA ^ stream) ^ seed[0] ^ seed[1]};
        const uint32_t count[4] = {counter, uint32_t(step), uint32_t(step >> 32), 0};
        Words x[4];
        for (int i = 0; i < 4; i++) x[i] = key[i] + count[i];
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
            if (at % words_of_a_start == 0) own = start(step, uint32_t(at / words_of_a_start), stream);
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
};

// ---- matrix products in the lanes: C = S + A B; an operand stands still where its stride is 0

template <class V> struct Matrix {
    V *at;
    i64 row, column;
    Matrix from(i64 i, i64 j) const { return {at + i * row + j * column, row, column}; }
};

template <class V> struct Product {
    Matrix<V> C;
    Matrix<const V> S, A, B;
    i64 rows, columns, depth;

    template <int M, int N> void block(i64 m, i64 n) const {
        V sum[M][N], *c = C.from(m, n).at;
        const V *s = S.from(m, n).at, *a = A.from(m, 0).at, *b = B.from(0, n).at;
#pragma GCC unroll 4
        for (int i = 0; i < M; i++)
#pragma GCC unroll 6
            for (int j = 0; j < N; j++) sum[i][j] = s[i * S.row + j * S.column];
        for (i64 k = 0; k < depth; k++, a += A.column, b += B.row)
#pragma GCC unroll 4
            for (int i = 0; i < M; i++)
#pragma GCC unroll 6
                for (int j = 0; j < N; j++) sum[i][j] += a[i * A.row] * b[j * B.column];
#pragma GCC unroll 4
        for (int i = 0; i < M; i++)
#pragma GCC unroll 6
            for (int j = 0; j < N; j++) c[i * C.row + j * C.column] = sum[i][j];
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

    void compute() const { blocks<block_rows, block_columns>(even(rows, block_rows), even(columns, block_columns)); }
};

// ---- training

struct Job {  // what all networks of a call share
    i64 inputs, hidden, outputs, samples, activation, algorithm, uniform_labels, first, steps;
    double eta, decay1, decay2, epsilon, update_noise, label_noise, spread[3], ceiling;
};
enum { RELU, TANH, LINEAR };                // activations
enum { DESCENT, ADAM, RMSPROP, SED };       // algorithms
enum { UPDATES, LABELS, PERTURBATIONS };    // streams of noise

constexpr double exponential[] = {1, 1. / 2, 1. / 6, 1. / 24, 1. / 120, 1. / 720, 1. / 5040, 1. / 40320, 1. / 362880,
                                  1. / 3628800, 1. / 39916800, 1. / 479001600, 1. / 6227020800};

template <class V, class Real> static V hyperbolic_tangent(V z) {  // -m/(m + 2), m = exp(-2|z|) - 1 = 2^e (p + 1) - 1
    using F = Format<Real>;
    using Ints = typename Simd<Real>::Ints;
    const V size = z < 0 ? -z : z, y = -2 * (size > 20 ? V{} + 20 : size);
    const V magic = V{} + Real(i64(3) << (F::fraction - 1));  // what is added to it is rounded to whole numbers
    const V shifted = y * Real(1.4426950408889634) + magic, e = shifted - magic;
    const V r = (y - e * Real(0.693145751953125)) - e * Real(1.4286068203094172321e-6);
    const V p = r * Simd<Real>::series(r, exponential, F::exponential - 1);
    const V power = (V)(((Ints)shifted << F::fraction) + (Ints)(V{} + 1));
    const V m = power * p + (power - 1), h = -m / (m + 2);
    return z < 0 ? -h : h;
}

template <class Real> struct Group : Simd<Real> {
    using typename Simd<Real>::V, typename Simd<Real>::Ints;
    const Job &job;
    const V *X, *minus_Y;          // (samples, inputs), (samples, outputs)
    V *theta, *moment1, *moment2;  // (hidden, inputs + 1 + outputs)
    i64 *diverged;
    Noise<Real> noise;
    const i64 d = job.inputs, D = job.outputs, K = job.samples, H = job.hidden, width = d + 1 + D;
    std::vector<V> h = std::vector<V>(H * K), r = std::vector<V>(K * D), labels = std::vector<V>(K * D),
                   slope = std::vector<V>(units_at_once * width), delta = std::vector<V>(units_at_once * K),
                   random = std::vector<V>(units_at_once * width),
                   moved = std::vector<V>(job.algorithm == SED ? H * width : 0);
    Ints alive{};
    Real unbias1 = 1, unbias2 = 1;  // Adam's corrections of the means, which start at 0

    V forward(const V *p) {  // activities, residuals, and the loss
        for (i64 u = 0; u < H; u += units_at_once) {
            const i64 units = std::min<i64>(units_at_once, H - u);
            const V *w = p + u * width, *b = w + d, *n = b + 1;
            V *own = &h[u * K];
            Product<V>{{own, K, 1}, {b, width, 0}, {w, width, 1}, {X, 1, d}, units, K, d}.compute();
            activate(own, units * K);
            const V *so_far = u ? r.data() : minus_Y;
            Product<V>{{r.data(), D, 1}, {so_far, D, 1}, {own, 1, K}, {n, width, 1}, K, D, units}.compute();
        }
        V loss{};
        for (i64 i = 0; i < K * D; i++) loss += r[i] * r[i];
        return loss * Real(1.0 / (K * D));
    }

    void activate(V *z, i64 count) {
        if (job.activation == RELU)
            for (i64 i = 0; i < count; i++) z[i] = z[i] < 0 ? V{} : z[i];
        if (job.activation == TANH)
            for (i64 i = 0; i < count; i++) z[i] = hyperbolic_tangent<V, Real>(z[i]);
    }

    void stop_diverged(V loss, i64 step) {
        for (int l = 0; l < Simd<Real>::lanes; l++)
            if (alive[l] && !(loss[l] <= Real(job.ceiling))) alive[l] = 0, diverged[l] = step;
    }

    void descend(i64 step) {  // gradient, noise and update, some units at a time
        if (job.algorithm == ADAM) {
            unbias1 = Real(1 / (1 - std::pow(job.decay1, double(step + 1))));
            unbias2 = Real(1 / (1 - std::pow(job.decay2, double(step + 1))));
        }
        if (job.label_noise > 0) noise.fill(labels.data(), 0, K * D, step, LABELS, job.uniform_labels);
        for (i64 i = 0; i < K * D; i++) r[i] = (r[i] - Real(job.label_noise) * labels[i]) * Real(2.0 / (K * D));
        for (i64 u = 0; u < H; u += units_at_once) {
            const i64 units = std::min<i64>(units_at_once, H - u);
            const V *own = &h[u * K], *n = theta + u * width + d + 1, zero{}, one = zero + 1;
            Product<V>{{&slope[d + 1], width, 1}, {&zero, 0, 0}, {own, K, 1}, {r.data(), D, 1}, units, D, K}.compute();
            Product<V>{{delta.data(), K, 1}, {&zero, 0, 0}, {n, width, 1}, {r.data(), 1, D}, units, K, D}.compute();
            if (job.activation == RELU)
                for (i64 i = 0; i < units * K; i++) delta[i] = own[i] > 0 ? delta[i] : V{};
            if (job.activation == TANH)
                for (i64 i = 0; i < units * K; i++) delta[i] *= 1 - own[i] * own[i];
            Product<V>{{slope.data(), width, 1}, {&zero, 0, 0}, {delta.data(), K, 1}, {X, d, 1}, units, d, K}.compute();
            Product<V>{{&slope[d], width, 1}, {&zero, 0, 0}, {delta.data(), K, 1}, {&one, 0, 0}, units, 1, K}.compute();
            update(u * width, units * width, step);
        }
    }

    void update(i64 first, i64 count, i64 step) {
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
            noise.normals(first, count, step, UPDATES,
                          [=](i64 i, V xi) { p[i] = moves ? p[i] + (sigma * xi - eta * g[i]) : p[i]; });
        else
            for (i64 i = 0; i < count; i++) p[i] = moves ? p[i] - eta * g[i] : p[i];
    }

    void perturb(V loss, i64 step) {  // SED: -eta (L(theta + xi) - L(theta)) xi; xi is drawn twice, not kept
        for (bool back : {false, true}) {
            const V change = back ? Real(-job.eta) * (forward(moved.data()) - loss) : V{};
            for (i64 u = 0; u < H; u += units_at_once) {
                const i64 units = std::min<i64>(units_at_once, H - u);
                noise.fill(random.data(), u * width, units * width, step, PERTURBATIONS);
                for (i64 i = 0; i < units; i++)
                    for (i64 j = 0; j < width; j++) {
                        const V xi = Real(job.spread[j < d ? 0 : j == d ? 1 : 2]) * random[i * width + j];
                        V &p = theta[(u + i) * width + j];
                        if (back) p = alive ? p + change * xi : p;
                        else moved[(u + i) * width + j] = p + xi;
                    }
            }
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

template <class Real> static void train(const Job *job, const void *X, const void *minus_Y, const uint32_t *seeds,
                                        void *theta, void *moment1, void *moment2, i64 *diverged) {
    using V = typename Simd<Real>::V;
    Group<Real> group{{}, *job, (const V *)X, (const V *)minus_Y, (V *)theta, (V *)moment1, (V *)moment2, diverged,
                      seeded<Real>(seeds)};
    for (int l = 0; l < Simd<Real>::lanes; l++) group.alive[l] = diverged[l] < 0 ? -1 : 0;
    group.train();
}

#define EXPORT(name, Real)                                                                                           \
    extern "C" void train_##name(const Job *job, const void *X, const void *minus_Y, const uint32_t *seeds,          \
                                 void *theta, void *moment1, void *moment2, i64 *diverged) {                         \
        train<Real>(job, X, minus_Y, seeds, theta, moment1, moment2, diverged);                                      \
    }                                                                                                                \
    extern "C" void draws_##name(const uint32_t *seeds, uint32_t stream, i64 step, i64 uniform, i64 count,           \
                                 void *out) {                                                                        \
        seeded<Real>(seeds).fill((typename Simd<Real>::V *)out, 0, count, step, stream, uniform);                    \
    }
EXPORT(single, float)
EXPORT(double, double)
extern "C" i64 register_bytes_used() { return register_bytes; }
