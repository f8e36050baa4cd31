// Products of small float32 matrices that stay in the cache of a core.

#pragma once

#include <algorithm>
#include <vector>

#include "numbers.hpp"

namespace {

#ifdef __AVX512F__
constexpr int HEIGHT = 8, VECTORS = 2;  // of a tile: sums and operands fill the registers
#else
constexpr int HEIGHT = 4, VECTORS = 1;
#endif

struct Matrix {
    float* data;
    int64_t row_stride;
    int64_t column_stride = 1;

    Matrix at(int64_t r, int64_t c) const {
        return {data + r * row_stride + c * column_stride, row_stride, column_stride};
    }
    Matrix transposed() const { return {data, column_stride, row_stride}; }
};

inline Floats load_floats(const float* from) {
    Floats to;
    std::memcpy(&to, from, sizeof to);
    return to;
}

// C [HEIGHT, 16 V] += A [HEIGHT, depth] B [depth, 16 V].
template <int V>
void add_tile(Matrix a, Matrix b, int64_t depth, Matrix c) {
    Floats sum[HEIGHT][V];
    for (int r = 0; r < HEIGHT; ++r)
        for (int v = 0; v < V; ++v) sum[r][v] = load_floats(c.at(r, v * LANES).data);
    for (int64_t k = 0; k < depth; ++k) {
        Floats right[V];
        for (int v = 0; v < V; ++v) right[v] = load_floats(b.at(k, v * LANES).data);
        for (int r = 0; r < HEIGHT; ++r)
            for (int v = 0; v < V; ++v) sum[r][v] += *a.at(r, k).data * right[v];
    }
    for (int r = 0; r < HEIGHT; ++r)
        for (int v = 0; v < V; ++v) std::memcpy(c.at(r, v * LANES).data, &sum[r][v], sizeof sum[r][v]);
}

// C += A B. Rows are a multiple of HEIGHT, columns of 16; the columns of B and C are contiguous.
void add_product(Matrix a, Matrix b, int64_t rows, int64_t columns, int64_t depth, Matrix c) {
    for (int64_t column = 0; column < columns;) {
        const int64_t vectors = std::min<int64_t>((columns - column) / LANES, VECTORS);
        const auto add = vectors == 1 ? add_tile<1> : add_tile<VECTORS>;
        for (int64_t row = 0; row < rows; row += HEIGHT) add(a.at(row, 0), b.at(0, column), depth, c.at(row, column));
        column += vectors * LANES;
    }
}

// A matrix that one thread owns.
struct Scratch : Matrix {
    std::vector<float> memory;

    Scratch(int64_t rows, int64_t width) : Matrix{nullptr, width}, memory(rows * width) { data = memory.data(); }

    void clear(int64_t rows, int64_t columns) {
        for (int64_t r = 0; r < rows; ++r) std::fill_n(at(r, 0).data, columns, 0.f);
    }
};

}  // namespace
