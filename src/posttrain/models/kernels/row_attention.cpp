// Causal attention of rows of flat tokens on a CPU, forward and backward: each row sees itself and a prefix, which rows
// may share.
//
// Libraries want rows of equal length: sequences are gathered into padded blocks with a mask, and scores are computed
// only to be masked out. Here a row is four integers, and no token is copied to a padded block. Products are float32,
// tiled to stay in the cache of a core, by one kernel that accumulates in registers. Every number is computed by one
// thread, in an order that depends on the rows alone.
//
// Legend: N tokens, H query heads, G key-value heads, D head width, K keys of a row, T query tokens of a tile.

#include <algorithm>
#include <vector>

#include "products.hpp"

namespace {

// ---- rows and their tokens

struct Shape {
    int64_t heads, groups, width, window;
    float scaling;
};

inline int64_t round_up(int64_t count, int64_t unit) { return (count + unit - 1) / unit * unit; }

// The queries are `length` tokens from `start`. The keys are the prefix, that is `prefix_length` tokens from
// `prefix_start`, and then the row's own tokens.
struct Row {
    int64_t prefix_start, prefix_length, start, length;

    int64_t keys() const { return prefix_length + length; }
    int64_t token(int64_t key) const { return key < prefix_length ? prefix_start + key : start + key - prefix_length; }
};

constexpr int64_t TOKENS = 32;  // T

// Query tokens of a row. The keys that they see begin at `from` and end before `to`, both multiples of 16.
struct QueryTile {
    int64_t start, count, padded_count, position, from, to;  // position of the first token among the keys

    QueryTile(const Row& row, int64_t first, int64_t window)
        : start(row.start + first),
          count(std::min(TOKENS, row.length - first)),
          padded_count(round_up(count, HEIGHT)),
          position(row.prefix_length + first),
          from(std::max<int64_t>(0, position + 1 - window) / LANES * LANES),
          to(round_up(position + count, LANES)) {}
};

// Copies heads [D], times a factor, to the rows of a matrix. Row r gets head `index(r)`; rows from `count` on get 0.
template <class T, class Index>
void gather_heads(const T* heads, Index index, int64_t count, int64_t rows, int64_t width, float factor, Matrix to) {
    for (int64_t r = 0; r < count; ++r) {
        const T* head = heads + index(r) * width;
        float* row = to.at(r, 0).data;
        if (to.column_stride == 1)
            for (int64_t d = 0; d < width; ++d) row[d] = widen(head[d]) * factor;
        else
            for (int64_t d = 0; d < width; ++d) row[d * to.column_stride] = widen(head[d]) * factor;
    }
    for (int64_t r = count; r < rows; ++r)
        for (int64_t d = 0; d < width; ++d) *to.at(r, d).data = 0;
}

// What one thread needs: it handles one row and key-value head at a time, and within it one query tile and head.
template <class T>
struct Worker {
    const T *query, *key, *value;
    const Shape& shape;
    Scratch transposed_keys, values, queries, weights;  // [D, K], [K, D], [T, D], [T, K]

    Worker(const T* query, const T* key, const T* value, const Shape& shape, int64_t keys)
        : query(query),
          key(key),
          value(value),
          shape(shape),
          transposed_keys(shape.width, round_up(keys, LANES)),
          values(round_up(keys, LANES), shape.width),
          queries(TOKENS, shape.width),
          weights(TOKENS, round_up(keys, LANES)) {}

    void gather_keys(const T* from, const Row& row, int64_t group, Matrix to) const {
        const auto index = [&](int64_t k) { return row.token(k) * shape.groups + group; };
        gather_heads(from, index, row.keys(), round_up(row.keys(), LANES), shape.width, 1, to);
    }

    void gather_queries(const T* from, const QueryTile& tile, int64_t head, float factor, Matrix to) const {
        const auto index = [&](int64_t t) { return (tile.start + t) * shape.heads + head; };
        gather_heads(from, index, tile.count, tile.padded_count, shape.width, factor, to);
    }

    void load_row(const Row& row, int64_t group) {
        gather_keys(key, row, group, transposed_keys.transposed());
        gather_keys(value, row, group, values);
    }

    // Writes one head of the tokens of a tile, times a factor.
    void scatter_queries(Matrix from, const QueryTile& tile, int64_t head, float factor, T* to) const {
        for (int64_t t = 0; t < tile.count; ++t) {
            const float* row = from.at(t, 0).data;
            T* token = to + ((tile.start + t) * shape.heads + head) * shape.width;
            for (int64_t d = 0; d < shape.width; ++d) narrow(row[d] * factor, token[d]);
        }
    }

