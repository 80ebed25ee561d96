/* Boxes judged in fixed point: what certificates/fixed_point.py computes for a batch in arrays, box by box.

   Every integer is the one that the rules give (certificates/FORMAT.md); a box on which a number does not keep to the
   bounds written here is left to somebody else. Nothing may wrap around: where a width is used, the line above says why
   the number fits, and what is not known beforehand is looked up.

   Units are 2^-28. |weights| < 2^34, bounds of neurons of unknown sign and sides of boxes < 2^34 (LARGE, which the
   caller has checked), layers are at most 1024 wide (likewise). Lanes are forms: z and -z of four neurons. */
#include "lanes.h"

#define UNIT 28
#define ONE (INT64_C(1) << UNIT)
#define LARGE (INT64_C(1) << 34)
#define CUT 17                      /* a number below 2^34 is cut into two below 2^17 */
#define LOWER ((INT64_C(1) << CUT) - 1)
#define EXACT 4503599627370496.0    /* 2^52: integers below twice that are floats, and so are their partial sums */
#define MOST 4611686018427387904.0  /* 2^62 */

enum { GOOD = 1, EMPTY = 2 };

struct model {
    int64_t layers, inputs, corners;  /* layers before the one that is bounded; corners: 2 to the inputs that vary */
    const int64_t *widths;            /* inputs, layer 1, ..., the layer that is bounded */
    const double *const *matrices;    /* of layer l: (width, padded(width before + 1)), the bias after the weights */
    const int64_t *narrow;            /* of layer l: is the sum of |weights| on each variable before below 2^35? */
    const int64_t *varies;            /* of each input */
};

struct box {
    const int64_t *low, *high;
    int64_t *above, *below, *height, *plain, *starts, *alive, *counts, *cost; /* see _Lines in fixed_point.py */
    double *heights, *tall;                                                   /* at corners; the largest; 0: none */
    ints *over, *under;                                                       /* of the layer at hand, at corners */
    int64_t *open;
    double **narrow;                     /* of each layer: its matrix, of what is alive before, and the biases */
    int64_t *columns;                    /* which of its columns these are */
    ints *q, *p, *s1, *s0, *values, *raised;
    reals *f1, *f0, *sum1, *sum0, *r1, *r0;
    int64_t *rows;
    int64_t last[2]; /* of a leaf: its bounds on the box and at the corners */
};

/* s1 2^17 + s0 = sum over k of p[k] (row rows[k] of the matrix), for what is alive before and, last, the biases. */
static void multiplied(const struct model *m, int64_t at, struct box *b, int64_t count, const int64_t *rows) {
    int64_t kept = b->counts[at - 1], columns = padded(kept + 1);
    const double *matrix = b->narrow[at];
    if (m->narrow[at]) {
        /* |p| < 2^34, so the parts are at most 2^17, and the sums at most 2^17 2^35 = 2^52: exact in any order */
        memset(b->sum1, 0, (size_t)columns * sizeof(reals));
        memset(b->sum0, 0, (size_t)columns * sizeof(reals));
        product(count, b->f1, rows, matrix, columns, columns, b->sum1);
        product(count, b->f0, rows, matrix, columns, columns, b->sum0);
        for (int64_t j = 0; j < columns; j++) {
            b->s1[j] = __builtin_convertvector(b->sum1[j], ints);
            b->s0[j] = __builtin_convertvector(b->sum0[j], ints);
        }
        return;
    }
    for (int64_t j = 0; j <= kept; j++)
        for (int r = 0; r < LANES; r++) {
            wide sum = 0; /* 1024 terms below 2^34 2^34: below 2^78 */
            for (int64_t k = 0; k < count; k++) sum += (wide)b->p[k][r] * (int64_t)matrix[rows[k] * columns + j];
            b->s1[j][r] = (int64_t)(sum >> CUT); /* below 2^61 */
            b->s0[j][r] = (int64_t)(sum & LOWER);
        }
}

/* The values at the corners in one lane, and of a leaf the bounds, in 128 bits: terms are below 2^34 2^34, and there are
   fewer than 2^20 of them. 0 if they are too large for those who need them. */
