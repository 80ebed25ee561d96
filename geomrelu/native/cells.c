/* A block of cells cut by the neurons of one layer: the double description of geomrelu/network/subdivision.py in floats
   with error bounds, which are proved there and in cells.py. What floats do not decide goes back to Python: signs
   (DOUBT) and generators (UNDONE); everything else is combinatorics of bits.

   A root is a cell as it was when the layer was opened: on it, and on all cells cut out of it, the neurons of the layer
   are affine forms. All arrays belong to the caller and have room to spare; when there is too little of it, nothing has
   been touched and the caller makes more. Indices of cells, generators and incidences are int32: the caller keeps
   blocks below 2^31 of each. */
#include <math.h>

#include "lanes.h"
#ifdef __AVX2__
#include <immintrin.h>
#endif

#define MOST 8  /* inputs, and */
#define ROWS 16 /* equations, with which coordinates are refined */

enum { DONE, DOUBT, UNDONE, FULL, PAUSE, TIRED };

struct edge {
    int32_t above, below, crossing; /* crossing: the generator there, if it is known; -1 */
};

struct layer {
    int64_t low, high, width, stride; /* reads the variables low..high besides s; rows of weights are padded to stride */
    const double *weights, *bias;     /* weights: a row for each variable that is read */
};

struct cutting {
    int64_t coordinates, neurons;    /* 1 + inputs; of all layers, in a row of before */
    int64_t layers, earlier;         /* up to the one that cuts; the neurons of those before it */
    int64_t constraints, equalities; /* of the domain, the inequalities first and s >= 0 before them */
    int64_t dimension, words;        /* of the domain; of a row of zeros */
    int64_t width, stride, masks;    /* neurons of the layer, padded, and words of 64 of them */
    int64_t bit, neuron;             /* of the first neuron of the layer in zeros; the pending one, within the layer */
    int64_t cells, bound, cursor;    /* bound: how many before this neuron; cursor: how many of these are done */
    int64_t generators, first;       /* first: how many before this neuron */
    int64_t used, live;              /* of the pool; incidences of cells */
    int64_t cell_room, generator_room, pool_room, head_mask;
    int64_t floats;                  /* are coordinates to be found in floats? */
    int64_t stale;                   /* are the masks of cells to be found again? */
    int64_t largest, patience;       /* incidences, and new cells, after which to come back */
    int64_t fresh, undone;           /* new cells; generators that are to be computed exactly */
    int64_t need;                    /* of the pool, when it is full */
    int64_t effort;                  /* words to be compared, about, before coming back within a neuron */
    int64_t row, column;             /* of the cell at the cursor, the pair of members that comes next */
    int64_t edge_room, n_edges;      /* its edges that are known */
    double unit;                     /* u, the largest relative error of a rounding */
    double tiny, fine, rough;        /* smaller forms, and coordinates that are less good than the last (and cannot be
                                        refined, which is tried from fine on), are left to integers */
    double *near;                    /* (generators, coordinates + 1), the last one the error */
    uint64_t *zeros;                 /* (generators, words) */
    uint64_t *plus, *minus, *unknown; /* (generators, masks): proved signs of the neurons of the layer */
    uint64_t *doubtful;              /* (masks): all of unknown together */
    int32_t *home, *ends, *chain;    /* (generators): a root; (2 each) the ends of its edge; the next with this hash */
    int32_t *heads;                  /* (head_mask + 1): the newest generator with this hash, or an older one: none */
    int32_t *starts, *counts, *root; /* (cells) */
    int32_t *pool;                   /* members of cells */
    uint64_t *cut;                   /* (cells, masks): which neurons take both signs */
    const int8_t *before;            /* (roots, neurons): signs */
    const double *units;             /* (coordinates): of the coordinates */
    const double *facets;            /* (constraints + equalities, coordinates), in units */
    const double *wrong;             /* (neurons of the earlier layers): as doubt */
    const struct layer *layer;       /* (layers) */
    const int32_t *form_of;          /* (roots) */
    const double *forms;             /* (forms, coordinates, stride) */
    const double *doubt;             /* (stride): what forms are wrong by, twice */
    int32_t *bad;                    /* (generator_room) */
    struct edge *edges;              /* (edge_room) of the cell at the cursor */
};

