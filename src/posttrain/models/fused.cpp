// What lies between the matrix products of a decoder, in one pass over memory each, for a CPU; and products of few tokens.
//
// A decoding step is so short that starting torch's operators takes longer than their work. Here a norm, a rotation or
// the attention of all running sequences is one call. Sums are float32; bfloat16 is rounded where torch rounds it, so
// that training and sampling agree. Every number is computed by one thread, in an order that the machine alone decides.
//
// Legend: N tokens, H query heads, G key-value heads, D head width, S slots of the cache, P places of a page.

#include <algorithm>
#include <memory>
#include <vector>

#include "numbers.hpp"

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

// ---- the rest of a layer

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

// x [N, D] / sqrt(mean(x^2) + eps) * weight [D]; `scale` [N] is that divisor's inverse.
template <class T>
void rms_norm(const T* x, const T* weight, int64_t rows, int64_t width, float eps, int threads, T* out, float* scale) {
#pragma omp parallel for num_threads(threads)
    for (int64_t row = 0; row < rows; ++row) {
        const T* from = x + row * width;
        T* to = out + row * width;
        float squares = 0;
#pragma omp simd reduction(+ : squares)
        for (int64_t i = 0; i < width; ++i) squares += wide(from[i]) * wide(from[i]);
        const float s = scale[row] = 1 / std::sqrt(squares / width + eps);
#pragma omp simd
        for (int64_t i = 0; i < width; ++i) narrow(rounded<T>(wide(from[i]) * s) * wide(weight[i]), to[i]);
    }
}

// With u = x scale and g = dy weight: dx = scale (g - u mean(g u)) [N, D], dweight = sum(dy u) [D].
template <class T>
void rms_norm_back(const T* x, const T* weight, const float* scale, const T* dy, int64_t rows, int64_t width,
                   int threads, T* dx, float* dweight) {
#pragma omp parallel for num_threads(threads)
    for (int64_t row = 0; row < rows; ++row) {
        const T *from = x + row * width, *slope = dy + row * width;
        T* to = dx + row * width;
        const float s = scale[row];
        float along = 0;
#pragma omp simd reduction(+ : along)
        for (int64_t i = 0; i < width; ++i) along += wide(slope[i]) * wide(weight[i]) * wide(from[i]);
        const float back = along * s * s / width;
#pragma omp simd
        for (int64_t i = 0; i < width; ++i)
            narrow(s * (wide(slope[i]) * wide(weight[i]) - wide(from[i]) * back), to[i]);
    }
    constexpr int64_t COLUMNS = 64;
#pragma omp parallel for num_threads(threads)
    for (int64_t first = 0; first < width; first += COLUMNS) {
        const int64_t last = std::min(first + COLUMNS, width);
        std::fill(dweight + first, dweight + last, 0);
        for (int64_t row = 0; row < rows; ++row)
#pragma omp simd
            for (int64_t i = first; i < last; ++i)
                dweight[i] += wide(dy[row * width + i]) * wide(x[row * width + i]) * scale[row];
    }
}

// Heads [N, H, D] turned by angles with cosine and sine [N, D]: dimension i with dimension i + D/2.
template <class T>
void rotate(const T* x, const T* cosine, const T* sine, int64_t tokens, int64_t heads, int64_t width, int threads,
            T* out) {
    const int64_t half = width / 2;
#pragma omp parallel for num_threads(threads)
    for (int64_t i = 0; i < tokens * heads; ++i) {
        const T *left = x + i * width, *right = left + half;
        const T *c = cosine + i / heads * width, *s = sine + i / heads * width;
        T *to = out + i * width, *to_right = to + half;
#pragma omp simd
        for (int64_t d = 0; d < half; ++d) {  // `out` may be `x`
            const float l = wide(left[d]), r = wide(right[d]);
            narrow(l * wide(c[d]) - r * wide(s[d]), to[d]);
            narrow(r * wide(c[d]) + l * wide(s[d]), to_right[d]);
        }
    }
}

// Calls `some(first, size)` for parts of `count` numbers whose values between two loops stay in the nearest cache. One
// loop with an exponential and a division would take three times as long.
constexpr int64_t PART = 128;

template <class Some>
void in_parts(int64_t count, int threads, Some some) {
#pragma omp parallel for num_threads(threads)
    for (int64_t first = 0; first < count; first += PART) some(first, std::min(PART, count - first));
}

// silu(gate) up, rounded where torch rounds it. `out` may be `gate`.
template <class T>
void gated(const T* gate, const T* up, int64_t count, int threads, T* out) {
    in_parts(count, threads, [=](int64_t first, int64_t size) {
        const T *g = gate + first, *u = up + first;
        T* to = out + first;
        float divisor[PART];
#pragma omp simd
        for (int64_t i = 0; i < size; ++i) divisor[i] = 1 + exponential(-wide(g[i]));
#pragma omp simd
        for (int64_t i = 0; i < size; ++i) narrow(rounded<T>(wide(g[i]) / divisor[i]) * wide(u[i]), to[i]);
    });
}

