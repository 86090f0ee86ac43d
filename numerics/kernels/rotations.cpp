// The least |A - C B C^T|^2 over orthogonal C, downhill from many starts, columns across the lanes of the SIMD registers.
//
//     M = C B C^T,   S = A M^T - M^T A and its skew part twice over,   C <- (1 + h S/2)^-1 (1 - h S/2) C (Cayley).
//
// Steps h are those of Barzilai and Borwein, taken if the squared distance falls below a mean of its past (Zhang and
// Hager).  1 + h S/2 has a positive definite symmetric part, so that it is eliminated without exchanging rows; and
// (1 + Y)^-1 (1 - Y) C = 2 (1 + Y)^-1 C - C.  Starts are worked off one after the other, or by as many threads, and
// share nothing but A and B: no start's bits depend on its neighbours or on the threads.  Rows have zeros where columns
// end and registers do not.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <thread>
#include <utility>
#include <vector>

using i64 = int64_t;

#if defined(__AVX512F__)
constexpr int register_bytes = 64, sums = 16, widest = 4;
#elif defined(__AVX__)
constexpr int register_bytes = 32, sums = 8, widest = 2;
#else
constexpr int register_bytes = 16, sums = 8, widest = 2;
#endif
constexpr i64 lanes = register_bytes / sizeof(double);
typedef double V __attribute__((vector_size(register_bytes), aligned(sizeof(double)), may_alias));

struct Matrix {  // n rows of w registers
    V *at;
    i64 n, w;
    Matrix(i64 n, i64 w) : at((V *)std::aligned_alloc(64, (n * w * register_bytes + 63) / 64 * 64)), n(n), w(w) {
        if (!at) throw std::bad_alloc();
        std::fill(at, at + n * w, V{});
    }
    Matrix(const Matrix &) = delete;
    ~Matrix() { std::free(at); }
    V *row(i64 i) const { return at + i * w; }
    double &operator()(i64 i, i64 j) const { return ((double *)row(i))[j]; }

    void read(const double *from) const {
        for (i64 i = 0; i < n; i++) std::copy(from + i * n, from + (i + 1) * n, (double *)row(i));
    }
    void write(double *to) const {
        for (i64 i = 0; i < n; i++) std::copy((double *)row(i), (double *)row(i) + n, to + i * n);
    }
    void turn(const Matrix &other) const {  // the transpose of another
        for (i64 i = 0; i < n; i++)
            for (i64 j = 0; j < n; j++) (*this)(i, j) = other(j, i);
    }
};

// ---- C = A B

struct Product {
    const Matrix &C, &A, &B;

    template <int M, int N> void block(i64 i, i64 j) const {
        V sum[M][N] = {};
        const V *b = B.at + j;
        const double *a = (const double *)A.row(i);
        for (i64 k = 0; k < B.n; k++, b += B.w)
#pragma GCC unroll 16
            for (int m = 0; m < M; m++)
#pragma GCC unroll 4
                for (int n = 0; n < N; n++) sum[m][n] += a[m * A.w * lanes + k] * b[n];
#pragma GCC unroll 16
        for (int m = 0; m < M; m++)
#pragma GCC unroll 4
            for (int n = 0; n < N; n++) C.row(i + m)[j + n] = sum[m][n];
    }

    template <int M, int N> void strip(i64 i, i64 j) const {  // rows from i on, M at a time, then what is left
        for (; i + M <= C.n; i += M) block<M, N>(i, j);
        if constexpr (M > 1) if (i < C.n) strip<M / 2, N>(i, j);
    }

    template <int N> void strips(i64 j, i64 width) const {
        if constexpr (N > 1) if (width < N) return strips<N - 1>(j, width);
        constexpr int M = sums / N;  // as many sums as hide how long one addition takes
        for (; j + N <= C.w; j += N) strip<M, N>(0, j);
        if (j < C.w) strips<N>(j, C.w - j);
    }

    void compute() const {
        const i64 parts = (C.w + widest - 1) / widest;
        strips<widest>(0, (C.w + parts - 1) / parts);
    }
};

double dot(const Matrix &one, const Matrix &other) {
    V total = {};
    for (i64 k = 0; k < one.n * one.w; k++) total += one.at[k] * other.at[k];
    double sum = 0;
    for (i64 k = 0; k < lanes; k++) sum += total[k];
    return sum;
}

// ---- X <- E^-1 X, a few rows at a time; E is used up

constexpr i64 few = 4;

struct Rows {  // from one of them on, at most `few`; beyond the last, the first again
    const V *row[few];
    Rows(const Matrix &M, i64 first) {
        for (i64 m = 0; m < few; m++) row[m] = M.row(first + m < M.n ? first + m : first);
    }
    void subtract(V *__restrict to, const double *f, i64 first, i64 w) const {
        const V *a = row[0], *b = row[1], *c = row[2], *d = row[3];
        const double fa = f[0], fb = f[1], fc = f[2], fd = f[3];
        for (i64 j = first; j < w; j++) to[j] = to[j] - fa * a[j] - fb * b[j] - fc * c[j] - fd * d[j];
    }
};

