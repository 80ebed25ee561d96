/* Eight numbers at a time, and matrix products in which each of the eight has its own factors.

   C99 with what GCC and Clang add to it: vectors, integers of 128 bits, and >> that rounds down. Vectors are cut into
   whatever the processor has: everything is compiled for several generations of it (VERSION), and one is chosen where
   the library is loaded. */
#ifndef GEOMRELU_LANES
#define GEOMRELU_LANES

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LANES 8
typedef double reals __attribute__((vector_size(8 * LANES)));
typedef int64_t ints __attribute__((vector_size(8 * LANES)));
__extension__ typedef __int128 wide;

#define INLINE static inline __attribute__((always_inline))
#ifndef VERSION
#define VERSION plain
#endif
#define JOINED(name, version) geomrelu_##name##_##version
#define NAMED(name, version) JOINED(name, version)
#define ENTRY(name) NAMED(name, VERSION)

INLINE int64_t padded(int64_t count) { return (count + LANES - 1) / LANES * LANES; }

INLINE reals chosen(ints where, reals yes, reals no) { return (reals)(((ints)yes & where) | ((ints)no & ~where)); }
INLINE ints chosen_ints(ints where, ints yes, ints no) { return (yes & where) | (no & ~where); }
INLINE reals positive(reals x) { return (reals)((ints)x & (x > 0.0)); }
INLINE reals larger(reals a, reals b) { return chosen(a > b, a, b); }
INLINE reals smaller(reals a, reals b) { return chosen(a < b, a, b); }
INLINE reals size(reals x) { return (reals)((ints)x & INT64_MAX); }
INLINE reals every(double x) { return (reals){x, x, x, x, x, x, x, x}; }
INLINE double total(reals x) {
    double sum = 0;
    for (int r = 0; r < LANES; r++) sum += x[r];
    return sum;
}
INLINE int any(ints x) {
    int64_t found = 0;
    for (int r = 0; r < LANES; r++) found |= x[r];
    return found != 0;
}

INLINE reals loaded(const double *from) {
    reals x;
    memcpy(&x, from, sizeof x);
    return x;
}

#ifdef __clang__
#define MIXED(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define MIXED(a, b, ...) __builtin_shuffle(a, b, (ints){__VA_ARGS__})
#endif

/* Eight rows of eight numbers as columns. */
INLINE void transposed(const reals *rows, reals *out) {
    reals a[LANES], b[LANES];
    for (int k = 0; k < LANES; k += 2) {
        a[k] = MIXED(rows[k], rows[k + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        a[k + 1] = MIXED(rows[k], rows[k + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int k = 0; k < LANES; k += 4)
        for (int r = k; r < k + 2; r++) {
            b[r] = MIXED(a[r], a[r + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            b[r + 2] = MIXED(a[r], a[r + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int r = 0; r < 4; r++) {
        out[r] = MIXED(b[r], b[r + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        out[r + 4] = MIXED(b[r], b[r + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/* out[j] += sum over k < count of factors[k] matrix[rows[k] stride + j], j < columns (a multiple of 8). */
INLINE void product(int64_t count, const reals *factors, const int64_t *rows, const double *matrix, int64_t stride,
                    int64_t columns, reals *out) {
    for (int64_t j = 0; j < columns; j += 8) {
        reals a = out[j], b = out[j + 1], c = out[j + 2], d = out[j + 3];
        reals e = out[j + 4], f = out[j + 5], g = out[j + 6], h = out[j + 7];
        for (int64_t k = 0; k < count; k++) {
            const double *w = matrix + rows[k] * stride + j;
            reals factor = factors[k];
            a += factor * w[0], b += factor * w[1], c += factor * w[2], d += factor * w[3];
            e += factor * w[4], f += factor * w[5], g += factor * w[6], h += factor * w[7];
        }
        out[j] = a, out[j + 1] = b, out[j + 2] = c, out[j + 3] = d;
        out[j + 4] = e, out[j + 5] = f, out[j + 6] = g, out[j + 7] = h;
    }
}

/* Some columns of some rows of a matrix side by side, each row in its place, with zeros up to a multiple of 8: most
   neurons are 0 on a small box, and what is not multiplied costs nothing. */
INLINE void narrowed(const double *matrix, int64_t stride, int64_t count, const int64_t *rows, int64_t kept,
                     const int64_t *columns, double *out) {
    int64_t width = padded(kept);
    for (int64_t k = 0; k < count; k++) {
        const double *from = matrix + rows[k] * stride;
        double *to = out + rows[k] * width;
        for (int64_t j = 0; j < kept; j++) to[j] = from[columns[j]];
        for (int64_t j = kept; j < width; j++) to[j] = 0;
    }
}

/* Room for many arrays, each on a boundary of 64 bytes, given back at once. */
struct room {
    char *start, *next;
};

INLINE void *taken(struct room *room, int64_t bytes) {
    char *found = room->next;
    room->next += (bytes + 63) / 64 * 64;
    return found;
}

INLINE int opened(struct room *room, int64_t bytes) {
    room->start = malloc((size_t)bytes + 64);
    room->next = room->start + (64 - (uintptr_t)room->start % 64);
    return room->start != NULL;
}

#endif