/* Compiled for the numbers that occur most. */
#define BY_NUMBER(n, CALL)  \
    switch (n) {            \
    case 2: CALL(2); break; \
    case 3: CALL(3); break; \
    case 4: CALL(4); break; \
    case 5: CALL(5); break; \
    case 6: CALL(6); break; \
    default: CALL(n);       \
    }

/* ---- forms ------------------------------------------------------------------------------------------------------- */

/* out[c stride + i] = bias[i] [c == 0] + sum over rows of table[row n + c] weights[(row - low) stride + i], for up to
   four of the n columns c and for LANES places i or twice as many. */
INLINE void formed_by(const int64_t some, const int twice, int64_t from, int64_t n, const struct layer *layer,
                      const double *table, int64_t count, const int64_t *rows, int64_t i, double *out) {
    const reals zero = every(0.0);
    reals a = zero, b = zero, c = zero, d = zero, e = zero, f = zero, g = zero, h = zero, v, w = zero;
    if (!from) memcpy(&a, layer->bias + i, sizeof a);
    if (!from && twice) memcpy(&e, layer->bias + i + LANES, sizeof e);
    for (int64_t k = 0; k < count; k++) {
        const double *t = table + rows[k] * n + from, *place = layer->weights + (rows[k] - layer->low) * layer->stride + i;
        memcpy(&v, place, sizeof v);
        if (twice) memcpy(&w, place + LANES, sizeof w);
        a += t[0] * v, e += t[0] * w;
        if (some > 1) b += t[1] * v, f += t[1] * w;
        if (some > 2) c += t[2] * v, g += t[2] * w;
        if (some > 3) d += t[3] * v, h += t[3] * w;
    }
    const reals first[4] = {a, b, c, d}, second[4] = {e, f, g, h};
    for (int64_t column = 0; column < some; column++) {
        double *place = out + (from + column) * layer->stride + i;
        memcpy(place, first + column, sizeof(reals));
        if (twice) memcpy(place + LANES, second + column, sizeof(reals));
    }
}

static void formed(int64_t n, const struct layer *layer, const double *table, int64_t count, const int64_t *rows,
                   double *out) {
    for (int64_t from = 0; from < n; from += 4) {
        const int64_t some = n - from < 4 ? n - from : 4;
        for (int64_t i = 0; i < layer->stride; i += 2 * LANES) {
#define CALL(some)                                                             \
    if (i + LANES < layer->stride)                                             \
        formed_by(some, 1, from, n, layer, table, count, rows, i, out);        \
    else                                                                       \
        formed_by(some, 0, from, n, layer, table, count, rows, i, out)
            switch (some) {
            case 1: CALL(1); break;
            case 2: CALL(2); break;
            case 3: CALL(3); break;
            default: CALL(4);
            }
#undef CALL
        }
    }
}

/* Room for the forms of all variables on one cell. */
struct forms {
    double *table;  /* (variables, coordinates): before relu */
    double *values; /* (coordinates, stride) of one layer */
    int64_t *rows;
};

static int prepared(const struct cutting *c, struct forms *f) {
    int64_t variables = c->coordinates + c->earlier, widest = 0;
    for (int64_t l = 0; l < c->layers; l++)
        if (c->layer[l].stride > widest) widest = c->layer[l].stride;
    f->table = calloc((size_t)((variables + widest) * c->coordinates), sizeof(double));
    f->rows = malloc((size_t)variables * sizeof(int64_t));
    if (!f->table || !f->rows) return 0;
    f->values = f->table + variables * c->coordinates;
    for (int64_t k = 0; k < c->coordinates; k++) f->table[k * c->coordinates + k] = c->units[k];
    return 1;
}

