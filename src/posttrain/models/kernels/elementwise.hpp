// RMS norm, rotary embedding and gated activation of a decoder, forward and backward. Each reads memory once.
//
// Sums are float32; bfloat16 is rounded where torch rounds it, so that training and sampling agree. Every number is
// computed by one thread, in an order that depends on the machine alone.
//
// Legend: N tokens, H heads, D width.

#pragma once

#include <algorithm>

#include "numbers.hpp"

namespace {

// out = x [N, D] scale [N] weight [D] with scale = 1 / sqrt(mean(x^2) + eps).
template <class T>
void rms_norm(const T* x, const T* weight, int64_t rows, int64_t width, float eps, int threads, T* out, float* scale) {
#pragma omp parallel for num_threads(threads)
    for (int64_t row = 0; row < rows; ++row) {
        const T* from = x + row * width;
        T* to = out + row * width;
        float squares = 0;
#pragma omp simd reduction(+ : squares)
        for (int64_t i = 0; i < width; ++i) squares += widen(from[i]) * widen(from[i]);
        const float s = scale[row] = 1 / std::sqrt(squares / width + eps);
#pragma omp simd
        for (int64_t i = 0; i < width; ++i) narrow(round_to<T>(widen(from[i]) * s) * widen(weight[i]), to[i]);
    }
}

// With u = x scale and g = dy weight: dx = scale (g - u mean(g u)) [N, D], dweight = sum(dy u) [D].
template <class T>
void rms_norm_backward(const T* x, const T* weight, const float* scale, const T* dy, int64_t rows, int64_t width,
                       int threads, T* dx, float* dweight) {
#pragma omp parallel for num_threads(threads)
    for (int64_t row = 0; row < rows; ++row) {
        const T *from = x + row * width, *grad = dy + row * width;
        T* to = dx + row * width;
        const float s = scale[row];
        float dot = 0;
#pragma omp simd reduction(+ : dot)
        for (int64_t i = 0; i < width; ++i) dot += widen(grad[i]) * widen(weight[i]) * widen(from[i]);
        const float coefficient = dot * s * s / width;
#pragma omp simd
        for (int64_t i = 0; i < width; ++i)
            narrow(s * (widen(grad[i]) * widen(weight[i]) - widen(from[i]) * coefficient), to[i]);
    }
    constexpr int64_t COLUMNS = 64;
#pragma omp parallel for num_threads(threads)
    for (int64_t first = 0; first < width; first += COLUMNS) {
        const int64_t last = std::min(first + COLUMNS, width);
        std::fill(dweight + first, dweight + last, 0);
        for (int64_t row = 0; row < rows; ++row)
#pragma omp simd
            for (int64_t i = first; i < last; ++i)
                dweight[i] += widen(dy[row * width + i]) * widen(x[row * width + i]) * scale[row];
    }
}

// Rotary embedding of heads [N, H, D] by angles with cosine and sine [N, D]: dimension i pairs with dimension i + D/2.
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
        for (int64_t d = 0; d < half; ++d) {  // in two steps, since `out` may be `x`
            const float l = widen(left[d]), r = widen(right[d]);
            narrow(l * widen(c[d]) - r * widen(s[d]), to[d]);
            narrow(r * widen(c[d]) + l * widen(s[d]), to_right[d]);
        }
    }
}

// Calls `body(first, size)` for chunks of `count` elements, small enough that intermediate values stay in the L1 cache.
// A single loop with an exponential and a division would take three times as long.
constexpr int64_t CHUNK = 128;

template <class Body>
void for_chunks(int64_t count, int threads, Body body) {
#pragma omp parallel for num_threads(threads)
    for (int64_t first = 0; first < count; first += CHUNK) body(first, std::min(CHUNK, count - first));
}

// silu(gate) * up, rounded where torch rounds it. `out` may be `gate`.
template <class T>
void gated(const T* gate, const T* up, int64_t count, int threads, T* out) {
    for_chunks(count, threads, [=](int64_t first, int64_t size) {
        const T *g = gate + first, *u = up + first;
        T* to = out + first;
        float divisor[CHUNK];
#pragma omp simd
        for (int64_t i = 0; i < size; ++i) divisor[i] = 1 + fast_exp(-widen(g[i]));
#pragma omp simd
        for (int64_t i = 0; i < size; ++i) narrow(round_to<T>(widen(g[i]) / divisor[i]) * widen(u[i]), to[i]);
    });
}

// With s = 1 / (1 + e^-gate): dup = dy silu(gate), dgate = dy up s (1 + gate (1 - s)).
template <class T>
void gated_backward(const T* gate, const T* up, const T* dy, int64_t count, int threads, T* dgate, T* dup) {
    for_chunks(count, threads, [=](int64_t first, int64_t size) {
        const T *g = gate + first, *u = up + first, *grad = dy + first;
        T *to_gate = dgate + first, *to_up = dup + first;
        float divisor[CHUNK];
#pragma omp simd
        for (int64_t i = 0; i < size; ++i) divisor[i] = 1 + fast_exp(-widen(g[i]));
#pragma omp simd
        for (int64_t i = 0; i < size; ++i) {
            const float x = widen(g[i]), y = widen(grad[i]), s = 1 / divisor[i];
            narrow(y * round_to<T>(x / divisor[i]), to_up[i]);
            narrow(round_to<T>(y * widen(u[i])) * s * (1 + x * (1 - s)), to_gate[i]);
        }
    });
}

}  // namespace