static int added_up(const struct model *m, struct box *b, int r, int64_t raised, wide constant, wide more, int leaf) {
    wide most = 0, whole = constant + more;
    for (int64_t c = 0; c < m->corners; c++) {
        wide value = constant;
        for (int64_t j = 0, bit = 1; j < m->inputs; j++) {
            value += (wide)b->q[j][r] * (m->varies[j] && (c & bit) ? b->high[j] : b->low[j]);
            if (m->varies[j]) bit *= 2;
        }
        for (int64_t k = 0; k < raised; k++)
            value += (wide)b->raised[k][r] * (int64_t)b->heights[b->rows[k] * padded(m->corners) + c];
        if (!leaf) {
            value = (value + (ONE - 1)) >> UNIT;
            if (value > LARGE || value < -LARGE) return 0;
            b->values[c][r] = (int64_t)value;
        }
        most = c == 0 || value > most ? value : most;
    }
    if (!leaf) return 1;
    for (int64_t j = 0; j < m->inputs; j++) whole += (wide)b->q[j][r] * (b->q[j][r] > 0 ? b->high[j] : b->low[j]);
    wide limit = (wide)1 << 62;
    if (most >= limit || most <= -limit || whole >= limit || whole <= -limit) return 0;
    b->last[0] = (int64_t)whole, b->last[1] = (int64_t)most;
    return 1;
}

/* Upper bounds of forms on what is alive in layer `level - 1` (coefficients b->q, constant `bias`): in values at each
   corner, in units rounded up; of a leaf not rounded, and only the largest, in last. Returns the lanes that are bad. */
static ints bounded(const struct model *m, struct box *b, int64_t level, ints bias, const int64_t *below, int leaf) {
    ints zero = bias ^ bias, bad = zero;
    ints high = bias, low = zero, more_high = zero, more_low = zero; /* constants, high 2^28 + low */
    int64_t raised = 0;
    reals g1 = every(0), g0 = every(0);
    for (int64_t at = level - 1; at > 0; at--) {
        int64_t start = b->starts[at], count = b->counts[at], before = b->counts[at - 1];
        const int64_t *rows = b->alive + start;
        ints lack = zero, upper = zero, lower = zero, more_upper = zero, more_lower = zero;
        for (int64_t k = 0; k < count; k++) {
            int64_t i = start + rows[k];
            ints c = b->q[k], plus = c & (c > 0); /* |c| < 2^34 */
            int64_t height = b->height[i], plain = b->plain[i];
            if (height) { /* < 2^34; products below 2^51, and 1024 of them below 2^61 */
                upper += plus * (plain >> CUT);
                lower += plus * (plain & LOWER);
                if (!plain) {
                    if (leaf) more_upper += plus * (height >> CUT), more_lower += plus * (height & LOWER);
                    b->raised[raised] = plus;
                    b->r1[raised] = __builtin_convertvector(plus >> CUT, reals);
                    b->r0[raised] = __builtin_convertvector(plus & LOWER, reals);
                    g1 += b->r1[raised] * b->tall[i];
                    g0 += b->r0[raised] * b->tall[i];
                    b->rows[raised++] = i;
                }
            }
            ints slope = chosen_ints(c > 0, zero + b->above[i], zero + below[i]);
            ints p = (c * slope) >> UNIT; /* slopes are at most 2^28: the product is below 2^62 */
            lack -= p & (p < 0);
            b->p[k] = p;
            b->f1[k] = __builtin_convertvector(p >> CUT, reals);
            b->f0[k] = __builtin_convertvector(p & LOWER, reals);
        }
        multiplied(m, at, b, count, rows);
        for (int64_t j = 0; j < before; j++) {
            /* s1 2^17 = (s1 >> 11) 2^28 + (s1 & 2047) 2^17; s0 is below 2^53, lack below 2^44 */
            ints rest = (b->s1[j] & 2047) * (LOWER + 1) + b->s0[j] + lack + (ONE - 1);
            ints q = (b->s1[j] >> (UNIT - CUT)) + (rest >> UNIT);
            bad |= (q >= LARGE) | (q <= -LARGE);
            b->q[j] = q;
        }
        for (int64_t j = 0; j < before; j++) b->q[j] &= ~bad; /* from here on they are 0 */
        high += (b->s1[before] >> (UNIT - CUT)) + (upper >> (UNIT - CUT));
        low += (b->s1[before] & 2047) * (LOWER + 1) + b->s0[before] + lack + b->cost[at];
        low += (upper & 2047) * (LOWER + 1) + lower;
        high += low >> UNIT; /* below 2^51 a layer */
        low &= ONE - 1;
        if (leaf) {
            more_high += more_upper >> (UNIT - CUT);
            more_low += (more_upper & 2047) * (LOWER + 1) + more_lower;
            more_high += more_low >> UNIT;
            more_low &= ONE - 1;
        }
    }
    /* how large values can become, and all partial sums on the way; floats are near enough for half of what fits */
    reals most = size(__builtin_convertvector(high, reals)) * (double)ONE + (double)ONE;
    for (int64_t j = 0; j < m->inputs; j++) {
        int64_t side = b->high[j] > -b->low[j] ? b->high[j] : -b->low[j], step = b->high[j] - b->low[j];
        most += size(__builtin_convertvector(b->q[j], reals)) * (double)(side > step ? side : step);
    }
    most += g1 * (double)(LOWER + 1) + g0;
    if (leaf) most += size(__builtin_convertvector(more_high, reals)) * (double)ONE + (double)ONE;
    ints huge = ~(most < MOST) & ~bad, fit = ~(huge | bad); /* huge numbers may cancel: they are added in 128 bits */
    ints value = (high & fit) * ONE + (low & fit);          /* of the others every partial sum is at most 2^62 */
    if (leaf) {
        ints whole = value + ((more_high & fit) * ONE + (more_low & fit));
        for (int64_t j = 0; j < m->inputs; j++) {
            ints q = b->q[j] & fit;
            whole += q * chosen_ints(q > 0, zero + b->high[j], zero + b->low[j]);
        }
        b->last[0] = whole[0];
    }
    int64_t corners = 1, columns = padded(m->corners);
    for (int64_t j = 0; j < m->inputs; j++) value += (b->q[j] & fit) * b->low[j];
    b->values[0] = value;
    for (int64_t j = 0; j < m->inputs; j++)
        if (m->varies[j]) {
            ints step = (b->q[j] & fit) * (b->high[j] - b->low[j]);
            for (int64_t c = 0; c < corners; c++) b->values[corners + c] = b->values[c] + step;
            corners *= 2;
        }
    if (!any(~((g1 < EXACT) & (g0 < EXACT)))) { /* so that the partial sums are exact */
        memset(b->sum1, 0, (size_t)columns * sizeof(reals));
        memset(b->sum0, 0, (size_t)columns * sizeof(reals));
        product(raised, b->r1, b->rows, b->heights, columns, columns, b->sum1);
        product(raised, b->r0, b->rows, b->heights, columns, columns, b->sum0);
        for (int64_t c = 0; c < corners; c++) {
            ints sum1 = __builtin_convertvector(b->sum1[c], ints) & fit;
            b->values[c] += sum1 * (LOWER + 1) + (__builtin_convertvector(b->sum0[c], ints) & fit);
        }
    } else
        for (int64_t k = 0; k < raised; k++)
            for (int64_t c = 0; c < corners; c++)
                b->values[c] += (b->raised[k] & fit) * (int64_t)b->heights[b->rows[k] * columns + c];
    if (leaf) {
        b->last[1] = b->values[0][0];
        for (int64_t c = 1; c < corners; c++)
            if (b->values[c][0] > b->last[1]) b->last[1] = b->values[c][0];
    } else
        for (int64_t c = 0; c < corners; c++) b->values[c] = (b->values[c] + (ONE - 1)) >> UNIT;
    for (int r = 0; r < (leaf ? 1 : LANES); r++)
        if (huge[r]) {
            wide constant = (wide)high[r] * ONE + low[r], more = (wide)more_high[r] * ONE + more_low[r];
            if (!added_up(m, b, r, raised, constant, more, leaf)) bad[r] = -1;
        }
    return bad;
}