static void released(struct forms *f) { free(f->table), free(f->rows); }

/* Of one layer, on a cell with these signs. */
static void formed_there(const struct cutting *c, const struct forms *f, int64_t l, const int8_t *row, double *out) {
    int64_t read = 0, n = c->coordinates;
    for (int64_t j = c->layer[l].low; j < c->layer[l].high; j++)
        if (j < n || row[j - n] > 0) f->rows[read++] = j;
    formed(n, c->layer + l, f->table, read, f->rows, out);
}

/* Of all layers before the one that cuts; those that read the same signs as on the cell before are kept. */
static void hidden(const struct cutting *c, const struct forms *f, const int8_t *previous, const int8_t *row) {
    int64_t at = 0, same = previous != NULL, n = c->coordinates;
    for (int64_t l = 0; l < c->layers - 1; at += c->layer[l++].width) {
        if (!same) {
            formed_there(c, f, l, row, f->values);
            for (int64_t i = 0; i < c->layer[l].width; i++)
                for (int64_t k = 0; k < n; k++) f->table[(n + at + i) * n + k] = f->values[k * c->layer[l].stride + i];
        }
        same = same && !memcmp(previous + at, row + at, (size_t)c->layer[l].width);
    }
}

/* The neurons of the last layer as forms on some roots, in units: (count, coordinates, stride). 0 without memory. */
int64_t ENTRY(forms)(const struct cutting *c, int64_t count, const int64_t *chosen, double *found) {
    struct forms f;
    int good = prepared(c, &f);
    const int8_t *previous = NULL;
    for (int64_t k = 0; good && k < count; k++) {
        const int8_t *row = c->before + chosen[k] * c->neurons;
        hidden(c, &f, previous, row);
        formed_there(c, &f, c->layers - 1, row, found + k * c->coordinates * c->stride);
        previous = row;
    }
    released(&f);
    return good;
}

/* ---- signs ------------------------------------------------------------------------------------------------------- */

INLINE uint64_t packed(ints x) {
#if defined(__AVX512DQ__)
    return (uint64_t)_mm512_movepi64_mask((__m512i)x);
#elif defined(__AVX2__)
    __m256d halves[2];
    memcpy(halves, &x, sizeof x);
    return (uint64_t)(_mm256_movemask_pd(halves[0]) | _mm256_movemask_pd(halves[1]) << 4);
#else
    uint64_t found = 0;
    for (int r = 0; r < LANES; r++) found |= (uint64_t)(x[r] & ((int64_t)1 << r));
    return found;
#endif
}

/* Signs of the neurons from one on at a generator: proved where |z| > F (e + (n + 16) u) + doubt. */
INLINE void signs_by(const int64_t n, const struct cutting *c, int64_t g, int64_t from) {
    const double *v = c->near + g * (n + 1), *form = c->forms + c->form_of[c->home[g]] * n * c->stride;
    const reals factor = every(v[n] + (double)(n + 15) * c->unit);
    for (int64_t word = from >> 6; word < c->masks; word++) {
        uint64_t above = 0, below = 0, asked = ~(uint64_t)0;
        int64_t begin = word << 6, end = begin + 64 < c->stride ? begin + 64 : c->stride;
        if (from > begin) asked <<= from - begin;
        if (c->width < begin + 64) asked &= ((uint64_t)1 << (c->width - begin)) - 1;
        for (int64_t i = begin; i < end; i += LANES) {
            reals z = every(0.0), sum = z, doubt;
            for (int64_t k = 0; k < n; k++) {
                reals f;
                memcpy(&f, form + k * c->stride + i, sizeof f);
                z += v[k] * f, sum += size(f);
            }
            memcpy(&doubt, c->doubt + i, sizeof doubt);
            doubt += sum * factor;
            above |= packed(z > doubt) << (i - begin), below |= packed(-z > doubt) << (i - begin);
        }
        above &= asked, below &= asked;
        int64_t at = g * c->masks + word;
        c->plus[at] = (c->plus[at] & ~asked) | above;
        c->minus[at] = (c->minus[at] & ~asked) | below;
        c->unknown[at] = asked & ~(above | below);
        c->doubtful[word] |= c->unknown[at];
    }
}

