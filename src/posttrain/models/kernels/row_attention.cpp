// Attention of rows over themselves and the prefix they share, where the tokens lie, forward and backward, on a CPU.
//
// Libraries want rows of one length: sequences are gathered into padded blocks, with a mask, and scores are written
// that nobody may see. Here a row is four numbers. Products are float32, in pieces that stay in the cache of a core, by
// one small product that adds up in registers. Every number is computed by one thread, in an order that the rows alone
// decide.
//
// Legend: N tokens, H query heads, G key-value heads, D head width, K keys of a row, T tokens taken at once.

#include <algorithm>
#include <vector>

#include "numbers.hpp"

namespace {

// ---- products

#ifdef __AVX512F__
constexpr int HEIGHT = 8, VECTORS = 2;  // of a tile: as many sums as registers hold with what is added
#else
constexpr int HEIGHT = 4, VECTORS = 1;
#endif

struct Matrix {
    float* numbers;
    int64_t row;       // distance of two rows
    int64_t step = 1;  // and of two numbers of a row

    Matrix at(int64_t r, int64_t c) const { return {numbers + r * row + c * step, row, step}; }
    Matrix turned() const { return {numbers, step, row}; }
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
        for (int v = 0; v < V; ++v) sum[r][v] = load_floats(c.at(r, v * LANES).numbers);
    for (int64_t k = 0; k < depth; ++k) {
        Floats right[V];
        for (int v = 0; v < V; ++v) right[v] = load_floats(b.at(k, v * LANES).numbers);
        for (int r = 0; r < HEIGHT; ++r)
            for (int v = 0; v < V; ++v) sum[r][v] += *a.at(r, k).numbers * right[v];
    }
    for (int r = 0; r < HEIGHT; ++r)
        for (int v = 0; v < V; ++v) std::memcpy(c.at(r, v * LANES).numbers, &sum[r][v], sizeof sum[r][v]);
}

// C += A B. Rows are a multiple of HEIGHT, columns of 16; those of B and C lie side by side.
void add_product(Matrix a, Matrix b, int64_t rows, int64_t columns, int64_t depth, Matrix c) {
    for (int64_t column = 0; column < columns;) {
        const int64_t vectors = std::min<int64_t>((columns - column) / LANES, VECTORS);
        const auto add = vectors == 1 ? add_tile<1> : add_tile<VECTORS>;
        for (int64_t row = 0; row < rows; row += HEIGHT) add(a.at(row, 0), b.at(0, column), depth, c.at(row, column));
        column += vectors * LANES;
    }
}

// Numbers that one thread works on.
struct Scratch : Matrix {
    std::vector<float> memory;

    Scratch(int64_t rows, int64_t width) : Matrix{nullptr, width}, memory(rows * width) { numbers = memory.data(); }

    void clear(int64_t rows, int64_t columns) {
        for (int64_t r = 0; r < rows; ++r) std::fill_n(at(r, 0).numbers, columns, 0.f);
    }
};

// ---- rows and their tokens

struct Shape {
    int64_t heads, groups, width, window;
    float scaling;
};

inline int64_t whole(int64_t count, int64_t unit) { return (count + unit - 1) / unit * unit; }

// The queries are `length` tokens from `start`; the keys are `lead` tokens from `prefix`, then the row's own.
struct Row {
    int64_t prefix, lead, start, length;

    int64_t keys() const { return lead + length; }
    int64_t token(int64_t key) const { return key < lead ? prefix + key : start + key - lead; }
};

constexpr int64_t TOKENS = 32;  // T

// Some tokens of a row. The keys that they see begin at `from` and end before `to`, both multiples of 16.
struct Some {
    int64_t start, count, rows, place, from, to;

