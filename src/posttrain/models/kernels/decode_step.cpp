// A decoding step: attention over the cache, products of few tokens, whole layers, and the next token, on a CPU.
//
// A step is so short that starting torch's operators takes longer than their work. Sums are float32; bfloat16 is rounded
// where torch rounds it. Every number is computed by one thread, in an order that the machine alone decides.
//
// Legend: N tokens, H query heads, G key-value heads, D head width, S slots of the cache, P places of a page.

#include <algorithm>
#include <memory>
#include <vector>

#include "elementwise.hpp"

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

namespace {

// Ask for numbers that are read soon: the processor itself looks ahead within 4 KiB only.
template <int COUNT, class T>
inline void fetch(const T* from) {
    const char* bytes = reinterpret_cast<const char*>(from);
    for (size_t line = 0; line < COUNT * sizeof(T); line += 64) __builtin_prefetch(bytes + line);
}

// ---- attention of one new token for each sequence

constexpr int PAGE = 64;  // places

// R heads that share keys [D, P] and values [P, D] of each page, at the places first to last. The softmax runs along:
// what was summed shrinks when a higher score is found (Milakov and Gimelshein, 2018).
template <class T, int D, int R>
void attend_heads(const T* query, const T* keys, const T* values, int64_t stride, int64_t first, int64_t last,
                  float scaling, T* out) {
    Vector sum[R][D / BOTH] = {};
    float top[R], mass[R] = {};
    std::fill(top, top + R, -INFINITY);
    for (int64_t page = first / PAGE; page <= last / PAGE; ++page) {
        const T *key = keys + page * stride, *value = values + page * stride;
        int from = std::max<int64_t>(first - page * PAGE, 0), to = std::min<int64_t>(last + 1 - page * PAGE, PAGE);
        Vector products[R][PAGE / BOTH] = {};
        for (int d = 0; d < D; ++d) {
            fetch<PAGE>(value + d * PAGE);
            for (int i = 0; i < PAGE / BOTH; ++i) {
                Vector k = load(key + d * PAGE + i * BOTH);
                for (int r = 0; r < R; ++r) products[r][i].add(wide(query[r * D + d]), k);
            }
        }
        float weights[R][PAGE];
        for (int r = 0; r < R; ++r) {
            for (int i = 0; i < PAGE / BOTH; ++i) store(key, products[r][i], weights[r] + i * BOTH);
            float highest = top[r], total = 0;
#pragma omp simd reduction(max : highest)
            for (int p = 0; p < PAGE; ++p) {
                weights[r][p] = p >= from && p < to ? weights[r][p] * scaling : -INFINITY;
                highest = weights[r][p] > highest ? weights[r][p] : highest;
            }
#pragma omp simd reduction(+ : total)
            for (int p = 0; p < PAGE; ++p) {
                weights[r][p] = p >= from && p < to ? odds(weights[r][p] - highest) : 0;
                total += weights[r][p];
            }
            const float shrink = mass[r] > 0 ? exponential(top[r] - highest) : 0;
            top[r] = highest;
            mass[r] = mass[r] * shrink + total;
            for (Vector& x : sum[r]) x.scale(shrink);
        }
        const T* next = page < last / PAGE ? key + stride : keys + D * PAGE;  // of this sequence or the next
        for (int p = from; p < to; ++p) {
            fetch<D>(next + p * D);
            for (int i = 0; i < D / BOTH; ++i) {
                Vector v = load(value + p * D + i * BOTH);
                for (int r = 0; r < R; ++r) sum[r][i].add(weights[r][p], v);
            }
        }
    }
    for (int r = 0; r < R; ++r) {
        float result[D];
        for (int i = 0; i < D / BOTH; ++i) store(query, sum[r][i], result + i * BOTH);
        for (int d = 0; d < D; ++d) narrow(result[d] / mass[r], out[r * D + d]);
    }
}

// Query [N, H, D] of the newest tokens, which stand at `positions` [N] of the first N slots, and see `window` places.
template <class T, int D>
void attend_width(const T* query, const T* keys, const T* values, const int64_t* positions, int64_t tokens,
                  int64_t slots, int64_t heads, int64_t groups, float scaling, int64_t window, int threads, T* out) {
    const int64_t shared = heads / groups, stride = slots * groups * D * PAGE;
#pragma omp parallel for schedule(dynamic, 4) num_threads(threads)
    for (int64_t i = 0; i < tokens * groups; ++i) {
        const int64_t last = positions[i / groups], first = std::max<int64_t>(last + 1 - window, 0);
        const T *key = keys + i * D * PAGE, *value = values + i * D * PAGE;
        for (int64_t head = i * shared, end = head + shared; head < end;) {
            const int together = std::min<int64_t>(end - head, 4);
            const auto some = together == 4   ? attend_heads<T, D, 4>
                              : together == 3 ? attend_heads<T, D, 3>
                              : together == 2 ? attend_heads<T, D, 2>
                                              : attend_heads<T, D, 1>;
            some(query + head * D, key, value, stride, first, last, scaling, out + head * D);
            head += together;
        }
    }
}

template <class T>
void attend(const T* query, const T* keys, const T* values, const int64_t* positions, int64_t tokens, int64_t slots,
            int64_t heads, int64_t groups, int64_t width, float scaling, int64_t window, int threads, T* out) {
    const auto run = width == 32    ? attend_width<T, 32>
                     : width == 64  ? attend_width<T, 64>
                     : width == 96  ? attend_width<T, 96>
                     : width == 128 ? attend_width<T, 128>
                                    : attend_width<T, 256>;
    run(query, keys, values, positions, tokens, slots, heads, groups, scaling, window, threads, out);
}

// Key and value [N, G, D] to places of the cache: keys [pages, S, G, D, P], values [pages, S, G, P, D].
template <class T>
void write(const T* key, const T* value, const int64_t* slot, const int64_t* page, const int64_t* place,
           int64_t tokens, int64_t slots, int64_t groups, int64_t width, int threads, T* keys, T* values) {
#pragma omp parallel for num_threads(threads)
    for (int64_t token = 0; token < tokens; ++token)
        for (int64_t group = 0; group < groups; ++group) {
            const int64_t from = (token * groups + group) * width;
            const int64_t to = ((page[token] * slots + slot[token]) * groups + group) * width * PAGE;
            for (int64_t d = 0; d < width; ++d) keys[to + d * PAGE + place[token]] = key[from + d];
            std::memcpy(values + to + place[token] * width, value + from, width * sizeof(T));
        }
}

#ifdef __AVX512BF16__

// ---- the product of few tokens with a matrix

// The processor multiplies pairs of neighbouring inputs for 16 outputs at once. Libraries copy the matrix into that order
// ahead; here each thread turns a few kilobytes at a time, which it then uses for all tokens.
constexpr int PAIRS = 96, OUTPUTS = 2 * LANES;  // of a panel

// Exchanges one bit of a row's number and of the place in it.
template <int BIT>
inline void exchange(__m512i (&x)[LANES]) {
    Words low, high;
    for (int i = 0; i < LANES; ++i) {
        low[i] = i & BIT ? LANES + i - BIT : i;
        high[i] = i & BIT ? LANES + i : i + BIT;
    }
#pragma GCC unroll 16
    for (int i = 0; i < LANES; ++i) {
        if (i & BIT) continue;
        const __m512i a = x[i], b = x[i + BIT];
        x[i] = _mm512_permutex2var_epi32(a, __m512i(low), b);
        x[i + BIT] = _mm512_permutex2var_epi32(a, __m512i(high), b);
    }
}

// 16 pairs of 16 outputs: what was pair j of output i becomes output i of pair j.
inline void turn(const bf16* from, int64_t inputs, float* to) {
    __m512i x[LANES];
#pragma GCC unroll 16
    for (int i = 0; i < LANES; ++i) x[i] = _mm512_loadu_si512(from + i * inputs);
    exchange<1>(x);
    exchange<2>(x);
    exchange<4>(x);
    exchange<8>(x);
#pragma GCC unroll 16
    for (int i = 0; i < LANES; ++i) _mm512_storeu_si512(to + i * OUTPUTS, x[i]);
}

// Adds to the sums [R, OUTPUTS] of R tokens. What is multiplied next comes from memory meanwhile: 16 rows from `ahead`.
template <int R>
inline void multiply(const bf16* x, int64_t inputs, const float* panel, int pairs, float* sums, const bf16* ahead) {
    constexpr int LINE = 32, LINES = 2 * PAIRS / LINE;  // numbers that memory gives at once, and how often for a row
    __m512 sum[R][2];
    for (int r = 0; r < R; ++r) {
        sum[r][0] = _mm512_loadu_ps(sums + r * OUTPUTS);
        sum[r][1] = _mm512_loadu_ps(sums + r * OUTPUTS + LANES);
    }
    for (int pair = 0; pair < pairs; ++pair) {
        if (ahead) __builtin_prefetch(ahead + pair / LINES * inputs + pair % LINES * LINE);
        const auto even = __m512bh(_mm512_loadu_ps(panel + pair * OUTPUTS));
        const auto odd = __m512bh(_mm512_loadu_ps(panel + pair * OUTPUTS + LANES));
        for (int r = 0; r < R; ++r) {
            int both;
            std::memcpy(&both, x + r * inputs + 2 * pair, sizeof both);
            const auto all = __m512bh(_mm512_set1_epi32(both));
            sum[r][0] = _mm512_dpbf16_ps(sum[r][0], all, even);
            sum[r][1] = _mm512_dpbf16_ps(sum[r][1], all, odd);
        }
    }
    for (int r = 0; r < R; ++r) {
        _mm512_storeu_ps(sums + r * OUTPUTS, sum[r][0]);
        _mm512_storeu_ps(sums + r * OUTPUTS + LANES, sum[r][1]);
    }
}

// x [N, I] times weight [O, I] transposed: [N, O]. I and O are multiples of 32. A token's numbers do not depend on others.
void linear(const bf16* x, const bf16* weight, int64_t tokens, int64_t inputs, int64_t outputs, int threads, bf16* out) {
#pragma omp parallel num_threads(threads)
    {
        float panel[PAIRS * OUTPUTS];
        std::vector<float> sums(tokens * OUTPUTS);
#pragma omp for schedule(static)
        for (int64_t first = 0; first < outputs; first += OUTPUTS) {
            std::fill(sums.begin(), sums.end(), 0);
            for (int64_t input = 0; input < inputs; input += 2 * PAIRS) {
                const int pairs = std::min<int64_t>(PAIRS, (inputs - input) / 2);
                for (int pair = 0; pair < pairs; pair += LANES)
                    for (int o = 0; o < OUTPUTS; o += LANES)
                        turn(weight + (first + o) * inputs + input + 2 * pair, inputs, panel + pair * OUTPUTS + o);
                const int64_t next = input + 2 * pairs;
                const bf16* ahead = weight + (next < inputs ? first * inputs + next : (first + OUTPUTS) * inputs);
                const bf16* row = x + input;
                float *sum = sums.data(), *end = sum + tokens * OUTPUTS;
                for (int part = 0; sum + 8 * OUTPUTS <= end; sum += 8 * OUTPUTS, row += 8 * inputs, ++part)
                    multiply<8>(row, inputs, panel, pairs, sum, part < 2 ? ahead + part * LANES * inputs : nullptr);
                for (; sum + 4 * OUTPUTS <= end; sum += 4 * OUTPUTS, row += 4 * inputs)
                    multiply<4>(row, inputs, panel, pairs, sum, nullptr);
                for (; sum < end; sum += OUTPUTS, row += inputs) multiply<1>(row, inputs, panel, pairs, sum, nullptr);
            }
            for (int64_t t = 0; t < tokens; ++t)
                for (int o = 0; o < OUTPUTS; o += LANES) {
                    const auto narrowed = _mm512_cvtneps_pbh(_mm512_loadu_ps(&sums[t * OUTPUTS + o]));
                    std::memcpy(out + t * outputs + first + o, &narrowed, sizeof narrowed);
                }
        }
    }
}

// ---- a whole layer

template <class T>
void add(T* x, const T* more, int64_t count, int threads) {
#pragma omp parallel for simd num_threads(threads)
    for (int64_t i = 0; i < count; ++i) narrow(wide(x[i]) + wide(more[i]), x[i]);
}

struct Layer {
    const bf16 *norm, *query, *key, *value, *query_norm, *key_norm, *out, *second_norm, *gate, *up, *down;
    bf16 *keys, *values;  // of the cache
    float eps, scaling;
    int64_t window;
};

struct Sizes {
    int64_t tokens, hidden, inner, slots, heads, groups, width;
};

struct Place {
    const int64_t *positions, *slot, *page, *place;
    const bf16 *cosine, *sine;
};

// A layer of Llama and its relatives for one token of each sequence: x [N, hidden] becomes what comes out of it. What
// lies between products stays in the cache; starting them one by one from Python takes as long as all else but them.
void layer(const Layer& w, const Sizes& n, const Place& at, int threads, bf16* x) {
    const int64_t queries = n.heads * n.width, keys = n.groups * n.width;
    const std::unique_ptr<bf16[]> memory(new bf16[n.tokens * 2 * (n.hidden + queries + keys + n.inner)]);
    std::vector<float> scale(n.tokens * n.heads);
    bf16 *normed = memory.get(), *more = normed + n.tokens * n.hidden, *query = more + n.tokens * n.hidden;
    bf16 *mixed = query + n.tokens * queries, *key = mixed + n.tokens * queries, *value = key + n.tokens * keys;
    bf16 *gate = value + n.tokens * keys, *up = gate + n.tokens * n.inner;

    rms_norm(x, w.norm, n.tokens, n.hidden, w.eps, threads, normed, scale.data());
    linear(normed, w.query, n.tokens, n.hidden, queries, threads, query);
    linear(normed, w.key, n.tokens, n.hidden, keys, threads, key);
    linear(normed, w.value, n.tokens, n.hidden, keys, threads, value);
    if (w.query_norm) {
        rms_norm(query, w.query_norm, n.tokens * n.heads, n.width, w.eps, threads, query, scale.data());
        rms_norm(key, w.key_norm, n.tokens * n.groups, n.width, w.eps, threads, key, scale.data());
    }
    rotate(query, at.cosine, at.sine, n.tokens, n.heads, n.width, threads, query);
    rotate(key, at.cosine, at.sine, n.tokens, n.groups, n.width, threads, key);
    write(key, value, at.slot, at.page, at.place, n.tokens, n.slots, n.groups, n.width, threads, w.keys, w.values);
    attend(query, w.keys, w.values, at.positions, n.tokens, n.slots, n.heads, n.groups, n.width, w.scaling, w.window,
           threads, mixed);
    linear(mixed, w.out, n.tokens, queries, n.hidden, threads, more);
    add(x, more, n.tokens * n.hidden, threads);

    rms_norm(x, w.second_norm, n.tokens, n.hidden, w.eps, threads, normed, scale.data());
    linear(normed, w.gate, n.tokens, n.hidden, n.inner, threads, gate);
    linear(normed, w.up, n.tokens, n.hidden, n.inner, threads, up);
    gated(gate, up, n.tokens * n.inner, threads, gate);
    linear(gate, w.down, n.tokens, n.inner, n.hidden, threads, more);
    add(x, more, n.tokens * n.hidden, threads);
}

#endif

// ---- the next token

// The token at which the cumulated probability of scores [S, V] passes `uniform` [S], and its log-prob (law.py).
// Sums within blocks of B words are float32, those over the blocks float64.
constexpr int BLOCK = 256;

// First place whose cumulated sum is above the target; rounding never leads to one of weight 0, nor beyond the last.
inline int64_t passes(const double* cumulated, int64_t count, double target) {
    int64_t place = 0;
    while (place < count - 1 && cumulated[place] <= target && cumulated[place] < cumulated[count - 1]) ++place;
    return place;
}

template <class T>
void draw(const T* scores, const double* uniform, int64_t rows, int64_t words, int threads, int64_t* token,
          float* logp) {
#pragma omp parallel for num_threads(threads)
    for (int64_t row = 0; row < rows; ++row) {
        const T* score = scores + row * words;
        float top = -INFINITY;
#pragma omp simd reduction(max : top)
        for (int64_t word = 0; word < words; ++word) top = wide(score[word]) > top ? wide(score[word]) : top;
        const int64_t blocks = (words + BLOCK - 1) / BLOCK;
        std::vector<double> sums(blocks);
        double total = 0;
        for (int64_t block = 0; block < blocks; ++block) {
            const int64_t end = std::min((block + 1) * BLOCK, words);
            float sum = 0;
#pragma omp simd reduction(+ : sum)
            for (int64_t word = block * BLOCK; word < end; ++word) sum += odds(wide(score[word]) - top);
            sums[block] = total += sum;
        }
        const double target = uniform[row] * total;
        const int64_t block = passes(sums.data(), blocks, target), start = block * BLOCK;
        const int64_t size = std::min<int64_t>(BLOCK, words - start);
        double within[BLOCK], sum = 0;
        for (int64_t i = 0; i < size; ++i) within[i] = sum += odds(wide(score[start + i]) - top);
        token[row] = start + passes(within, size, target - (block > 0 ? sums[block - 1] : 0));
        logp[row] = wide(score[token[row]]) - top - float(std::log(total));
    }
}

}  // namespace