static void signs_at(const struct cutting *c, int64_t g, int64_t from) {
#define CALL(n) signs_by(n, c, g, from)
    BY_NUMBER(c->coordinates, CALL)
#undef CALL
}

/* The same for some generators; all of them if none are named. */
void ENTRY(signs)(struct cutting *c, int64_t count, const int64_t *which, int64_t from) {
    for (int64_t k = 0; k < count; k++) signs_at(c, which ? which[k] : k, from);
}

INLINE void masked(const struct cutting *c, int64_t cell) {
    const int32_t *members = c->pool + c->starts[cell];
    for (int64_t word = 0; word < c->masks; word++) {
        uint64_t above = 0, below = 0;
        for (int64_t k = 0; k < c->counts[cell]; k++) {
            above |= c->plus[members[k] * c->masks + word];
            below |= c->minus[members[k] * c->masks + word];
        }
        c->cut[cell * c->masks + word] = above & below;
    }
}

/* ---- cuts -------------------------------------------------------------------------------------------------------- */

struct work {
    int32_t *above, *below, *on; /* members by their signs */
    int64_t n_above, n_below, n_on, room;
    struct forms forms; /* of the root that is formed, or NULL */
    const int8_t *formed;
};

INLINE int64_t hashed(const struct cutting *c, int32_t p, int32_t q) {
    uint64_t key = ((uint64_t)(uint32_t)p << 32 | (uint32_t)q) * 0x9e3779b97f4a7c15u;
    return (int64_t)(key >> 32) & c->head_mask;
}

/* The generator of this step on an edge, or -1. */
INLINE int32_t crossing_of(const struct cutting *c, int32_t p, int32_t q) {
    int32_t found = c->heads[hashed(c, p, q)];
    while (found >= c->first && (c->ends[2 * found] != p || c->ends[2 * found + 1] != q)) found = c->chain[found];
    return found >= c->first ? found : -1;
}

INLINE int64_t ones(const int64_t words, const uint64_t *x) {
    int64_t found = 0;
    for (int64_t k = 0; k < words; k++) found += __builtin_popcountll(x[k]);
    return found;
}

/* Does a third member of the cell lie on all constraints that both ends lie on? */
static int third(const struct cutting *c, const int32_t *members, int64_t count, const uint64_t *p, const uint64_t *q) {
    int64_t found = 0;
    for (int64_t k = 0; k < count; k++) {
        const uint64_t *r = c->zeros + members[k] * c->words;
        uint64_t missing = 0;
        for (int64_t word = 0; word < c->words; word++) missing |= p[word] & q[word] & ~r[word];
        found += !missing;
    }
    return found > 2;
}

/* From the pair that comes next on: DONE, FULL or TIRED. */
INLINE int edges_by(const int64_t words, struct cutting *c, const struct work *w, const int32_t *members,
                    int64_t count) {
    const int64_t least = c->dimension - 1; /* an edge lies on so many independent constraints */
    for (int64_t i = c->row; i < w->n_above; i++) {
        const uint64_t *p = c->zeros + w->above[i] * words;
        const int64_t on_p = ones(words, p), begin = c->column;
        if (c->effort < 0) return c->row = i, TIRED;
        for (int64_t j = begin; j < w->n_below; j++) {
            const uint64_t *q = c->zeros + w->below[j] * words;
            int64_t common = 0;
            for (int64_t k = 0; k < words; k++) common += __builtin_popcountll(p[k] & q[k]);
            if (common < least) continue;
            if (c->n_edges == c->edge_room || c->effort < 0)
                return c->row = i, c->column = j, c->effort < 0 ? TIRED : FULL;
            int32_t known = crossing_of(c, w->above[i], w->below[j]);
            if (known < 0 && !(common == least && (on_p == least + 1 || ones(words, q) == least + 1))) {
                c->effort -= count * words;
                if (third(c, members, count, p, q)) continue;
            }
            c->edges[c->n_edges++] = (struct edge){w->above[i], w->below[j], known};
        }
        c->effort -= (w->n_below - begin) * words, c->column = 0;
    }
    return c->row = w->n_above, DONE;
}

