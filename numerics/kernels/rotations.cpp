// The least |A - C B C^T|^2 over orthogonal C, downhill from many starts, columns across the lanes of the SIMD registers.
//
//     M = C B C^T,   S = the skew part, twice over, of M^T A - A M^T,   C <- (1 + h S/2)^-1 (1 - h S/2) C (Cayley).
//
// Both come in bases that save products.  In that of A, its symmetric part is a diagonal D and K is its skew part, and
//
//     S = P - P^T - (D M - M D + D M^T - M^T D),      P = K (M - M^T),
//
// so that S takes one product instead of two; and in that of B nothing stands below its first lower diagonal, so that
// C B takes half of one.  Steps h are those of Barzilai and Borwein, taken if the squared distance falls below a mean of
// its past (Zhang and Hager).  1 + h S/2 has the symmetric part 1, and what is left of it in any elimination has a larger
// one, so that rows are eliminated as they come, a block at a time; and (1 + Y)^-1 (1 - Y) C = 2 (1 + Y)^-1 C - C.
//
// Starts are worked off one after the other, or by as many threads, and share nothing but A and B: no start's bits
// depend on its neighbours or on the threads.  Rows have zeros where columns end and registers do not.

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
    i64 below = B.n;  // how many diagonals of B, below the main one, are not 0

    template <int M, int N> void block(i64 i, i64 j) const {
        V sum[M][N] = {};
        const V *b = B.at + j;
        const double *a = (const double *)A.row(i);
        const i64 depth = std::min(B.n, (j + N) * lanes + below);
        for (i64 k = 0; k < depth; k++, b += B.w)
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
        const i64 most = below < B.n ? 2 : widest, parts = (C.w + most - 1) / most;
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

// ---- X <- E^-1 X; E is used up

constexpr i64 few = 8;  // rows that are eliminated together

struct Elimination {
    const Matrix &E, &X;

    // M rows from row i on, less what the given columns of E there make of those rows of `of`, N registers from j on
    template <int M, int N> void block(const Matrix &of, i64 i, i64 j, i64 first, i64 end) const {
        V sum[M][N];
        const double *e = (const double *)E.row(i);
#pragma GCC unroll 16
        for (int m = 0; m < M; m++)
#pragma GCC unroll 4
            for (int k = 0; k < N; k++) sum[m][k] = of.row(i + m)[j + k];
        for (i64 k = first; k < end; k++)
#pragma GCC unroll 16
            for (int m = 0; m < M; m++)
#pragma GCC unroll 4
                for (int l = 0; l < N; l++) sum[m][l] -= e[m * E.w * lanes + k] * of.row(k)[j + l];
#pragma GCC unroll 16
        for (int m = 0; m < M; m++)
#pragma GCC unroll 4
            for (int k = 0; k < N; k++) of.row(i + m)[j + k] = sum[m][k];
    }

    template <int M, int N> void strip(const Matrix &of, i64 i, i64 last, i64 j, i64 first, i64 end) const {
        for (; i + M <= last; i += M) block<M, N>(of, i, j, first, end);
        if constexpr (M > 1) if (i < last) strip<M / 2, N>(of, i, last, j, first, end);
    }

    template <int N> void strips(const Matrix &of, i64 i, i64 last, i64 j, i64 first, i64 end) const {
        for (; j + N <= of.w; j += N) strip<sums / N, N>(of, i, last, j, first, end);
        if constexpr (N > 1) if (j < of.w) strips<N - 1>(of, i, last, j, first, end);
    }

    void subtract(const Matrix &of, i64 i, i64 last, i64 j, i64 first, i64 end) const {
        if (i < last) strips<2>(of, i, last, j, first, end);
    }

    void divide(i64 first, i64 end) const {  // these rows, by their own square block of E: by the unit where they end
        constexpr i64 across = few / lanes;
        V inverse[few][across], unit[few][across] = {};
        const double *entry = (const double *)inverse;
        for (i64 i = 0; i < few; i++) ((double *)unit[i])[i] = 1;
        for (i64 i = 0; i < few; i++)
            for (i64 l = 0; l < across; l++) {
                const bool inside = first + i < end && first / lanes + l < E.w;
                inverse[i][l] = inside ? E.row(first + i)[first / lanes + l] : unit[i][l];
            }
        for (i64 k = 0; k < few; k++) {  // in place: column k of the unit takes that of the block
            const double by = 1 / entry[k * few + k];
            V row[across];
            for (i64 l = 0; l < across; l++) {
                inverse[k][l] = inverse[k][l] * by + (by - 1) * unit[k][l];
                row[l] = inverse[k][l] + unit[k][l];
            }
#pragma GCC unroll 8
            for (i64 i = 0; i < few; i++) {
                if (i == k) continue;
                const double f = entry[i * few + k];
                for (i64 l = 0; l < across; l++) inverse[i][l] -= f * row[l];
            }
        }
        for (i64 j = first / lanes; j < E.w; j++) multiply(entry, E, first, end, j);
        for (i64 j = 0; j < X.w; j++) multiply(entry, X, first, end, j);
    }

    static void multiply(const double *by, const Matrix &of, i64 first, i64 end, i64 j) {
        V row[few];
        for (i64 k = 0; k < few; k++) row[k] = k < end - first ? of.row(first + k)[j] : V{};
        for (i64 i = 0; i < end - first; i++) {
            V sum = by[i * few] * row[0];
#pragma GCC unroll 8
            for (i64 k = 1; k < few; k++) sum += by[i * few + k] * row[k];
            of.row(first + i)[j] = sum;
        }
    }

    void run() const {
        const i64 n = E.n;
        for (i64 first = 0; first < n; first += few) {
            const i64 end = std::min(first + few, n);
            subtract(X, first, end, 0, 0, first);
            divide(first, end);
            subtract(E, end, n, end / lanes, first, end);
        }
        for (i64 first = (n - 1) / few * few; first >= 0; first -= few)
            subtract(X, first, std::min(first + few, n), 0, std::min(first + few, n), n);
    }
};

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
    Matrix D{1, w}, K{n, w}, odd{n, w};  // the diagonal of A and its skew part
    explicit Descent(const Job &job) : job(job) {}

    void read(const double *first, const double *second) const {
        A.read(first), B.read(second);
        for (i64 i = 0; i < n; i++) {
            D(0, i) = A(i, i);
            for (i64 j = 0; j < n; j++) K(i, j) = (A(i, j) - A(j, i)) / 2;
        }
    }

    double look(const Matrix &at, const Matrix &slope) const {  // the squared distance there, and its slope
        turned.turn(at);
        Product{P, at, B, 1}.compute();
        Product{M, P, turned}.compute();
        turned.turn(M);
        V total = {};
        for (i64 k = 0; k < n * w; k++) {
            const V gap = A.at[k] - M.at[k], even = M.at[k] + turned.at[k];
            total += gap * gap;
            odd.at[k] = M.at[k] - turned.at[k];
            M.at[k] = even;
        }
        Product{P, K, odd}.compute();
        turned.turn(P);
        for (i64 i = 0; i < n; i++)
            for (i64 j = 0; j < w; j++)
                slope.row(i)[j] = P.row(i)[j] - turned.row(i)[j] - (A(i, i) - D.at[j]) * M.row(i)[j];
        double sum = 0;
        for (i64 k = 0; k < lanes; k++) sum += total[k];
        return sum;
    }

    void move(double h) const {  // after = 2 (1 + h S/2)^-1 C - C
        for (i64 k = 0; k < n * w; k++) P.at[k] = h / 2 * S.at[k], after.at[k] = C.at[k];
        for (i64 i = 0; i < n; i++) P(i, i) += 1;
        Elimination{P, after}.run();
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
            descent.read(all->A + all->pair[k] * area, all->B + all->pair[k] * area);
            all->squared[k] = descent.run(all->C + k * area);
        }
    };
    std::vector<std::thread> others;
    for (i64 k = 1; k < std::min(job->threads, job->starts); k++) others.emplace_back(work);
    work();
    for (auto &thread : others) thread.join();
}