/* The coefficients of z or, a unit above their negatives, of -z: of neuron i of a layer, in a lane. */
static void begun(const struct model *m, struct box *b, int64_t level, int64_t i, int negative, int lane, ints *bias) {
    const double *row = m->matrices[level] + i * padded(m->widths[level - 1] + 1);
    for (int64_t k = 0; k <= b->counts[level - 1]; k++) {
        int64_t w = (int64_t)row[b->columns[k]];
        b->q[k][lane] = negative ? 1 - w : w;
    }
    (*bias)[lane] = b->q[b->counts[level - 1]][lane];
}

/* What the layer reads that is not 0, in b->columns, and the bias. */
static void sources(const struct model *m, struct box *b, int64_t level) {
    int64_t count = b->counts[level - 1];
    for (int64_t k = 0; k < count; k++) b->columns[k] = level > 1 ? b->alive[b->starts[level - 1] + k] : k;
    b->columns[count] = m->widths[level - 1];
}

/* Bounds of some neurons of a layer, met with what is known; 0 if numbers were too large. */
static int derived(const struct model *m, struct box *b, int64_t level, int64_t *known, const uint8_t *again) {
    int64_t width = m->widths[level], corners = m->corners, columns = padded(corners), count = 0;
    int64_t *least = known, *most = known + width;
    sources(m, b, level);
    for (int64_t i = 0; i < width; i++)
        if (least[i] < 0 && most[i] > 0 && (!again || again[i])) b->open[count++] = i;
    for (int64_t first = 0; first < count; first += LANES / 2) {
        int64_t some = count - first < LANES / 2 ? count - first : LANES / 2;
        ints bias = {0};
        memset(b->q, 0, (size_t)(b->counts[level - 1] + 1) * sizeof(ints));
        for (int64_t k = 0; k < some; k++)
            for (int s = 0; s < 2; s++) begun(m, b, level, b->open[first + k], s, (int)(2 * k + s), &bias);
        if (any(bounded(m, b, level, bias, b->below, 0))) return 0;
        ints top = b->values[0]; /* at most 2^34 */
        reals turned[LANES];
        for (int64_t c = 1; c < corners; c++) top = chosen_ints(b->values[c] > top, b->values[c], top);
        for (int64_t c = 0; c < columns; c += LANES) {
            transposed((const reals *)b->values + c, turned);
            for (int64_t k = 0; k < some; k++) {
                int64_t there = (b->open[first + k] * columns + c) / LANES;
                b->over[there] = (ints)turned[2 * k], b->under[there] = (ints)turned[2 * k + 1];
            }
        }
        for (int64_t k = 0; k < some; k++) {
            int64_t i = b->open[first + k];
            if (-top[2 * k + 1] > least[i]) least[i] = -top[2 * k + 1];
            if (top[2 * k] < most[i]) most[i] = top[2 * k];
        }
    }
    /* the lines around the outputs */
    int64_t start = b->starts[level], next = 0, alive = 0, cost = 0;
    for (int64_t i = 0; i < width; i++) {
        int64_t s = start + i, low = least[i], high = most[i];
        int is_open = next < count && b->open[next] == i;
        next += is_open;
        b->height[s] = b->plain[s] = 0;
        b->tall[s] = 0;
        if (low >= 0)
            b->above[s] = b->below[s] = ONE;
        else if (high > 0) {
            int64_t above = high * ONE / (high - low), rest = ONE - above, sum = 0; /* high < 2^34 */
            int64_t below = 4 * above - 2 * ONE, height = -((-rest * high) >> UNIT), tall = 0;
            b->above[s] = above;
            b->below[s] = below < 0 ? 0 : below > ONE ? ONE : below;
            b->height[s] = b->plain[s] = height;
            cost += high;
            if (is_open) {
                reals *heights = (reals *)(b->heights + s * columns);
                const ints *over = b->over + i * columns / LANES, *under = b->under + i * columns / LANES;
                ints place = {0, 1, 2, 3, 4, 5, 6, 7}, sums = place ^ place, tallest = sums;
                for (int64_t c = 0; c < columns / LANES; c++, place += LANES) {
                    /* bounds at corners <= 2^34, slopes <= 2^28; sums of at most 256 below 2^43 */
                    ints left = above * under[c], right = rest * over[c];
                    ints there = ((chosen_ints(left > right, left, right) >> UNIT) + 1) & (place < corners);
                    heights[c] = __builtin_convertvector(there, reals);
                    sums += there;
                    there = chosen_ints(there < 0, -there, there);
                    tallest = chosen_ints(there > tallest, there, tallest);
                }
                for (int r = 0; r < LANES; r++) {
                    sum += sums[r];
                    tall = tallest[r] > tall ? tallest[r] : tall;
                }
                if (sum < corners * height) {
                    b->plain[s] = 0;
                    b->tall[s] = (double)tall;
                }
            }
        } else
            continue;
        b->alive[start + alive++] = i;
    }
    b->counts[level] = alive;
    b->cost[level] = cost;
    narrowed(m->matrices[level], padded(m->widths[level - 1] + 1), alive, b->alive + start, b->counts[level - 1] + 1,
             b->columns, b->narrow[level]);
    return 1;
}