static int edges(struct cutting *c, const struct work *w, const int32_t *members, int64_t count) {
    switch (c->words) {
    case 1: return edges_by(1, c, w, members, count);
    case 2: return edges_by(2, c, w, members, count);
    case 3: return edges_by(3, c, w, members, count);
    default: return edges_by(c->words, c, w, members, count);
    }
}

/* Where a form vanishes between p, where it is positive, and q: see the head of subdivision.py. Is it good enough? */
INLINE int between(const struct cutting *c, const double *form, const double *p, const double *q, double *found) {
    const int64_t n = c->coordinates;
    double a = 0, b = 0, sum = 0, longest = 0, largest = 0, error = p[n] > q[n] ? p[n] : q[n];
    for (int64_t k = 0; k < n; k++) {
        double f = form[k * c->stride], step = q[k] - p[k];
        a += f * p[k], b += f * q[k], sum += f < 0 ? -f : f;
        step = step < 0 ? -step : step;
        longest = step > longest ? step : longest;
    }
    double span = a - b, doubt = sum * (error + (double)(n + 15) * c->unit) + c->doubt[c->neuron], t = a / span;
    for (int64_t k = 0; k < n; k++) {
        found[k] = p[k] + t * (q[k] - p[k]);
        double magnitude = found[k] < 0 ? -found[k] : found[k];
        largest = magnitude > largest ? magnitude : largest;
    }
    error += (longest + 2 * error) * (doubt / (span - 2 * doubt)) + 16 * c->unit;
    found[n] = error * (1 + 0x1p-20);
    if (largest < 0.5)
        for (int64_t k = 0; k <= n; k++) found[k] /= largest;
    return a >= 0 && b <= 0 && span > 4 * doubt && sum > c->tiny && largest > 0 && found[n] < 0.125;
}

/* The equations of a generator: forms that vanish there, what each may be wrong by (twice), and how many: at most so
   many as there is room for. */
static int64_t equations(const struct cutting *c, struct work *w, int64_t g, double rows[][MOST + 1], double *wrong) {
    const int64_t n = c->coordinates, facets = c->constraints + c->equalities;
    const int8_t *row = c->before + c->home[g] * c->neurons;
    const uint64_t *zeros = c->zeros + g * c->words;
    int64_t count = 0;
    for (int64_t at = 0; at < c->equalities && count < ROWS; at++)
        memcpy(rows[count], c->facets + (facets - 1 - at) * n, (size_t)n * sizeof(double)), wrong[count++] = 0;
    for (int64_t word = 0; word < c->words; word++)
        for (uint64_t bits = zeros[word]; bits && count < ROWS; bits &= bits - 1) {
            int64_t k = word * 64 + __builtin_ctzll(bits), t = k - c->constraints, i = k - c->bit;
            const double *form = c->facets + k * n;
            int64_t stride = 1;
            wrong[count] = 0;
            if (i >= 0) {
                form = c->forms + c->form_of[c->home[g]] * n * c->stride + i, stride = c->stride;
                wrong[count] = c->doubt[i];
            } else if (t >= 0) {
                if (w->formed != row) hidden(c, &w->forms, w->formed, row), w->formed = row;
                form = w->forms.table + (n + t) * n, wrong[count] = c->wrong[t];
            }
            for (int64_t j = 0; j < n; j++) rows[count][j] = form[j * stride];
            count++;
        }
    return count;
}

