// Networks of recurrent tanh units, forward through time and back, units across the lanes of the SIMD registers.
//
//     z_t = k z_{t-1} + A r_{t-1} + U x_t + b,   r_t = tanh(z_t),   y_t = C r_t + c,   z_0 = r_0 = 0,
//     loss = w sum over steps, trials and outputs of mask (y - target)^2.
//
// Networks are worked off one after the other, or by as many threads, and share nothing but their trials: no network's
// bits depend on its neighbours or on the threads.  Every product is of scalars with rows of units, or of outputs, that
// fill whole registers and are summed in blocks of them; a step's states and slopes stay in the first caches while
// everything is done that needs them.  Rows have zeros where units end and registers do not.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "registers.h"

#if defined(__AVX512F__)
constexpr int sums = 16, widest = 4;
#else
constexpr int sums = 8, widest = 2;
#endif

template <class Real> struct Simd {
    static constexpr int lanes = register_bytes / sizeof(Real);
    typedef Real V __attribute__((vector_size(register_bytes), aligned(sizeof(Real)), may_alias));
};

// ---- C = S + A B: A of scalars, whose rows and columns may be anything; B, S and C of rows of registers

template <class Real> struct Product {
    using V = typename Simd<Real>::V;
    V *C;
    const V *S;
    i64 s_row;  // registers from row to row: those of C, or 0 for one row that is added to all
    const Real *A;
    i64 a_row, a_column;
    const V *B;
    i64 rows, columns, depth;

    template <int M, int N> void block(i64 i, i64 j) const {
        V sum[M][N];
        const Real *a = A + i * a_row;
        const V *b = B + j, *s = S + i * s_row + j;
        V *c = C + i * columns + j;
#pragma GCC unroll 16
        for (int m = 0; m < M; m++)
#pragma GCC unroll 4
            for (int n = 0; n < N; n++) sum[m][n] = s[m * s_row + n];
        for (i64 k = 0; k < depth; k++, a += a_column, b += columns)
#pragma GCC unroll 16
            for (int m = 0; m < M; m++)
#pragma GCC unroll 4
                for (int n = 0; n < N; n++) sum[m][n] += a[m * a_row] * b[n];
#pragma GCC unroll 16
        for (int m = 0; m < M; m++)
#pragma GCC unroll 4
            for (int n = 0; n < N; n++) c[m * columns + n] = sum[m][n];
    }

    template <int M, int N> void strip(i64 i, i64 j) const {  // rows from i on, M at a time, then what is left
        for (; i + M <= rows; i += M) block<M, N>(i, j);
        if constexpr (M > 1) if (i < rows) strip<M / 2, N>(i, j);
    }

    template <int N> void strips(i64 j, i64 width) const {
        if constexpr (N > 1) if (width < N) return strips<N - 1>(j, width);
        constexpr int M = sums / N;  // as many sums as hide how long one addition takes
        for (; j + N <= columns; j += N) strip<M, N>(0, j);
        if (j < columns) strips<N>(j, columns - j);
    }

    void compute() const {
        const i64 parts = (columns + widest - 1) / widest;
        strips<widest>(0, (columns + parts - 1) / parts);
    }
};

// ---- networks

struct Job {  // what all networks of a call share; widths are in registers
    i64 networks, threads, steps, trials, units, width, inputs, outputs, out_width;
    double keep, weight;
};

template <class Real> struct Arrays {  // of all networks, one after the other; those of trials are shared
    const Real *x, *y, *mask;                              // (steps, trials, inputs or outputs)
    const Real *A, *A_turned, *U_turned, *b, *C, *C_turned, *c;  // (units, units), (inputs, units), (outputs, units)
    Real *dA, *dU_turned, *db, *dC, *dc;
    double *loss;
};

template <class Real> struct Room {  // so many registers, not set to anything
    typename Simd<Real>::V *const at;
    explicit Room(i64 count) : at((typename Simd<Real>::V *)std::aligned_alloc(64, (count * register_bytes + 63) / 64 * 64)) {
        if (!at) throw std::bad_alloc();
    }
    Room(const Room &) = delete;
    ~Room() { std::free(at); }
};