static int empty(const struct model *m, int64_t level, const int64_t *known) {
    for (int64_t i = 0; i < m->widths[level]; i++)
        if (known[i] > known[m->widths[level] + i]) return 1;
    return 0;
}

/* The state of a box, and the bound of a leaf in 2^-56; `slopes` in sixteenths, < 0: the default. */
static int judged(const struct model *m, struct box *b, int64_t *known, const uint8_t *again, int leaf,
                  const int8_t *slopes, int64_t neuron, int negative, int64_t *bound) {
    int64_t *here = known;
    for (int64_t l = 1; l <= m->layers; here += 2 * m->widths[l++])
        if (empty(m, l, here)) return GOOD | EMPTY;
    here = known;
    for (int64_t l = 1; l <= m->layers; here += 2 * m->widths[l++]) {
        if (!derived(m, b, l, here, l == m->layers ? again : NULL)) return 0;
        if (empty(m, l, here)) return GOOD | EMPTY;
    }
    if (!leaf) return GOOD;
    for (int64_t s = 0; s < b->starts[m->layers + 1]; s++)
        if (slopes[s] >= 0 && b->height[s]) b->below[s] = (int64_t)slopes[s] * (ONE / 16);
    ints bias = {0};
    sources(m, b, m->layers + 1);
    memset(b->q, 0, (size_t)(b->counts[m->layers] + 1) * sizeof(ints));
    begun(m, b, m->layers + 1, neuron, negative, 0, &bias);
    if (any(bounded(m, b, m->layers + 1, bias, b->below, 1))) return 0;
    *bound = b->last[0] < b->last[1] ? b->last[0] : b->last[1];
    return GOOD;
}