/* A left inverse of so many rows, without one of their columns, in (columns, rows); 0 if there is none. */
static int inverted(int64_t count, int64_t n, int64_t without, double rows[][MOST + 1], double left[][ROWS]) {
    double a[ROWS][MOST + ROWS];
    for (int64_t k = 0; k < count; k++) {
        for (int64_t j = 0, at = 0; j <= n; j++)
            if (j != without) a[k][at++] = rows[k][j];
        for (int64_t j = 0; j < count; j++) a[k][n + j] = j == k;
    }
    for (int64_t j = 0; j < n; j++) {
        int64_t best = j;
        for (int64_t k = j + 1; k < count; k++)
            if (a[k][j] * a[k][j] > a[best][j] * a[best][j]) best = k;
        double pivot = a[best][j], turned[MOST + ROWS];
        if (!(pivot != 0)) return 0;
        for (int64_t i = 0; i < n + count; i++) turned[i] = a[best][i] / pivot, a[best][i] = a[j][i], a[j][i] = turned[i];
        for (int64_t k = 0; k < count; k++) {
            double factor = a[k][j];
            for (int64_t i = 0; k != j && i < n + count; i++) a[k][i] -= factor * turned[i];
        }
    }
    for (int64_t j = 0; j < n; j++) memcpy(left[j], a[j] + n, (size_t)count * sizeof(double));
    return 1;
}

/* Coordinates from the equations, by a step of Newton's method: see the head of cells.py. */
static void refined(const struct cutting *c, struct work *w, int64_t g) {
    const int64_t n = c->coordinates - 1;
    double *v = c->near + g * (n + 2), rows[ROWS][MOST + 1], wrong[ROWS], rest[ROWS], left[MOST][ROWS], new[MOST];
    int64_t count = n > MOST ? 0 : equations(c, w, g, rows, wrong), fixed = 0;
    for (int64_t j = 1; j <= n; j++)
        if (v[j] * v[j] > v[fixed] * v[fixed]) fixed = j;
    if (count < n || !inverted(count, n, fixed, rows, left)) return;
    for (int64_t k = 0; k < count; k++) {
        double sum = 0;
        rest[k] = 0;
        for (int64_t j = 0; j <= n; j++) rest[k] += rows[k][j] * v[j], sum += fabs(rows[k][j]);
        wrong[k] += sum * (double)(count + n + 16) * c->unit;
    }
    double contraction = 0, farthest = 0, error = 0;
    for (int64_t i = 0, at = 0; at <= n; at++) {
        if (at == fixed) continue;
        double off = 0, step = 0, steps = 0, doubts = 0;
        for (int64_t k = 0; k < count; k++) {
            step += left[i][k] * rest[k], steps += fabs(left[i][k] * rest[k]);
            doubts += fabs(left[i][k]) * wrong[k];
        }
        for (int64_t j = 0, to = 0; j <= n; j++) {
            if (j == fixed) continue;
            double entry = to++ == i;
            for (int64_t k = 0; k < count; k++) entry -= left[i][k] * rows[k][j];
            off += fabs(entry);
        }
        off += doubts, doubts += steps * (double)(count + 2) * c->unit;
        contraction = off > contraction ? off : contraction;
        farthest = steps + doubts > farthest ? steps + doubts : farthest;
        error = doubts > error ? doubts : error;
        new[i++] = v[at] - step;
    }
    error = (error + contraction * farthest / (1 - contraction) + 16 * c->unit) * (1 + 0x1p-20);
    if (!(contraction < 0.25 && farthest < 0x1p-8 && error < v[n + 1])) return;
    for (int64_t i = 0, at = 0; at <= n; at++)
        if (at != fixed) v[at] = new[i++];
    v[n + 1] = error;
}

