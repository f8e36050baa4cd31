// float and bfloat16 numbers, one at a time and 32 at once.

#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace {

struct bf16 {
    uint16_t bits;
};

template <class To, class From>
inline To bit_cast(const From& from) {
    To to;
    static_assert(sizeof to == sizeof from, "the types have the same size");
    std::memcpy(&to, &from, sizeof to);
    return to;
}

inline float widen(float x) { return x; }
inline float widen(bf16 x) { return bit_cast<float>(uint32_t(x.bits) << 16); }

inline void narrow(float x, float& to) { to = x; }
inline void narrow(float x, bf16& to) {  // to the nearest, ties to even; no NaN comes with low bits
    uint32_t bits = bit_cast<uint32_t>(x);
    to.bits = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

template <class T>
inline float round_to(float x) {
    T to;
    narrow(x, to);
    return widen(to);
}

// e^x with a relative error of 2e-7: 2^n by the exponent bits, the rest by the polynomial of Cephes. NaN stays NaN.
inline float fast_exp(float x) {
    x = x < -87.f ? -87.f : x;
    x = x > 88.f ? 88.f : x;
    const float integers = 12582912.f;  // 1.5 * 2^23: floats of this size are integers
    float shifted = x * 1.44269504089f + integers, n = shifted - integers;
    float r = x - n * 0.693145751953125f - n * 1.428606765330187e-06f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.f;
    return bit_cast<float>(bit_cast<uint32_t>(p) + (bit_cast<uint32_t>(shifted) << 23));
}

// The same, but exactly 0 where e^x underflows: a masked key gets no weight at all.
inline float fast_exp_or_zero(float x) { return x < -87.f ? 0 : fast_exp(x); }

// 32 numbers at once. bfloat16 is widened without a shuffle: even elements go to `low`, odd ones to `high`.

constexpr int LANES = 16, VECTOR = 2 * LANES;
typedef float Floats __attribute__((vector_size(4 * LANES)));
typedef uint32_t UInts __attribute__((vector_size(4 * LANES)));

struct Vector {
    Floats low, high;

    void add(float factor, const Vector& x) {
        low += factor * x.low;
        high += factor * x.high;
    }
    void scale(float factor) {
        low *= factor;
        high *= factor;
    }
};

inline Vector load(const float* from) {
    Vector to;
    std::memcpy(&to, from, sizeof to);
    return to;
}
inline Vector load(const bf16* from) {
    UInts pairs;
    std::memcpy(&pairs, from, sizeof pairs);
    return {bit_cast<Floats>(pairs << 16), bit_cast<Floats>(pairs & 0xffff0000)};
}

// Stores the elements in their original order. The unused pointer says by its type how they were loaded.
inline void store(const float*, const Vector& from, float* to) { std::memcpy(to, &from, sizeof from); }
inline void store(const bf16*, const Vector& from, float* to) {
    for (int i = 0; i < LANES; ++i) {
        to[2 * i] = from.low[i];
        to[2 * i + 1] = from.high[i];
    }
}

}  // namespace