    // Fills `queries` and, with their scores before the softmax, `weights`.
    void compute_scores(const QueryTile& tile, int64_t head) {
        gather_queries(query, tile, head, shape.scaling, queries);
        weights.clear(tile.padded_count, tile.to);
        add_product(queries, transposed_keys.at(0, tile.from), tile.padded_count, tile.to - tile.from, shape.width,
                    weights.at(0, tile.from));
    }

    // The scores of token t, with -inf for the keys that it does not see.
    float* masked_scores(const QueryTile& tile, int64_t t) {
        float* score = weights.at(t, 0).data;
        const int64_t last = tile.position + t, first = std::max<int64_t>(0, last + 1 - shape.window);
        for (int64_t k = tile.from; k < tile.to; ++k) score[k] = k < first || k > last ? -INFINITY : score[k];
        return score;
    }
};

// The largest number of keys of a row.
inline int64_t max_keys(const Row* rows, int64_t count) {
    int64_t keys = 0;
    for (int64_t r = 0; r < count; ++r) keys = std::max(keys, rows[r].keys());
    return keys;
}

// ---- forward

// Query [N, H, D], key and value [N, G, D] -> out [N, H, D] and the log-sum-exp of each query's scores [N, H].
template <class T>
void forward(const T* query, const T* key, const T* value, const Row* rows, int64_t count, const Shape& shape,
             int threads, T* out, float* logsumexp) {
    const int64_t longest = max_keys(rows, count), shared = shape.heads / shape.groups, width = shape.width;
#pragma omp parallel num_threads(threads)
    {
        Worker<T> work(query, key, value, shape, longest);
        Scratch attended(TOKENS, width);
#pragma omp for schedule(dynamic)
        for (int64_t task = 0; task < count * shape.groups; ++task) {
            const Row& row = rows[task / shape.groups];
            const int64_t group = task % shape.groups;
            work.load_row(row, group);
            for (int64_t first = 0; first < row.length; first += TOKENS)
                for (int64_t head = group * shared; head < (group + 1) * shared; ++head) {
                    const QueryTile tile(row, first, shape.window);
                    work.compute_scores(tile, head);
                    for (int64_t t = 0; t < tile.count; ++t) {
                        float* weight = work.masked_scores(tile, t);
                        float maximum = -INFINITY, sum = 0;
#pragma omp simd reduction(max : maximum)
                        for (int64_t k = tile.from; k < tile.to; ++k)
                            maximum = weight[k] > maximum ? weight[k] : maximum;
#pragma omp simd reduction(+ : sum)
                        for (int64_t k = tile.from; k < tile.to; ++k)
                            sum += weight[k] = fast_exp_or_zero(weight[k] - maximum);
#pragma omp simd
                        for (int64_t k = tile.from; k < tile.to; ++k) weight[k] /= sum;
                        logsumexp[(tile.start + t) * shape.heads + head] = maximum + std::log(sum);
                    }
                    attended.clear(tile.padded_count, width);
                    add_product(work.weights.at(0, tile.from), work.values.at(tile.from, 0), tile.padded_count, width,
                                tile.to - tile.from, attended);
                    work.scatter_queries(attended, tile, head, 1, out);
                }
        }
    }
}

// ---- backward

// With O = W V and dW = dO Vᵀ: dV = Wᵀ dO, dS = W (dW - sum(W dW)), dQ = scaling dS K, dK = dSᵀ (scaling Q).
// The gradients dK and dV of each row go to row_grads [keys of all rows, 2, G, D].
template <class T>
void backward_rows(const T* query, const T* key, const T* value, const float* logsumexp, const T* dout,
                   const Row* rows, int64_t count, const Shape& shape, int threads, T* dquery, float* row_grads) {
    const int64_t longest = max_keys(rows, count), shared = shape.heads / shape.groups, width = shape.width;
    std::vector<int64_t> offset(count + 1);
    for (int64_t r = 0; r < count; ++r) offset[r + 1] = offset[r] + rows[r].keys();
#pragma omp parallel num_threads(threads)
    {
        Worker<T> work(query, key, value, shape, longest);
        const int64_t padded = round_up(longest, LANES);
        Scratch keys(padded, width), transposed_values(width, padded), douts(TOKENS, width), dweights(TOKENS, padded);
        Scratch dqueries(TOKENS, width), dkeys(padded, width), dvalues(padded, width);
#pragma omp for schedule(dynamic)
        for (int64_t task = 0; task < count * shape.groups; ++task) {
            const Row& row = rows[task / shape.groups];
            const int64_t group = task % shape.groups;
            work.load_row(row, group);
            work.gather_keys(key, row, group, keys);
            work.gather_keys(value, row, group, transposed_values.transposed());
            for (auto* x : {&dkeys, &dvalues}) x->clear(round_up(row.keys(), LANES), width);
            for (int64_t first = 0; first < row.length; first += TOKENS)
                for (int64_t head = group * shared; head < (group + 1) * shared; ++head) {
                    const QueryTile tile(row, first, shape.window);
                    const int64_t from = tile.from, visible = tile.to - from;
                    work.compute_scores(tile, head);
                    work.gather_queries(dout, tile, head, 1, douts);
                    dweights.clear(tile.padded_count, tile.to);
                    add_product(douts, transposed_values.at(0, from), tile.padded_count, visible, width,
                                dweights.at(0, from));
                    for (int64_t t = 0; t < tile.count; ++t) {
                        float *weight = work.masked_scores(tile, t), *dweight = dweights.at(t, 0).data, dot = 0;
                        const float normaliser = logsumexp[(tile.start + t) * shape.heads + head];
#pragma omp simd reduction(+ : dot)
                        for (int64_t k = from; k < tile.to; ++k) {
                            weight[k] = fast_exp_or_zero(weight[k] - normaliser);
                            dot += weight[k] * dweight[k];
                        }
#pragma omp simd
                        for (int64_t k = from; k < tile.to; ++k) dweight[k] = weight[k] * (dweight[k] - dot);
                    }
                    dqueries.clear(tile.padded_count, width);
                    add_product(dweights.at(0, from), keys.at(from, 0), tile.padded_count, width, visible, dqueries);
                    work.scatter_queries(dqueries, tile, head, shape.scaling, dquery);
                    const Matrix weights = work.weights.at(0, from).transposed();
                    const Matrix dscores = dweights.at(0, from).transposed();
                    add_product(weights, douts, visible, width, tile.count, dvalues.at(from, 0));
                    add_product(dscores, work.queries, visible, width, tile.count, dkeys.at(from, 0));
                }
            for (int64_t k = 0; k < row.keys(); ++k) {
                float* to = row_grads + ((offset[task / shape.groups] + k) * 2 * shape.groups + group) * width;
                std::memcpy(to, dkeys.at(k, 0).data, width * sizeof(float));
                std::memcpy(to + shape.groups * width, dvalues.at(k, 0).data, width * sizeof(float));
            }
        }
    }
}

// Sums the gradients that the rows have for each token, row by row: dkey and dvalue [N, G, D].
template <class T>
void sum_rows(const float* row_grads, const Row* rows, int64_t count, const Shape& shape, int64_t tokens, int threads,
              T* dkey, T* dvalue) {
    constexpr int64_t COLUMNS = LANES;  // of one head
    const int64_t width = shape.groups * shape.width;
#pragma omp parallel for num_threads(threads)
    for (int64_t column = 0; column < 2 * width; column += COLUMNS) {
        std::vector<float> sums(tokens * COLUMNS);
        const float* grad = row_grads + column;
        for (const Row* row = rows; row < rows + count; ++row)
            for (int64_t k = 0; k < row->keys(); ++k, grad += 2 * width) {
                float* sum = &sums[row->token(k) * COLUMNS];
                for (int64_t i = 0; i < COLUMNS; ++i) sum[i] += grad[i];
            }
        T* to = column < width ? dkey + column : dvalue + column - width;
        for (int64_t token = 0; token < tokens; ++token)
            for (int64_t i = 0; i < COLUMNS; ++i) narrow(sums[token * COLUMNS + i], to[token * width + i]);
    }
}

}  // namespace

// ---- the entry points for each type, called by row_attention.py, which checks shapes and types

#define EXPORT(T)                                                                                                      \
    extern "C" void forward_##T(const T* query, const T* key, const T* value, const Row* rows, int64_t count,          \
                                int64_t heads, int64_t groups, int64_t width, int64_t window, float scaling,           \
                                int threads, T* out, float* logsumexp) {                                               \
        forward(query, key, value, rows, count, {heads, groups, width, window, scaling}, threads, out, logsumexp);     \
    }                                                                                                                  \
    extern "C" void backward_##T(const T* query, const T* key, const T* value, const Row* rows, int64_t count,         \
                                 int64_t heads, int64_t groups, int64_t width, int64_t window, float scaling,          \
                                 int threads, const float* logsumexp, const T* dout, int64_t tokens,                   \
                                 float* row_grads, T* dquery, T* dkey, T* dvalue) {                                    \
        const Shape shape{heads, groups, width, window, scaling};                                                      \
        backward_rows(query, key, value, logsumexp, dout, rows, count, shape, threads, dquery, row_grads);             \
        sum_rows(row_grads, rows, count, shape, tokens, threads, dkey, dvalue);                                        \
    }

EXPORT(float)
EXPORT(bf16)