/* A new generator on an edge of a cell of this root. */
static int32_t created(struct cutting *c, struct work *w, int32_t root, int32_t p, int32_t q) {
    const int64_t n = c->coordinates, i = c->neuron, word = i >> 6;
    const int32_t g = (int32_t)c->generators++;
    c->home[g] = root, c->ends[2 * g] = p, c->ends[2 * g + 1] = q;
    int64_t slot = hashed(c, p, q);
    c->chain[g] = c->heads[slot], c->heads[slot] = g;
    for (int64_t k = 0; k < c->words; k++)
        c->zeros[g * c->words + k] = c->zeros[p * c->words + k] & c->zeros[q * c->words + k];
    c->zeros[g * c->words + ((c->bit + i) >> 6)] |= (uint64_t)1 << ((c->bit + i) & 63);
    for (int64_t k = 0; k < c->masks; k++) { /* inside the edge, resolved neurons have the sign that an end has */
        uint64_t resolved = k < word ? ~(uint64_t)0 : k > word ? 0 : ((uint64_t)1 << (i & 63)) - 1;
        c->plus[g * c->masks + k] = (c->plus[p * c->masks + k] | c->plus[q * c->masks + k]) & resolved;
        c->minus[g * c->masks + k] = (c->minus[p * c->masks + k] | c->minus[q * c->masks + k]) & resolved;
        c->unknown[g * c->masks + k] = 0;
    }
    const double *form = c->forms + c->form_of[root] * n * c->stride + i;
    double *near = c->near + g * (n + 1);
    int good = c->floats && between(c, form, c->near + p * (n + 1), c->near + q * (n + 1), near);
    if (good && near[n] > c->fine) refined(c, w, g);
    if (!good || !(near[n] < c->rough))
        c->bad[c->undone++] = g;
    else if (i + 1 < c->width)
        signs_at(c, g, i + 1);
    return g;
}

/* Cut one cell in two; FULL, TIRED: not yet, for want of room or effort; -1 without memory. */
static int64_t halved(struct cutting *c, struct work *w, int64_t cell) {
    const int64_t word = c->neuron >> 6, count = c->counts[cell];
    const uint64_t bit = (uint64_t)1 << (c->neuron & 63);
    const int32_t *members = c->pool + c->starts[cell];
    if (count > w->room) {
        int32_t *more = realloc(w->above, (size_t)(3 * 2 * count) * sizeof(int32_t));
        if (!more) return -1;
        w->room = 2 * count, w->above = more, w->below = more + w->room, w->on = more + 2 * w->room;
    }
    w->n_above = w->n_below = w->n_on = 0;
    for (int64_t k = 0; k < count; k++) {
        if (c->plus[members[k] * c->masks + word] & bit)
            w->above[w->n_above++] = members[k];
        else if (c->minus[members[k] * c->masks + word] & bit)
            w->below[w->n_below++] = members[k];
        else
            w->on[w->n_on++] = members[k];
    }
    const int state = edges(c, w, members, count);
    if (state) return state;
    const int64_t both = 2 * (c->n_edges + w->n_on) + w->n_above + w->n_below;
    if (c->generators + c->n_edges > c->generator_room || c->used + both > c->pool_room || c->cells == c->cell_room)
        return c->need = both, FULL;
    for (int64_t k = 0; k < c->n_edges; k++) {
        struct edge *e = c->edges + k;
        if (e->crossing >= 0) continue;
        if (c->effort < 0) return TIRED;
        e->crossing = created(c, w, c->root[cell], e->above, e->below);
        c->effort -= c->coordinates * c->stride + c->words;
    }
    const int64_t halves[2] = {cell, c->cells++};
    c->root[halves[1]] = c->root[cell];
    for (int side = 0; side < 2; side++) {
        int64_t half = halves[side], own = side ? w->n_above : w->n_below;
        int32_t *out = c->pool + c->used;
        memcpy(out, side ? w->above : w->below, (size_t)own * sizeof(int32_t));
        memcpy(out + own, w->on, (size_t)w->n_on * sizeof(int32_t));
        out += own + w->n_on;
        for (int64_t k = 0; k < c->n_edges; k++) out[k] = c->edges[k].crossing;
        c->starts[half] = (int32_t)c->used, c->counts[half] = (int32_t)(own + w->n_on + c->n_edges);
        c->used += c->counts[half];
        masked(c, half);
    }
    c->live += both - count, c->fresh++;
    c->row = c->n_edges = 0, c->effort -= both * c->masks;
    return DONE;
}