template <class Real> struct Network {
    using V = typename Simd<Real>::V;
    static constexpr i64 lanes = Simd<Real>::lanes;
    const Job &job;
    const Arrays<Real> &all;
    const i64 T = job.steps, K = job.trials, n = job.units, W = job.width, d = job.inputs, D = job.outputs,
              O = job.out_width;
    Room<Real> every{T * K * W}, state{K * W}, error{K * O}, one{K * W}, other{K * W}, row{W};
    V *const rates = every.at, *const z = state.at, *const wrong = error.at;

    const V *part(const Real *at, i64 k, i64 rows, i64 width) const { return (const V *)at + k * rows * width; }
    V *part(Real *at, i64 k, i64 rows, i64 width) const { return (V *)at + k * rows * width; }

    void forward(i64 k) {
        const V *A = part(all.A_turned, k, n, W), *U = part(all.U_turned, k, d, W), *b = part(all.b, k, 1, W);
        const Real keep = Real(job.keep);
        std::fill_n(z, K * W, V{});
        for (i64 t = 0; t < T; t++) {
            V *now = rates + t * K * W;
            for (i64 i = 0; i < K; i++)
                for (i64 j = 0; j < W; j++) z[i * W + j] = keep * z[i * W + j] + b[j];
            Product<Real>{z, z, W, all.x + t * K * d, d, 1, U, K, W, d}.compute();
            if (t) Product<Real>{z, z, W, (const Real *)(now - K * W), W * lanes, 1, A, K, W, n}.compute();
            for (i64 i = 0; i < K * W; i++) now[i] = hyperbolic_tangent<Real>(z[i]);
        }
    }

    double misses(i64 k, i64 t) {  // the loss of a step, and its slopes in the outputs
        const V *C = part(all.C_turned, k, n, O), *c = part(all.c, k, 1, O), *now = rates + t * K * W;
        const V *y = part(all.y, t, K, O), *mask = part(all.mask, t, K, O);
        Product<Real>{wrong, c, 0, (const Real *)now, W * lanes, 1, C, K, O, n}.compute();
        V total{};
        for (i64 i = 0; i < K * O; i++) {
            const V gap = wrong[i] - y[i];
            total += mask[i] * gap * gap;
            wrong[i] = Real(2 * job.weight) * (mask[i] * gap);
        }
        double sum = 0;
        for (int l = 0; l < lanes; l++) sum += total[l];
        return sum * job.weight;
    }

    void backward(i64 k) {
        const V *A = part(all.A, k, n, W), *C = part(all.C, k, D, W);
        V *dA = part(all.dA, k, n, W), *dU = part(all.dU_turned, k, d, W), *db = part(all.db, k, 1, W),
          *dC = part(all.dC, k, D, W), *dc = part(all.dc, k, 1, O), *delta = one.at, *later = other.at;
        const Real unit = 1, keep = Real(job.keep);
        all.loss[k] = 0;
        std::fill_n(later, K * W, V{});
        std::fill_n(row.at, W, V{});
        for (i64 t = T - 1; t >= 0; t--, std::swap(delta, later)) {
            const V *now = rates + t * K * W;
            const Real *missed = (const Real *)wrong, *pushed = (const Real *)delta;
            all.loss[k] += misses(k, t);
            Product<Real>{delta, row.at, 0, missed, O * lanes, 1, C, K, W, D}.compute();
            if (t < T - 1) Product<Real>{delta, delta, W, (const Real *)later, W * lanes, 1, A, K, W, n}.compute();
            for (i64 i = 0; i < K * W; i++) delta[i] = delta[i] * (1 - now[i] * now[i]) + keep * later[i];
            Product<Real>{dC, dC, W, missed, 1, O * lanes, now, D, W, K}.compute();
            Product<Real>{dc, dc, O, &unit, 0, 0, wrong, 1, O, K}.compute();
            Product<Real>{dU, dU, W, all.x + t * K * d, 1, d, delta, d, W, K}.compute();
            Product<Real>{db, db, W, &unit, 0, 0, delta, 1, W, K}.compute();
            if (t) Product<Real>{dA, dA, W, pushed, 1, W * lanes, now - K * W, n, W, K}.compute();
        }
    }
};

template <class Real> static void gradients(const Job &job, const Arrays<Real> &all) {
    std::atomic<i64> next{0};
    const auto work = [&] {
        Network<Real> network{job, all};
        for (i64 k = next++; k < job.networks; k = next++) network.forward(k), network.backward(k);
    };
    std::vector<std::thread> others;
    for (i64 i = 1; i < std::min(job.threads, job.networks); i++) others.emplace_back(work);
    work();
    for (auto &other : others) other.join();
}

extern "C" void gradients_single(const Job *job, const Arrays<float> *all) { gradients(*job, *all); }
extern "C" void gradients_double(const Job *job, const Arrays<double> *all) { gradients(*job, *all); }

template <class Real> static void tanh_of(Real *values, i64 count) {  // whole registers
    using V = typename Simd<Real>::V;
    for (i64 i = 0; i < count / Simd<Real>::lanes; i++) ((V *)values)[i] = hyperbolic_tangent<Real>(((V *)values)[i]);
}
extern "C" void tanh_single(float *values, i64 count) { tanh_of(values, count); }
extern "C" void tanh_double(double *values, i64 count) { tanh_of(values, count); }
extern "C" i64 register_bytes_used() { return register_bytes; }
