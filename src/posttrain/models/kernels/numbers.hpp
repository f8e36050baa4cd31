// Numbers of two types, one at a time and 32 at once.

#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace {

struct bf16 {
    uint16_t bits;
};

template <class To, class From>
inline To same_bits(const From& from) {
    To to;
    static_assert(sizeof to == sizeof from, "bits are neither added nor lost");
    std::memcpy(&to, &from, sizeof to);
    return to;
}

inline float wide(float x) { return x; }
inline float wide(bf16 x) { return same_bits<float>(uint32_t(x.bits) << 16); }

inline void narrow(float x, float& to) { to = x; }
inline void narrow(float x, bf16& to) {  // to the nearest, ties to even; what is not a number has no low bits here
    uint32_t bits = same_bits<uint32_t>(x);
    to.bits = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

template <class T>
inline float rounded(float x) {
    T to;
    narrow(x, to);
    return wide(to);
}

// e^x to 2e-7 of itself: 2^n by its exponent, the rest by the polynomial of Cephes. What is not a number stays so.
inline float exponential(float x) {
    x = x < -87.f ? -87.f : x;
    x = x > 88.f ? 88.f : x;
    const float integers = 12582912.f;  // 1.5 * 2^23: from here on floats are whole
    float shifted = x * 1.44269504089f + integers, n = shifted - integers;
    float r = x - n * 0.693145751953125f - n * 1.428606765330187e-06f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.f;
    return same_bits<float>(same_bits<uint32_t>(p) + (same_bits<uint32_t>(shifted) << 23));
}

// The same for weights: those that are 0 are exactly 0.
inline float odds(float x) { return x < -87.f ? 0 : exponential(x); }

// 32 numbers at once. Those of bfloat16 are widened without a shuffle: even ones to `low`, odd ones to `high`.

constexpr int LANES = 16, BOTH = 2 * LANES;
typedef float Floats __attribute__((vector_size(4 * LANES)));
typedef uint32_t Words __attribute__((vector_size(4 * LANES)));

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
    Words both;
    std::memcpy(&both, from, sizeof both);
    return {same_bits<Floats>(both << 16), same_bits<Floats>(both & 0xffff0000)};
}

// The numbers in their order again. The unused pointer tells how they were loaded.
inline void store(const float*, const Vector& from, float* to) { std::memcpy(to, &from, sizeof from); }
inline void store(const bf16*, const Vector& from, float* to) {
    for (int i = 0; i < LANES; ++i) {
        to[2 * i] = from.low[i];
        to[2 * i + 1] = from.high[i];
    }
}

}  // namespace