/* Boxes: sides (boxes, inputs), what is known (boxes, for each layer 2 width), which neurons of the last layer are
   derived again (boxes, width), which are leaves (boxes,), slopes (boxes, widths). Returns 0 if there is no memory. */
int ENTRY(judge)(const struct model *m, int64_t boxes, const int64_t *low, const int64_t *high, int64_t *known,
                 const uint8_t *again, const uint8_t *leaf, const int8_t *slopes, int64_t neuron, int64_t negative,
                 int64_t *bounds, uint8_t *states) {
    int64_t all = 0, widest = m->inputs, columns = padded(m->corners), word = 8, lanes = 8 * LANES;
    int64_t weights = 0;
    for (int64_t l = 1; l <= m->layers; l++) {
        all += m->widths[l];
        weights += m->widths[l] * padded(m->widths[l - 1] + 1);
        widest = m->widths[l] > widest ? m->widths[l] : widest;
    }
    int64_t wide_ = padded(widest + 1), corners = columns > wide_ ? columns : wide_;
    struct room room;
    if (!opened(&room, weights * word + (wide_ + m->layers + 1) * word + (m->layers + 3) * 64 + all * word * 8 + all * columns * word + 2 * wide_ * columns * word + 5 * (m->layers + 2) * word +
                           6 * wide_ * lanes + 3 * corners * lanes + 3 * all * lanes + wide_ * word + 64 * 40))
        return 0;
    struct box b;
    int64_t **numbers[] = {&b.above, &b.below, &b.height, &b.plain, &b.alive, &b.rows};
    for (int k = 0; k < 6; k++) *numbers[k] = taken(&room, all * word);
    b.tall = taken(&room, all * word);
    b.heights = taken(&room, all * columns * word);
    memset(b.heights, 0, (size_t)(all * columns * word));
    b.over = taken(&room, wide_ * columns * word), b.under = taken(&room, wide_ * columns * word);
    b.open = taken(&room, wide_ * word);
    int64_t **tables[] = {&b.starts, &b.counts, &b.cost};
    for (int k = 0; k < 3; k++) *tables[k] = taken(&room, (m->layers + 2) * word);
    b.q = taken(&room, wide_ * lanes), b.p = taken(&room, wide_ * lanes);
    b.s1 = taken(&room, wide_ * lanes), b.s0 = taken(&room, wide_ * lanes);
    b.f1 = taken(&room, wide_ * lanes), b.f0 = taken(&room, wide_ * lanes);
    b.values = taken(&room, corners * lanes), b.sum1 = taken(&room, corners * lanes);
    b.sum0 = taken(&room, corners * lanes);
    b.raised = taken(&room, all * lanes), b.r1 = taken(&room, all * lanes), b.r0 = taken(&room, all * lanes);
    b.columns = taken(&room, wide_ * word), b.narrow = taken(&room, (m->layers + 1) * word);
    for (int64_t l = 1; l <= m->layers; l++)
        b.narrow[l] = taken(&room, m->widths[l] * padded(m->widths[l - 1] + 1) * word);
    b.counts[0] = m->inputs;
    b.starts[1] = 0;
    for (int64_t l = 1; l <= m->layers; l++) b.starts[l + 1] = b.starts[l] + m->widths[l];
    for (int64_t k = 0; k < boxes; k++) {
        b.low = low + k * m->inputs, b.high = high + k * m->inputs;
        bounds[k] = 0;
        states[k] = (uint8_t)judged(m, &b, known + 2 * k * all, again + k * m->widths[m->layers], leaf[k],
                                    slopes + k * all, neuron, (int)negative, bounds + k);
    }
    free(room.start);
    return 1;
}
