// A decoding step on a CPU: attention over the cache, whole layers, and the draw of the next token.
//
// Decoding steps are launch-bound: starting torch's operators takes longer than their work. Sums are float32; bfloat16
// is rounded where torch rounds it. Every number is computed by one thread, in an order that depends on the machine
// alone.
//
// Legend: N tokens, H query heads, G key-value heads, D head width, S slots of the cache, P positions of a page.

#include <algorithm>
#include <memory>
#include <vector>

#include "elementwise.hpp"

#ifdef __AVX512BF16__
#include "linear.hpp"
#endif

namespace {

// Prefetches numbers that are read soon: the processor's own prefetcher stays within a page of 4 KiB.
template <int COUNT, class T>
inline void prefetch(const T* from) {
    const char* bytes = reinterpret_cast<const char*>(from);
    for (size_t line = 0; line < COUNT * sizeof(T); line += 64) __builtin_prefetch(bytes + line);
}

// ---- attention of one new token for each sequence

constexpr int PAGE = 64;  // tokens

// Attention of R heads that share keys [D, P] and values [P, D] of each page, over the positions first to last, with an
// online softmax: sums are rescaled when a higher score comes (Milakov and Gimelshein, 2018).
template <class T, int D, int R>
void attend_heads(const T* query, const T* keys, const T* values, int64_t stride, int64_t first, int64_t last,
                  float scaling, T* out) {
    Vector sum[R][D / VECTOR] = {};
    float maximum[R], sum_exp[R] = {};
    std::fill(maximum, maximum + R, -INFINITY);
    for (int64_t page = first / PAGE; page <= last / PAGE; ++page) {
        const T *key = keys + page * stride, *value = values + page * stride;
        int from = std::max<int64_t>(first - page * PAGE, 0), to = std::min<int64_t>(last + 1 - page * PAGE, PAGE);
        Vector products[R][PAGE / VECTOR] = {};
        for (int d = 0; d < D; ++d) {
            prefetch<PAGE>(value + d * PAGE);
            for (int i = 0; i < PAGE / VECTOR; ++i) {
                Vector k = load(key + d * PAGE + i * VECTOR);
                for (int r = 0; r < R; ++r) products[r][i].add(widen(query[r * D + d]), k);
            }
        }
        float weights[R][PAGE];
        for (int r = 0; r < R; ++r) {
            for (int i = 0; i < PAGE / VECTOR; ++i) store(key, products[r][i], weights[r] + i * VECTOR);
            float highest = maximum[r], total = 0;
#pragma omp simd reduction(max : highest)
            for (int p = 0; p < PAGE; ++p) {
                weights[r][p] = p >= from && p < to ? weights[r][p] * scaling : -INFINITY;
                highest = weights[r][p] > highest ? weights[r][p] : highest;
            }
#pragma omp simd reduction(+ : total)
            for (int p = 0; p < PAGE; ++p) {
                weights[r][p] = p >= from && p < to ? fast_exp_or_zero(weights[r][p] - highest) : 0;
                total += weights[r][p];
            }
            const float rescale = sum_exp[r] > 0 ? fast_exp(maximum[r] - highest) : 0;
            maximum[r] = highest;
            sum_exp[r] = sum_exp[r] * rescale + total;
            for (Vector& x : sum[r]) x.scale(rescale);
        }
        const T* next = page < last / PAGE ? key + stride : keys + D * PAGE;  // of this or the next sequence
        for (int p = from; p < to; ++p) {
            prefetch<D>(next + p * D);
            for (int i = 0; i < D / VECTOR; ++i) {
                Vector v = load(value + p * D + i * VECTOR);
                for (int r = 0; r < R; ++r) sum[r][i].add(weights[r][p], v);
            }
        }
    }
    for (int r = 0; r < R; ++r) {
        float result[D];
        for (int i = 0; i < D / VECTOR; ++i) store(query, sum[r][i], result + i * VECTOR);
        for (int d = 0; d < D; ++d) narrow(result[d] / sum_exp[r], out[r * D + d]);
    }
}

// Attention of the newest tokens, query [N, H, D], at `positions` [N] of the first N slots. Each sees `window` tokens.
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
            const auto kernel = together == 4   ? attend_heads<T, D, 4>
                                : together == 3 ? attend_heads<T, D, 3>
                                : together == 2 ? attend_heads<T, D, 2>
                                                : attend_heads<T, D, 1>;
            kernel(query + head * D, key, value, stride, first, last, scaling, out + head * D);
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

// Writes key and value [N, G, D] to the cache, keys [pages, S, G, D, P] and values [pages, S, G, P, D]: each token to a
// slot, a page, and an offset within the page.
template <class T>
void write(const T* key, const T* value, const int64_t* slot, const int64_t* page, const int64_t* offset,
           int64_t tokens, int64_t slots, int64_t groups, int64_t width, int threads, T* keys, T* values) {
#pragma omp parallel for num_threads(threads)
    for (int64_t token = 0; token < tokens; ++token)
        for (int64_t group = 0; group < groups; ++group) {
            const int64_t from = (token * groups + group) * width;
            const int64_t to = ((page[token] * slots + slot[token]) * groups + group) * width * PAGE;
            for (int64_t d = 0; d < width; ++d) keys[to + d * PAGE + offset[token]] = key[from + d];
            std::memcpy(values + to + offset[token] * width, value + from, width * sizeof(T));
        }
}

#ifdef __AVX512BF16__

// ---- a whole layer

template <class T>
void add(T* x, const T* update, int64_t count, int threads) {
#pragma omp parallel for simd num_threads(threads)
    for (int64_t i = 0; i < count; ++i) narrow(widen(x[i]) + widen(update[i]), x[i]);
}

struct Layer {
    const bf16 *norm, *query, *key, *value, *query_norm, *key_norm, *out, *second_norm, *gate, *up, *down;
    bf16 *keys, *values;  // the cache
    float eps, scaling;
    int64_t window;
};

struct Sizes {
    int64_t tokens, hidden, inner, slots, heads, groups, width;
};

struct Inputs {
    const int64_t *positions, *slot, *page, *offset;
    const bf16 *cosine, *sine;
};

// A layer of Llama and similar models for one token of each sequence; x [N, hidden] is overwritten with its output.
// Activations stay in the processor's cache. Calling the operators one by one from Python costs as much as all of their
// work but the products.
void layer(const Layer& w, const Sizes& n, const Inputs& in, int threads, bf16* x) {
    const int64_t queries = n.heads * n.width, keys = n.groups * n.width;
    const std::unique_ptr<bf16[]> memory(new bf16[n.tokens * 2 * (n.hidden + queries + keys + n.inner)]);
    std::vector<float> scale(n.tokens * n.heads);
    bf16 *normed = memory.get(), *update = normed + n.tokens * n.hidden, *query = update + n.tokens * n.hidden;
    bf16 *attended = query + n.tokens * queries, *key = attended + n.tokens * queries, *value = key + n.tokens * keys;
    bf16 *gate = value + n.tokens * keys, *up = gate + n.tokens * n.inner;

    rms_norm(x, w.norm, n.tokens, n.hidden, w.eps, threads, normed, scale.data());
    linear(normed, w.query, n.tokens, n.hidden, queries, threads, query);
    linear(normed, w.key, n.tokens, n.hidden, keys, threads, key);
    linear(normed, w.value, n.tokens, n.hidden, keys, threads, value);
    if (w.query_norm) {
        rms_norm(query, w.query_norm, n.tokens * n.heads, n.width, w.eps, threads, query, scale.data());
        rms_norm(key, w.key_norm, n.tokens * n.groups, n.width, w.eps, threads, key, scale.data());
    }
    rotate(query, in.cosine, in.sine, n.tokens, n.heads, n.width, threads, query);
    rotate(key, in.cosine, in.sine, n.tokens, n.groups, n.width, threads, key);
    write(key, value, in.slot, in.page, in.offset, n.tokens, n.slots, n.groups, n.width, threads, w.keys, w.values);
    attend(query, w.keys, w.values, in.positions, n.tokens, n.slots, n.heads, n.groups, n.width, w.scaling, w.window,
           threads, attended);
    linear(attended, w.out, n.tokens, queries, n.hidden, threads, update);
    add(x, update, n.tokens * n.hidden, threads);

    rms_norm(x, w.second_norm, n.tokens, n.hidden, w.eps, threads, normed, scale.data());
    linear(normed, w.gate, n.tokens, n.hidden, n.inner, threads, gate);
    linear(normed, w.up, n.tokens, n.hidden, n.inner, threads, up);
    gated(gate, up, n.tokens * n.inner, threads, gate);
    linear(gate, w.down, n.tokens, n.inner, n.hidden, threads, update);
    add(x, update, n.tokens * n.hidden, threads);
}

#endif

// ---- the next token

// Draws from softmax(scores [S, V]) by inverse CDF: the token at which the cumulative probability exceeds uniform [S],
// and its log-prob (distribution.py). Sums within blocks are float32, sums over blocks float64.
constexpr int BLOCK = 256;  // vocabulary entries

// The first index whose cumulative sum exceeds the target. Rounding never leads to one of weight 0, nor past the end.
inline int64_t first_above(const double* cumulative, int64_t count, double target) {
    int64_t index = 0;
    while (index < count - 1 && cumulative[index] <= target && cumulative[index] < cumulative[count - 1]) ++index;
    return index;
}

template <class T>
void draw(const T* scores, const double* uniform, int64_t rows, int64_t vocab_size, int threads, int64_t* token,
          float* logp) {
#pragma omp parallel for num_threads(threads)
    for (int64_t row = 0; row < rows; ++row) {
        const T* score = scores + row * vocab_size;
        float maximum = -INFINITY;
#pragma omp simd reduction(max : maximum)
        for (int64_t v = 0; v < vocab_size; ++v) maximum = widen(score[v]) > maximum ? widen(score[v]) : maximum;
        const int64_t blocks = (vocab_size + BLOCK - 1) / BLOCK;
        std::vector<double> sums(blocks);
        double total = 0;
        for (int64_t block = 0; block < blocks; ++block) {
            const int64_t end = std::min((block + 1) * BLOCK, vocab_size);
            float sum = 0;
#pragma omp simd reduction(+ : sum)
            for (int64_t v = block * BLOCK; v < end; ++v) sum += fast_exp_or_zero(widen(score[v]) - maximum);
            sums[block] = total += sum;
        }
        const double target = uniform[row] * total;
        const int64_t block = first_above(sums.data(), blocks, target), start = block * BLOCK;
        const int64_t size = std::min<int64_t>(BLOCK, vocab_size - start);
        double within[BLOCK], sum = 0;
        for (int64_t i = 0; i < size; ++i) within[i] = sum += fast_exp_or_zero(widen(score[start + i]) - maximum);
        token[row] = start + first_above(within, size, target - (block > 0 ? sums[block - 1] : 0));
        logp[row] = widen(score[token[row]]) - maximum - float(std::log(total));
    }
}

}  // namespace

