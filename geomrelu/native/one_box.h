/* The network as explore.c sees it, and bounds of earlier neurons on one box. */
#include "lanes.h"

#include <math.h>

#define FLOCK 32 /* boxes at a time, so that what is known at their corners stays near */
enum { DEFAULT, IMPROVED, EXACTLY, NEURON, INPUT, PROGRAM };

struct network {
    int64_t layers, inputs, corners;   /* layers before the one of the neuron; corners: 2 to the inputs that vary */
    const int64_t *widths;             /* inputs, layer 1, ... */
    const double *const *matrices;     /* of layer l: (width, padded(width before)) */
    const double *const *turned;       /* of layer l: (width before, padded(width)) */
    const double *const *biases;       /* of layer l */
    const double *target;              /* the weights of the neuron */
    double constant;                   /* and its bias */
    const int64_t *varies;             /* of each input */
    double enough, nothing;            /* a bound that need not be better; what is as good as 0 */
    int64_t steps, few;                /* on the slopes; so few neurons loosen a bound that their signs are split */
};

struct found { /* of each box */
    uint8_t *kind;
    int64_t *layer, *index; /* of a split */
    double *bound, *points, *values;
    double *low, *high; /* of all neurons, fresh */
    uint8_t *slopes;    /* in sixteenths */
    double *added;      /* multipliers of signs */
    uint8_t *again;     /* which neurons of the last layer a leaf derives */
};

struct lines { double above, height, below; };

INLINE struct lines around(double low, double high) {
    struct lines l = {0, 0, 0};
    if (low < 0 && high > 0) {
        l.above = high / (high - low);
        l.height = -low * l.above;
        l.below = 4 * l.above - 2;
        l.below = l.below < 0 ? 0 : l.below > 1 ? 1 : l.below;
    } else if (low >= 0)
        l.above = l.below = 1;
    return l;
}

/* ---- earlier neurons, on one box ------------------------------------------------------------------------------- */

struct box {
    const double *lower, *upper;
    double *low, *high, *gaps; /* all; gaps: (all, columns) */
    uint8_t *gapped;
    double *points;            /* its corners: (inputs, columns) */
    struct lines *lines;
    int64_t *alive, *counts;
    const int64_t *starts;
    reals *here, *factors, *sums, *values, *raised;
    int64_t *rows, *inputs, *open;
    reals *over, *under;       /* of a layer, at the corners */
    double **narrow;           /* of each layer: its matrix, of what is not 0 before */
};

/* Forms on the outputs of layer `level - 1` that are not 0 (coefficients in here, one after the other), at the corners:
   in values. */
static void back(const struct network *m, struct box *b, int64_t level, reals constant) {
    int64_t raised = 0, columns = padded(m->corners);
    for (int64_t at = level - 1; at > 0; at--) {
        int64_t start = b->starts[at], count = b->counts[at], before = padded(b->counts[at - 1]);
        const int64_t *rows = b->alive + start;
        for (int64_t k = 0; k < count; k++) {
            int64_t i = rows[k];
            struct lines l = b->lines[start + i];
            reals h = b->here[k];
            if (l.height != 0) {
                reals plus = positive(h);
                constant += plus * l.height;
                if (b->gapped[start + i]) {
                    b->raised[raised] = -plus;
                    b->rows[raised++] = start + i;
                }
                h = h * l.below + plus * (l.above - l.below);
            }
            b->factors[k] = h;
            constant += h * m->biases[at][i];
        }
        memset(b->sums, 0, (size_t)before * sizeof(reals));
        product(count, b->factors, rows, b->narrow[at], before, before, b->sums);
        reals *other = b->here;
        b->here = b->sums, b->sums = other;
    }
    for (int64_t c = 0; c < columns; c++) b->values[c] = constant;
    product(m->inputs, b->here, b->inputs, b->points, columns, columns, b->values);
    product(raised, b->raised, b->rows, b->gaps, columns, columns, b->values);
}

static void met(const struct network *m, struct box *b, int64_t at, const double *known_low, const double *known_high,
                const uint8_t *unwanted) {
    int64_t width = m->widths[at], start = b->starts[at], columns = padded(m->corners), corners = m->corners;
    int64_t before = padded(m->widths[at - 1]), kept = b->counts[at - 1], count = 0;
    const int64_t *sources = at > 1 ? b->alive + b->starts[at - 1] : b->inputs;
    double *low = b->low + start, *high = b->high + start;
    const double *matrix = m->matrices[at];
    for (int64_t i = 0; i < width; i++) {
        low[i] = known_low ? known_low[start + i] : -INFINITY;
        high[i] = known_high ? known_high[start + i] : INFINITY;
        b->gapped[start + i] = 0;
        if (low[i] < 0 && high[i] > 0 && !(unwanted && unwanted[i])) b->open[count++] = i;
    }
    for (int64_t first = 0; first < count; first += LANES / 2) {
        int64_t some = count - first < LANES / 2 ? count - first : LANES / 2;
        reals constant = every(0);
        memset(b->here, 0, (size_t)kept * sizeof(reals));
        for (int64_t k = 0; k < some; k++) {
            int64_t i = b->open[first + k];
            for (int64_t j = 0; j < kept; j++) {
                double w = matrix[i * before + sources[j]];
                b->here[j][2 * k] = w, b->here[j][2 * k + 1] = -w;
            }
            constant[2 * k] = m->biases[at][i], constant[2 * k + 1] = -m->biases[at][i];
        }
        back(m, b, at, constant);
        reals top = every(-INFINITY), turned[LANES];
        for (int64_t c = 0; c < corners; c++) top = larger(b->values[c], top);
        for (int64_t c = 0; c < columns; c += LANES) {
            transposed(b->values + c, turned);
            for (int64_t k = 0; k < some; k++) {
                int64_t there = (b->open[first + k] * columns + c) / LANES;
                b->over[there] = turned[2 * k], b->under[there] = turned[2 * k + 1];
            }
        }
        for (int64_t k = 0; k < some; k++) {
            int64_t i = b->open[first + k];
            if (-top[2 * k + 1] > low[i]) low[i] = -top[2 * k + 1];
            if (top[2 * k] < high[i]) high[i] = top[2 * k];
        }
    }
    int64_t alive = 0, next = 0;
    for (int64_t i = 0; i < width; i++) {
        int64_t s = start + i;
        struct lines l = b->lines[s] = around(low[i], high[i]);
        int is_open = next < count && b->open[next] == i;
        next += is_open;
        if (l.above != 0) b->alive[start + alive++] = i;
        if (is_open && l.height != 0) {
            reals *gaps = (reals *)(b->gaps + s * columns), sum = every(0);
            const reals *over = b->over + i * columns / LANES, *under = b->under + i * columns / LANES;
            for (int64_t c = 0; c < columns / LANES; c++)
                gaps[c] = l.height - larger(l.above * under[c], (1 - l.above) * over[c]);
            for (int64_t c = corners; c < columns; c++) b->gaps[s * columns + c] = 0;
            for (int64_t c = 0; c < columns / LANES; c++) sum += gaps[c];
            b->gapped[s] = total(sum) > 0;
        }
    }
    b->counts[at] = alive;
    narrowed(matrix, before, alive, b->alive + start, kept, sources, b->narrow[at]);
}
