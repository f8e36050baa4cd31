// The product of few tokens with a matrix in bfloat16, for processors with AVX512-BF16.

#pragma once

#include <immintrin.h>

#include <algorithm>
#include <vector>

#include "numbers.hpp"

namespace {

// The processor multiplies pairs of neighbouring inputs for 16 outputs at once. Libraries copy the whole matrix into
// that order beforehand. Here each thread transposes a panel of a few kilobytes at a time, and uses it for all tokens.
constexpr int PAIRS = 96, OUTPUTS = 2 * LANES;  // of a panel

// Exchanges one bit of the row index with the same bit of the column index: a step of a transposition.
template <int BIT>
inline void exchange(__m512i (&x)[LANES]) {
    UInts low, high;
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

// Transposes 16 pairs of 16 outputs: pair j of output i becomes output i of pair j.
inline void transpose_pairs(const bf16* from, int64_t inputs, float* to) {
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

// Adds the products of R tokens with a panel to their sums [R, OUTPUTS]. Meanwhile it prefetches 16 rows from `ahead`.
template <int R>
inline void multiply(const bf16* x, int64_t inputs, const float* panel, int pairs, float* sums, const bf16* ahead) {
    constexpr int LINE = 32, LINES = 2 * PAIRS / LINE;  // numbers of a cache line, and lines of a row
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
            int pair_bits;
            std::memcpy(&pair_bits, x + r * inputs + 2 * pair, sizeof pair_bits);
            const auto inputs_pair = __m512bh(_mm512_set1_epi32(pair_bits));
            sum[r][0] = _mm512_dpbf16_ps(sum[r][0], inputs_pair, even);
            sum[r][1] = _mm512_dpbf16_ps(sum[r][1], inputs_pair, odd);
        }
    }
    for (int r = 0; r < R; ++r) {
        _mm512_storeu_ps(sums + r * OUTPUTS, sum[r][0]);
        _mm512_storeu_ps(sums + r * OUTPUTS + LANES, sum[r][1]);
    }
}

// out [N, O] = x [N, I] times weight [O, I] transposed. I and O are multiples of 32. The result of a token does not
// depend on the other tokens.
void linear(const bf16* x, const bf16* weight, int64_t tokens, int64_t inputs, int64_t outputs, int threads,
            bf16* out) {
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
                        transpose_pairs(weight + (first + o) * inputs + input + 2 * pair, inputs,
                                        panel + pair * OUTPUTS + o);
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

}  // namespace