// ---- the entry points for each type, called by decode_step.py, which checks shapes and types

#define EXPORT(T)                                                                                                      \
    extern "C" void attend_##T(const T* query, const T* keys, const T* values, const int64_t* positions, int64_t n,    \
                               int64_t slots, int64_t heads, int64_t groups, int64_t width, float scaling,             \
                               int64_t window, int threads, T* out) {                                                  \
        attend(query, keys, values, positions, n, slots, heads, groups, width, scaling, window, threads, out);         \
    }                                                                                                                  \
    extern "C" void write_##T(const T* key, const T* value, const int64_t* slot, const int64_t* page,                  \
                              const int64_t* offset, int64_t n, int64_t slots, int64_t groups, int64_t width,          \
                              int threads, T* keys, T* values) {                                                       \
        write(key, value, slot, page, offset, n, slots, groups, width, threads, keys, values);                         \
    }                                                                                                                  \
    extern "C" void draw_##T(const T* scores, const double* uniform, int64_t rows, int64_t vocab_size, int threads,    \
                             int64_t* token, float* logp) {                                                            \
        draw(scores, uniform, rows, vocab_size, threads, token, logp);                                                 \
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
                           const int64_t* positions, const int64_t* slot, const int64_t* page, const int64_t* offset,
                           const bf16* cosine, const bf16* sine, int64_t n, int64_t hidden, int64_t inner,
                           int64_t slots, int64_t heads, int64_t groups, int64_t width, float eps, float scaling,
                           int64_t window, int threads) {
    layer({norm, query, key, value, query_norm, key_norm, out, second_norm, gate, up, down, keys, values, eps, scaling,
           window},
          {n, hidden, inner, slots, heads, groups, width}, {positions, slot, page, offset, cosine, sine}, threads, x);
}
#endif
