// What training computes between the matrix products of a decoder and after the last one, on a CPU: norm, rotary
// embedding, gate, and the softmax over the vocabulary. decode_step.cpp has what sampling needs.
//
// Legend: N tokens, W vocabulary entries of a tile.

#include <algorithm>

#include "elementwise.hpp"

namespace {

constexpr int BLOCK = 256;  // entries that are summed in float32; the sum over blocks is float64

// Folds a vocabulary tile of logits [N, W] into the running softmax statistics of each token [N]. With
// score = logit / tau and weight = exp(score - maximum) they are the maximum, the sum of weight, the sum of
// weight * score, and the score of the target, if its column is in this tile.
template <class T>
void accumulate_tile(const T* logits, const float* tau, const int64_t* target, int64_t tokens, int64_t width,
                     int threads, float* maximum, float* sum_exp, float* sum_exp_score, float* target_score) {
#pragma omp parallel for num_threads(threads)
    for (int64_t token = 0; token < tokens; ++token) {
        const T* logit = logits + token * width;
        const float divisor = tau[token];
        float highest = -INFINITY;
#pragma omp simd reduction(max : highest)
        for (int64_t column = 0; column < width; ++column)
            highest = widen(logit[column]) > highest ? widen(logit[column]) : highest;
        highest = std::max(maximum[token], highest / divisor);
        const float rescale = fast_exp(maximum[token] - highest);
        double total = 0, weighted_total = 0;
        for (int64_t first = 0; first < width; first += BLOCK) {
            const int64_t last = std::min<int64_t>(first + BLOCK, width);
            float sum = 0, weighted = 0;
#pragma omp simd reduction(+ : sum, weighted)
            for (int64_t column = first; column < last; ++column) {
                const float score = widen(logit[column]) / divisor, weight = fast_exp_or_zero(score - highest);
                sum += weight;
                weighted += weight > 0 ? weight * score : 0;
            }
            total += sum;
            weighted_total += weighted;
        }
        maximum[token] = highest;
        sum_exp[token] = sum_exp[token] * rescale + float(total);
        sum_exp_score[token] = sum_exp_score[token] * rescale + float(weighted_total);
        if (target[token] >= 0 && target[token] < width) target_score[token] = widen(logit[target[token]]) / divisor;
    }
}

// Overwrites the logits [N, W] of a tile with their gradient (onehot - p) dlogp - p (log p + entropy) dentropy. The
// gradients of log-prob and entropy [N] come divided by tau; logsumexp [N] is that of all scores.
template <class T>
void tile_backward(const float* tau, const int64_t* target, const float* logsumexp, const float* entropy,
                   const float* dlogp, const float* dentropy, int64_t tokens, int64_t width, int threads, T* logits) {
#pragma omp parallel for num_threads(threads)
    for (int64_t token = 0; token < tokens; ++token) {
        T* logit = logits + token * width;
        const float divisor = tau[token], normaliser = logsumexp[token], of_logp = dlogp[token];
        const float of_entropy = dentropy[token], h = entropy[token];
        const auto gradient = [=](T x) {
            float log_p = widen(x) / divisor - normaliser;
            log_p = log_p < -1e30f ? -1e30f : log_p;  // keeps 0 * -inf, of an impossible token, from being NaN
            return -fast_exp_or_zero(log_p) * (of_logp + of_entropy * (log_p + h));
        };
        const bool inside = target[token] >= 0 && target[token] < width;
        const float at_target = inside ? gradient(logit[target[token]]) + of_logp : 0;
#pragma omp simd
        for (int64_t column = 0; column < width; ++column) narrow(gradient(logit[column]), logit[column]);
        if (inside) narrow(at_target, logit[target[token]]);
    }
}

}  // namespace

// ---- the entry points for each type, called by fused.py, which checks shapes and types

#define EXPORT(T)                                                                                                      \
    extern "C" void rms_norm_##T(const T* x, const T* weight, int64_t rows, int64_t width, float eps, int threads,     \
                                 T* out, float* scale) {                                                               \
        rms_norm(x, weight, rows, width, eps, threads, out, scale);                                                    \
    }                                                                                                                  \
    extern "C" void rms_norm_backward_##T(const T* x, const T* weight, const float* scale, const T* dy, int64_t rows,  \
                                          int64_t width, int threads, T* dx, float* dweight) {                         \
        rms_norm_backward(x, weight, scale, dy, rows, width, threads, dx, dweight);                                    \
    }                                                                                                                  \
    extern "C" void rotate_##T(const T* x, const T* cosine, const T* sine, int64_t n, int64_t heads, int64_t width,    \
                               int threads, T* out) {                                                                  \
        rotate(x, cosine, sine, n, heads, width, threads, out);                                                        \
    }                                                                                                                  \
    extern "C" void gated_##T(const T* gate, const T* up, int64_t count, int threads, T* out) {                        \
        gated(gate, up, count, threads, out);                                                                          \
    }                                                                                                                  \
    extern "C" void gated_backward_##T(const T* gate, const T* up, const T* dy, int64_t count, int threads, T* dgate,  \
                                       T* dup) {                                                                       \
        gated_backward(gate, up, dy, count, threads, dgate, dup);                                                      \
    }                                                                                                                  \
    extern "C" void accumulate_tile_##T(const T* logits, const float* tau, const int64_t* target, int64_t n,           \
                                        int64_t width, int threads, float* maximum, float* sum_exp,                    \
                                        float* sum_exp_score, float* target_score) {                                   \
        accumulate_tile(logits, tau, target, n, width, threads, maximum, sum_exp, sum_exp_score, target_score);        \
    }                                                                                                                  \
    extern "C" void tile_backward_##T(T* logits, const float* tau, const int64_t* target, const float* logsumexp,      \
                                      const float* entropy, const float* dlogp, const float* dentropy, int64_t n,      \
                                      int64_t width, int threads) {                                                    \
        tile_backward(tau, target, logsumexp, entropy, dlogp, dentropy, n, width, threads, logits);                    \
    }

EXPORT(float)
EXPORT(bf16)
