// What training does between the matrix products of a decoder and after the last one, in one pass over memory each, on a
// CPU. Sampling's own is in decode_step.cpp.
//
// Legend: N tokens, W words of the vocabulary.

#include <algorithm>

#include "elementwise.hpp"

namespace {

constexpr int BLOCK = 256;  // words whose odds are summed in float32; the blocks' sums are float64

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
    }

EXPORT(float)
EXPORT(bf16)
