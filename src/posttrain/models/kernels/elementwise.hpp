// Norm, rotation and gate of a decoder in one pass over memory each, forward and backward.
//
// Sums are float32; bfloat16 is rounded where torch rounds it, so that training and sampling agree. Every number is
// computed by one thread, in an order that the machine alone decides.
//
// Legend: N tokens, H heads, D width.

#pragma once

#include <algorithm>

#include "numbers.hpp"

namespace {

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

}  // namespace