static int64_t cut(struct cutting *c, struct work *w) {
    if (c->stale) {
        for (int64_t cell = 0; cell < c->cells; cell++) masked(c, cell);
        c->stale = 0;
    }
    for (; c->neuron < c->width; c->neuron++) {
        const int64_t word = c->neuron >> 6, at = c->neuron & 63;
        if (!c->cursor && !c->row) { /* nothing of it is cut yet */
            if (c->undone) return UNDONE;
            if (c->fresh > c->patience || c->live > c->largest) return PAUSE;
            if (c->doubtful[word] >> at & 1) return DOUBT;
            c->bound = c->cells, c->first = c->generators;
        }
        for (; c->cursor < c->bound; c->cursor++)
            if (c->cut[c->cursor * c->masks + word] >> at & 1) {
                int64_t state = halved(c, w, c->cursor);
                if (state) return state;
            }
        c->cursor = 0;
    }
    return c->undone ? UNDONE : DONE;
}

/* Resolve one neuron after another, as far as that goes: see the states; -1 without memory. */
int64_t ENTRY(cut)(struct cutting *c) {
    struct work w = {.room = 64};
    w.above = malloc((size_t)(3 * w.room) * sizeof(int32_t));
    w.below = w.above + w.room, w.on = w.above + 2 * w.room;
    int64_t state = prepared(c, &w.forms) && w.above ? cut(c, &w) : -1;
    free(w.above), released(&w.forms);
    return state;
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

/* The cells by their roots: starts (cells + 1), members (live), signs (cells, neurons), those of the layer from one
   neuron to another from its masks, all others from the root. next: (roots + 1). */
void ENTRY(sorted)(const struct cutting *c, int64_t from, int64_t roots, int64_t *next, int64_t *starts,
                   int64_t *members, int8_t *signs) {
    memset(next, 0, (size_t)(roots + 1) * sizeof(int64_t));
    for (int64_t cell = 0; cell < c->cells; cell++) next[c->root[cell] + 1]++;
    for (int64_t k = 0; k < roots; k++) next[k + 1] += next[k];
    for (int64_t cell = 0; cell < c->cells; cell++) starts[1 + next[c->root[cell]]++] = cell; /* for now: which it is */
    starts[0] = 0;
    for (int64_t k = 0; k < c->cells; k++) {
        const int64_t cell = starts[k + 1], count = c->counts[cell];
        const int32_t *own = c->pool + c->starts[cell];
        int8_t *row = signs + k * c->neurons;
        starts[k + 1] = starts[k] + count;
        for (int64_t j = 0; j < count; j++) members[starts[k] + j] = own[j];
        memcpy(row, c->before + c->root[cell] * c->neurons, (size_t)c->neurons);
        for (int64_t word = from >> 6; word < c->masks; word++) {
            uint64_t above = 0, below = 0;
            for (int64_t j = 0; j < count; j++)
                above |= c->plus[own[j] * c->masks + word], below |= c->minus[own[j] * c->masks + word];
            int64_t begin = word << 6 > from ? word << 6 : from, end = (word + 1) << 6;
            for (int64_t i = begin; i < end && i < c->neuron; i++)
                row[c->earlier + i] = (int8_t)((int)(above >> (i & 63) & 1) - (int)(below >> (i & 63) & 1));
        }
    }
}