    Some(const Row& row, int64_t first, int64_t window)
        : start(row.start + first),
          count(std::min(TOKENS, row.length - first)),
          rows(whole(count, HEIGHT)),
          place(row.lead + first),  // of the first token among the keys
          from(std::max<int64_t>(0, place + 1 - window) / LANES * LANES),
          to(whole(place + count, LANES)) {}
};

// A head [D] of each token, times a factor, to the rows of a matrix, which ends with zeros.
template <class T, class Place>
void read(const T* heads, Place place, int64_t count, int64_t rows, int64_t width, float factor, Matrix to) {
    for (int64_t r = 0; r < count; ++r) {
        const T* head = heads + place(r) * width;
        float* row = to.at(r, 0).numbers;
        if (to.step == 1)
            for (int64_t d = 0; d < width; ++d) row[d] = wide(head[d]) * factor;
        else
            for (int64_t d = 0; d < width; ++d) row[d * to.step] = wide(head[d]) * factor;
    }
    for (int64_t r = count; r < rows; ++r)
        for (int64_t d = 0; d < width; ++d) *to.at(r, d).numbers = 0;
}

// One thread at a row in one group, and there at some tokens in one head.
template <class T>
struct Worker {
    const T *query, *key, *value;
    const Shape& shape;
    Scratch turned_keys, values, queries, weights;  // [D, K], [K, D], [T, D], [T, K]

    Worker(const T* query, const T* key, const T* value, const Shape& shape, int64_t keys)
        : query(query),
          key(key),
          value(value),
          shape(shape),
          turned_keys(shape.width, whole(keys, LANES)),
          values(whole(keys, LANES), shape.width),
          queries(TOKENS, shape.width),
          weights(TOKENS, whole(keys, LANES)) {}

    void read_keys(const T* from, const Row& row, int64_t group, Matrix to) const {
        const auto place = [&](int64_t k) { return row.token(k) * shape.groups + group; };
        read(from, place, row.keys(), whole(row.keys(), LANES), shape.width, 1, to);
    }

    void read_tokens(const T* from, const Some& some, int64_t head, float factor, Matrix to) const {
        const auto place = [&](int64_t t) { return (some.start + t) * shape.heads + head; };
        read(from, place, some.count, some.rows, shape.width, factor, to);
    }

    void enter(const Row& row, int64_t group) {
        read_keys(key, row, group, turned_keys.turned());
        read_keys(value, row, group, values);
    }

    // Writes one head of some tokens, times a factor.
    void write_tokens(Matrix from, const Some& some, int64_t head, float factor, T* to) const {
        for (int64_t t = 0; t < some.count; ++t) {
            const float* row = from.at(t, 0).numbers;
            T* token = to + ((some.start + t) * shape.heads + head) * shape.width;
            for (int64_t d = 0; d < shape.width; ++d) narrow(row[d] * factor, token[d]);
        }
    }

    // Queries times keys, not yet weights. The queries are kept, too.
    void score(const Some& some, int64_t head) {
        read_tokens(query, some, head, shape.scaling, queries);
        weights.clear(some.rows, some.to);
        add_product(queries, turned_keys.at(0, some.from), some.rows, some.to - some.from, shape.width,
                    weights.at(0, some.from));
    }