void eliminate(const Matrix &E, const Matrix &X) {
    const i64 n = E.n, w = E.w;
    const auto less = [w](V *__restrict to, double f, const V *from) {
        for (i64 j = 0; j < w; j++) to[j] -= f * from[j];
    };
    for (i64 first = 0; first < n; first += few) {
        const i64 end = std::min(first + few, n);
        for (i64 k = first; k < end; k++)
            for (i64 i = k + 1; i < end; i++) {
                const double f = E(i, k) / E(k, k);
                less(E.row(i), f, E.row(k)), less(X.row(i), f, X.row(k));
            }
        const Rows of_E(E, first), of_X(X, first);
        for (i64 i = end; i < n; i++) {
            double f[few] = {};
            for (i64 k = first; k < end; k++) {
                double e = E(i, k);
                for (i64 l = first; l < k; l++) e -= f[l - first] * E(l, k);
                f[k - first] = e / E(k, k);
            }
            of_E.subtract(E.row(i), f, first / lanes, w), of_X.subtract(X.row(i), f, 0, w);
        }
    }
    for (i64 first = (n - 1) / few * few; first >= 0; first -= few) {
        const i64 end = std::min(first + few, n);
        for (i64 k = end - 1; k >= first; k--) {
            for (i64 j = 0; j < w; j++) X.row(k)[j] /= E(k, k);
            for (i64 i = first; i < k; i++) less(X.row(i), E(i, k), X.row(k));
        }
        const Rows of_X(X, first);
        for (i64 i = 0; i < first; i++) {
            double f[few] = {};
            for (i64 k = first; k < end; k++) f[k - first] = E(i, k);
            of_X.subtract(X.row(i), f, 0, w);
        }
    }
}

// ---- one start

struct Job {
    i64 starts, threads, n, most;
    double tolerance, memory, less;
};

struct Arrays {
    const double *A, *B;  // of all pairs
    const i64 *pair;      // of every start
    double *C, *squared;  // of every start: where it begins, and where it ends
};

struct Descent {
    const Job &job;
    const i64 n = job.n, w = (n + lanes - 1) / lanes;
    Matrix A{n, w}, B{n, w}, C{n, w}, S{n, w}, after{n, w}, bent{n, w}, P{n, w}, M{n, w}, turned{n, w};
    explicit Descent(const Job &job) : job(job) {}

    double look(const Matrix &at, const Matrix &slope) const {  // the squared distance there, and its slope
        turned.turn(at);
        Product{P, at, B}.compute();
        Product{M, P, turned}.compute();
        turned.turn(M);
        Product{P, A, turned}.compute();
        Product{slope, turned, A}.compute();
        V total = {};
        for (i64 k = 0; k < n * w; k++) {
            const V gap = A.at[k] - M.at[k];
            total += gap * gap;
            P.at[k] -= slope.at[k];
        }
        turned.turn(P);
        for (i64 k = 0; k < n * w; k++) slope.at[k] = turned.at[k] - P.at[k];
        double sum = 0;
        for (i64 k = 0; k < lanes; k++) sum += total[k];
        return sum;
    }

    void move(double h) const {  // after = 2 (1 + h S/2)^-1 C - C
        for (i64 k = 0; k < n * w; k++) P.at[k] = h / 2 * S.at[k], after.at[k] = C.at[k];
        for (i64 i = 0; i < n; i++) P(i, i) += 1;
        eliminate(P, after);
        for (i64 k = 0; k < n * w; k++) after.at[k] = 2 * after.at[k] - C.at[k];
    }

    double run(double *start) {
        constexpr double eps = std::numeric_limits<double>::epsilon();
        const double size = std::max(std::sqrt(dot(A, A) * dot(B, B)), std::numeric_limits<double>::min());
        C.read(start);
        double value = look(C, S), step = 1 / (4 * size), mean = value, weight = 1, steep = dot(S, S);
        for (i64 turn = 0; turn < job.most && std::sqrt(steep) > job.tolerance * size; turn++) {
            move(step);
            const double lower = look(after, bent);
            const bool better = lower <= mean - job.less * step * steep + 8 * eps * size;
            for (i64 k = 0; k < n * w; k++) P.at[k] = bent.at[k] - S.at[k];
            const double along = std::fabs(dot(S, P)), far = dot(P, P), now = dot(bent, bent);
            if (better) {
                const double longer = turn % 2 ? steep / along : along / far;
                std::swap(C.at, after.at), std::swap(S.at, bent.at);
                step = std::isfinite(step * longer) ? step * longer : 1, value = lower, steep = now;
                mean = (job.memory * weight * mean + value) / (job.memory * weight + 1);
                weight = job.memory * weight + 1;
            } else {
                step /= 4;
            }
            step = std::min(std::max(step, 1e-6 / size), 1e3 / size);
        }
        C.write(start);
        return value;
    }
};

extern "C" void descend(const Job *job, const Arrays *all) {
    std::atomic<i64> next{0};
    const i64 area = job->n * job->n;
    auto work = [&] {
        Descent descent(*job);
        for (i64 k; (k = next++) < job->starts;) {
            descent.A.read(all->A + all->pair[k] * area), descent.B.read(all->B + all->pair[k] * area);
            all->squared[k] = descent.run(all->C + k * area);
        }
    };
    std::vector<std::thread> others;
    for (i64 k = 1; k < std::min(job->threads, job->starts); k++) others.emplace_back(work);
    work();
    for (auto &thread : others) thread.join();
}