// ---- what Python calls, for each type (step.py, which checks widths and types)

#define EXPORT(T)                                                                                                     \
    extern "C" void attend_##T(const T* query, const T* keys, const T* values, const int64_t* positions, int64_t n,   \
                               int64_t slots, int64_t heads, int64_t groups, int64_t width, float scaling,            \
                               int64_t window, int threads, T* out) {                                                 \
        attend(query, keys, values, positions, n, slots, heads, groups, width, scaling, window, threads, out);        \
    }                                                                                                                 \
    extern "C" void write_##T(const T* key, const T* value, const int64_t* slot, const int64_t* page,                 \
                              const int64_t* place, int64_t n, int64_t slots, int64_t groups, int64_t width,          \
                              int threads, T* keys, T* values) {                                                      \
        write(key, value, slot, page, place, n, slots, groups, width, threads, keys, values);                         \
    }                                                                                                                 \
    extern "C" void draw_##T(const T* scores, const double* uniform, int64_t rows, int64_t words, int threads,        \
                             int64_t* token, float* logp) {                                                           \
        draw(scores, uniform, rows, words, threads, token, logp);                                                     \
    }

EXPORT(float)
EXPORT(bf16)

#ifdef __AVX512BF16__
extern "C" void linear_bf16(const bf16* x, const bf16* weight, int64_t tokens, int64_t inputs, int64_t outputs,
                            int threads, bf16* out) {
    linear(x, weight, tokens, inputs, outputs, threads, out);
}

extern "C" void layer_bf16(bf16* x, const bf16* norm, const bf16* query, const bf16* key, const bf16* value,
                           const bf16* query_norm, const bf16* key_norm, const bf16* out, const bf16* second_norm,
                           const bf16* gate, const bf16* up, const bf16* down, bf16* keys, bf16* values,
                           const int64_t* positions, const int64_t* slot, const int64_t* page, const int64_t* place,
                           const bf16* cosine, const bf16* sine, int64_t n, int64_t hidden, int64_t inner, int64_t slots,
                           int64_t heads, int64_t groups, int64_t width, float eps, float scaling, int64_t window,
                           int threads) {
    layer({norm, query, key, value, query_norm, key_norm, out, second_norm, gate, up, down, keys, values, eps, scaling,
           window},
          {n, hidden, inner, slots, heads, groups, width}, {positions, slot, page, place, cosine, sine}, threads, x);
}
#endif