// With s = 1 / (1 + e^-gate): dup = dy silu(gate), dgate = dy up s (1 + gate (1 - s)).
template <class T>
void gated_back(const T* gate, const T* up, const T* dy, int64_t count, int threads, T* dgate, T* dup) {
    in_parts(count, threads, [=](int64_t first, int64_t size) {
        const T *g = gate + first, *u = up + first, *slope = dy + first;
        T *to_gate = dgate + first, *to_up = dup + first;
        float divisor[PART];
#pragma omp simd
        for (int64_t i = 0; i < size; ++i) divisor[i] = 1 + exponential(-wide(g[i]));
#pragma omp simd
        for (int64_t i = 0; i < size; ++i) {
            const float x = wide(g[i]), y = wide(slope[i]), s = 1 / divisor[i];
            narrow(y * rounded<T>(x / divisor[i]), to_up[i]);
            narrow(rounded<T>(y * wide(u[i])) * s * (1 + x * (1 - s)), to_gate[i]);
        }
    });
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

// ---- the law of all tokens, words by words (head.py)

// Logits [N, W] of some words, divided by tau [N], into what a softmax sums up over all words: the highest score, the
// sums of odds and of odds times score [N]; and the score in column [N], where that is one of these words.
template <class T>
void add_words(const T* logits, const float* tau, const int64_t* column, int64_t tokens, int64_t words, int threads,
               float* top, float* mass, float* energy, float* chosen) {
#pragma omp parallel for num_threads(threads)
    for (int64_t token = 0; token < tokens; ++token) {
        const T* logit = logits + token * words;
        const float divisor = tau[token];
        float highest = -INFINITY;
#pragma omp simd reduction(max : highest)
        for (int64_t word = 0; word < words; ++word) highest = wide(logit[word]) > highest ? wide(logit[word]) : highest;
        highest = std::max(top[token], highest / divisor);
        const float shrink = exponential(top[token] - highest);
        double odd_sum = 0, energy_sum = 0;
        for (int64_t first = 0; first < words; first += BLOCK) {
            const int64_t last = std::min<int64_t>(first + BLOCK, words);
            float sum = 0, weighted = 0;
#pragma omp simd reduction(+ : sum, weighted)
            for (int64_t word = first; word < last; ++word) {
                const float score = wide(logit[word]) / divisor, odd = odds(score - highest);
                sum += odd;
                weighted += odd > 0 ? odd * score : 0;
            }
            odd_sum += sum;
            energy_sum += weighted;
        }
        top[token] = highest;
        mass[token] = mass[token] * shrink + float(odd_sum);
        energy[token] = energy[token] * shrink + float(energy_sum);
        if (column[token] >= 0 && column[token] < words) chosen[token] = wide(logit[column[token]]) / divisor;
    }
}

// In the place of the logits what comes back to them, given what comes back to log-prob and entropy, divided by tau, and
// the logarithm of the sum of all odds: (onehot - p) of_logp - p (log p + entropy) of_entropy.
template <class T>
void back_words(const float* tau, const int64_t* column, const float* whole, const float* entropy,
                const float* of_logp, const float* of_entropy, int64_t tokens, int64_t words, int threads, T* logits) {
#pragma omp parallel for num_threads(threads)
    for (int64_t token = 0; token < tokens; ++token) {
        T* logit = logits + token * words;
        const float divisor = tau[token], all = whole[token], slope = of_logp[token], turn = of_entropy[token];
        const float level = entropy[token];
        const auto back = [=](T x) {
            float law = wide(x) / divisor - all;
            law = law < -1e30f ? -1e30f : law;  // of what is impossible: 0 times infinity is no number
            return -odds(law) * (slope + turn * (law + level));
        };
        const bool here = column[token] >= 0 && column[token] < words;
        const float target = here ? back(logit[column[token]]) + slope : 0;
#pragma omp simd
        for (int64_t word = 0; word < words; ++word) narrow(back(logit[word]), logit[word]);
        if (here) narrow(target, logit[column[token]]);
    }
}

}  // namespace

// ---- what Python calls, for each type (fused.py, which checks widths and types)

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
    extern "C" void rms_norm_##T(const T* x, const T* weight, int64_t rows, int64_t width, float eps, int threads,    \
                                 T* out, float* scale) {                                                              \
        rms_norm(x, weight, rows, width, eps, threads, out, scale);                                                   \
    }                                                                                                                 \
    extern "C" void rms_norm_back_##T(const T* x, const T* weight, const float* scale, const T* dy, int64_t rows,     \
                                      int64_t width, int threads, T* dx, float* dweight) {                            \
        rms_norm_back(x, weight, scale, dy, rows, width, threads, dx, dweight);                                       \
    }                                                                                                                 \
    extern "C" void rotate_##T(const T* x, const T* cosine, const T* sine, int64_t n, int64_t heads, int64_t width,   \
                               int threads, T* out) {                                                                 \
        rotate(x, cosine, sine, n, heads, width, threads, out);                                                       \
    }                                                                                                                 \
    extern "C" void gated_##T(const T* gate, const T* up, int64_t count, int threads, T* out) {                       \
        gated(gate, up, count, threads, out);                                                                         \
    }                                                                                                                 \
    extern "C" void gated_back_##T(const T* gate, const T* up, const T* dy, int64_t count, int threads, T* dgate,     \
                                   T* dup) {                                                                          \
        gated_back(gate, up, dy, count, threads, dgate, dup);                                                         \
    }                                                                                                                 \
    extern "C" void add_words_##T(const T* logits, const float* tau, const int64_t* column, int64_t n, int64_t words, \
                                  int threads, float* top, float* mass, float* energy, float* chosen) {               \
        add_words(logits, tau, column, n, words, threads, top, mass, energy, chosen);                                 \
    }                                                                                                                 \
    extern "C" void back_words_##T(T* logits, const float* tau, const int64_t* column, const float* whole,            \
                                   const float* entropy, const float* of_logp, const float* of_entropy, int64_t n,    \
                                   int64_t words, int threads) {                                                      \
        back_words(tau, column, whole, entropy, of_logp, of_entropy, n, words, threads, logits);                      \
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