    // Token t's scores, of which those of keys that it does not see are minus infinity.
    float* seen(const Some& some, int64_t t) {
        float* score = weights.at(t, 0).numbers;
        const int64_t last = some.place + t, first = std::max<int64_t>(0, last + 1 - shape.window);
        for (int64_t k = some.from; k < some.to; ++k) score[k] = k < first || k > last ? -INFINITY : score[k];
        return score;
    }
};

inline int64_t longest(const Row* rows, int64_t count) {
    int64_t keys = 0;
    for (int64_t r = 0; r < count; ++r) keys = std::max(keys, rows[r].keys());
    return keys;
}

// ---- forward

// Query [N, H, D], key and value [N, G, D] -> out [N, H, D], and the logarithm of what the odds sum to: [N, H].
template <class T>
void forward(const T* query, const T* key, const T* value, const Row* rows, int64_t count, const Shape& shape,
             int threads, T* out, float* log_sum) {
    const int64_t most = longest(rows, count), shared = shape.heads / shape.groups, width = shape.width;
#pragma omp parallel num_threads(threads)
    {
        Worker<T> work(query, key, value, shape, most);
        Scratch mixed(TOKENS, width);
#pragma omp for schedule(dynamic)
        for (int64_t task = 0; task < count * shape.groups; ++task) {
            const Row& row = rows[task / shape.groups];
            const int64_t group = task % shape.groups;
            work.enter(row, group);
            for (int64_t first = 0; first < row.length; first += TOKENS)
                for (int64_t head = group * shared; head < (group + 1) * shared; ++head) {
                    const Some some(row, first, shape.window);
                    work.score(some, head);
                    for (int64_t t = 0; t < some.count; ++t) {
                        float* weight = work.seen(some, t);
                        float top = -INFINITY, sum = 0;
#pragma omp simd reduction(max : top)
                        for (int64_t k = some.from; k < some.to; ++k) top = weight[k] > top ? weight[k] : top;
#pragma omp simd reduction(+ : sum)
                        for (int64_t k = some.from; k < some.to; ++k) sum += weight[k] = odds(weight[k] - top);
#pragma omp simd
                        for (int64_t k = some.from; k < some.to; ++k) weight[k] /= sum;
                        log_sum[(some.start + t) * shape.heads + head] = top + std::log(sum);
                    }
                    mixed.clear(some.rows, width);
                    add_product(work.weights.at(0, some.from), work.values.at(some.from, 0), some.rows, width,
                                some.to - some.from, mixed);
                    work.write_tokens(mixed, some, head, 1, out);
                }
        }
    }
}

// ---- backward

// With O = W V and dW = dO Vᵀ: dV = Wᵀ dO, dS = W (dW - sum(W dW)), dQ = scaling dS K, dK = dSᵀ (scaling Q).
// What a row gives to its keys and values is written to parts [keys of all rows, 2, G, D].
template <class T>
void backward_rows(const T* query, const T* key, const T* value, const float* log_sum, const T* dout, const Row* rows,
                   int64_t count, const Shape& shape, int threads, T* dquery, float* parts) {
    const int64_t most = longest(rows, count), shared = shape.heads / shape.groups, width = shape.width;
    std::vector<int64_t> before(count + 1);
    for (int64_t r = 0; r < count; ++r) before[r + 1] = before[r] + rows[r].keys();
#pragma omp parallel num_threads(threads)
    {
        Worker<T> work(query, key, value, shape, most);
        const int64_t keys_ = whole(most, LANES);
        Scratch keys(keys_, width), turned_values(width, keys_), slopes(TOKENS, width), dweights(TOKENS, keys_);
        Scratch back(TOKENS, width), dkeys(keys_, width), dvalues(keys_, width);
#pragma omp for schedule(dynamic)
        for (int64_t task = 0; task < count * shape.groups; ++task) {
            const Row& row = rows[task / shape.groups];
            const int64_t group = task % shape.groups;
            work.enter(row, group);
            work.read_keys(key, row, group, keys);
            work.read_keys(value, row, group, turned_values.turned());
            for (auto* x : {&dkeys, &dvalues}) x->clear(whole(row.keys(), LANES), width);
            for (int64_t first = 0; first < row.length; first += TOKENS)
                for (int64_t head = group * shared; head < (group + 1) * shared; ++head) {
                    const Some some(row, first, shape.window);
                    const int64_t from = some.from, seen = some.to - from;
                    work.score(some, head);
                    work.read_tokens(dout, some, head, 1, slopes);
                    dweights.clear(some.rows, some.to);
                    add_product(slopes, turned_values.at(0, from), some.rows, seen, width, dweights.at(0, from));
                    for (int64_t t = 0; t < some.count; ++t) {
                        float *weight = work.seen(some, t), *dweight = dweights.at(t, 0).numbers, along = 0;
                        const float log = log_sum[(some.start + t) * shape.heads + head];
#pragma omp simd reduction(+ : along)
                        for (int64_t k = from; k < some.to; ++k) {
                            weight[k] = odds(weight[k] - log);
                            along += weight[k] * dweight[k];
                        }
#pragma omp simd
                        for (int64_t k = from; k < some.to; ++k) dweight[k] = weight[k] * (dweight[k] - along);
                    }
                    back.clear(some.rows, width);
                    add_product(dweights.at(0, from), keys.at(from, 0), some.rows, width, seen, back);
                    work.write_tokens(back, some, head, shape.scaling, dquery);
                    const Matrix weights = work.weights.at(0, from).turned(), dscores = dweights.at(0, from).turned();
                    add_product(weights, slopes, seen, width, some.count, dvalues.at(from, 0));
                    add_product(dscores, work.queries, seen, width, some.count, dkeys.at(from, 0));
                }
            for (int64_t k = 0; k < row.keys(); ++k) {
                float* to = parts + ((before[task / shape.groups] + k) * 2 * shape.groups + group) * width;
                std::memcpy(to, dkeys.at(k, 0).numbers, width * sizeof(float));
                std::memcpy(to + shape.groups * width, dvalues.at(k, 0).numbers, width * sizeof(float));
            }
        }
    }
}

// The sum of what the rows gave to each token, row by row: dkey and dvalue [N, G, D].
template <class T>
void add_rows(const float* parts, const Row* rows, int64_t count, const Shape& shape, int64_t tokens, int threads,
              T* dkey, T* dvalue) {
    constexpr int64_t COLUMNS = LANES;  // of one head
    const int64_t width = shape.groups * shape.width;
#pragma omp parallel for num_threads(threads)
    for (int64_t column = 0; column < 2 * width; column += COLUMNS) {
        std::vector<float> sums(tokens * COLUMNS);
        const float* part = parts + column;
        for (const Row* row = rows; row < rows + count; ++row)
            for (int64_t k = 0; k < row->keys(); ++k, part += 2 * width) {
                float* sum = &sums[row->token(k) * COLUMNS];
                for (int64_t i = 0; i < COLUMNS; ++i) sum[i] += part[i];
            }
        T* to = column < width ? dkey + column : dvalue + column - width;
        for (int64_t token = 0; token < tokens; ++token)
            for (int64_t i = 0; i < COLUMNS; ++i) narrow(sums[token * COLUMNS + i], to[token * width + i]);
    }
}

}  // namespace

// ---- what Python calls, for each type (spans.py, which checks widths and types)

#define EXPORT(T)                                                                                                      \
    extern "C" void forward_##T(const T* query, const T* key, const T* value, const Row* rows, int64_t count,          \
                                int64_t heads, int64_t groups, int64_t width, int64_t window, float scaling,           \
                                int threads, T* out, float* log_sum) {                                                 \
        forward(query, key, value, rows, count, {heads, groups, width, window, scaling}, threads, out, log_sum);       \
    }                                                                                                                  \
    extern "C" void backward_##T(const T* query, const T* key, const T* value, const Row* rows, int64_t count,         \
                                 int64_t heads, int64_t groups, int64_t width, int64_t window, float scaling,          \
                                 int threads, const float* log_sum, const T* dout, int64_t tokens, float* parts,       \
                                 T* dquery, T* dkey, T* dvalue) {                                                      \
        const Shape shape{heads, groups, width, window, scaling};                                                      \
        backward_rows(query, key, value, log_sum, dout, rows, count, shape, threads, dquery, parts);                   \
        add_rows(parts, rows, count, shape, tokens, threads, dkey, dvalue);                                            \
    }

EXPORT(float)
EXPORT(bf16)
