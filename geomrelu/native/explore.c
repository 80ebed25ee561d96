/* Boxes bounded in floating point, each taken as far as one visit can: what deadness/relaxation.py does for a batch in
   arrays (read there what it means), box by box while earlier neurons are bounded, eight boxes at a time after that.

   Nothing here decides: what is found is judged in integers. Lanes are first forms (z and -z of four neurons), then
   boxes. Arrays over "all" neurons are those of layers 1, 2, ... one after the other. */
#include "one_box.h"

/* ---- eight boxes ------------------------------------------------------------------------------------------------ */

struct flock {
    const struct network *m;
    const int64_t *starts;
    int64_t *alive, *counts;           /* neurons that are not 0 on all of the boxes, of each layer */
    int64_t *gapped, gap_count;        /* neurons with gaps on one of them */
    double **narrow, **turned;         /* of each layer: its matrix, of what is alive before, and turned, of what is here */
    reals *low, *high, *above, *height, *below, *gaps; /* gaps: (gap_count, corners) */
    reals *lower, *upper, *points;     /* points: (inputs, corners) */
    reals *weights, *slope, *kept, *kept_added, *speed, *added, *moving, *phases, *y, *outputs, *factors, *sums, *along, *losses, *lowered;
    reals *worst_gaps;
    int64_t *every_row, *every_neuron;
    int signs;
    reals point[64];                   /* where the last bound is attained; at most 64 inputs */
    ints corner;
};

/* What belongs to the neurons of a layer that are alive, put where they are. */
static void placed(struct flock *f, int64_t at, const reals *from, reals *to) {
    const int64_t *rows = f->alive + f->starts[at];
    for (int64_t k = 0; k < f->counts[at]; k++) to[rows[k]] = from[k];
}

/* Coefficients of an upper bound of the neuron on the outputs of each layer, on the inputs (slope), and the constant. */
static reals pulled(struct flock *f, const reals *below, const reals *added) {
    const struct network *m = f->m;
    reals constant = every(m->constant);
    for (int64_t j = 0; j < padded(m->widths[m->layers]); j++)
        f->weights[f->starts[m->layers] + j] = every(j < m->widths[m->layers] ? m->target[j] : 0);
    for (int64_t at = m->layers; at > 0; at--) {
        int64_t start = f->starts[at], count = f->counts[at], kept = at > 1 ? f->counts[at - 1] : m->inputs;
        const int64_t *rows = f->alive + start;
        for (int64_t k = 0; k < count; k++) {
            int64_t s = start + rows[k];
            reals h = f->weights[s], plus = positive(h);
            constant += plus * f->height[s];
            h = h * below[s] + plus * (f->above[s] - below[s]);
            if (added) h += added[s];
            f->factors[k] = h;
            constant += h * m->biases[at][rows[k]];
        }
        reals *out = at > 1 ? f->sums : f->slope;
        memset(out, 0, (size_t)padded(kept) * sizeof(reals));
        product(count, f->factors, rows, f->narrow[at], padded(kept), padded(kept), out);
        if (at > 1) placed(f, at - 1, out, f->weights + f->starts[at - 1]);
    }
    return constant;
}

/* That at some corners, in y. */
INLINE void cornered(struct flock *f, reals constant, int64_t first, int64_t some) {
    const struct network *m = f->m;
    reals value[4] = {constant, constant, constant, constant};
    for (int64_t j = 0; j < m->inputs; j++)
        for (int64_t c = 0; c < some; c++) value[c] += f->slope[j] * f->points[j * m->corners + first + c];
    for (int64_t g = 0; g < f->gap_count; g++)
        for (int64_t c = 0; c < some; c++) value[c] += f->lowered[g] * f->gaps[g * m->corners + first + c];
    for (int64_t c = 0; c < some; c++) f->y[first + c] = value[c];
}

/* The bound of that at the worst corner. */
static reals worst(struct flock *f, reals constant) {
    const struct network *m = f->m;
    reals best = every(-INFINITY);
    f->corner = (best > best);
    for (int64_t g = 0; g < f->gap_count; g++) f->lowered[g] = -positive(f->weights[f->gapped[g]]);
    if (m->corners % 4 == 0)
        for (int64_t first = 0; first < m->corners; first += 4) cornered(f, constant, first, 4);
    else /* there are one or two */
        for (int64_t first = 0; first < m->corners; first++) cornered(f, constant, first, 1);
    ints at = f->corner;
    for (int64_t c = 0; c < m->corners; c++) {
        ints better = ~(f->y[c] <= best); /* NaN, from numbers beyond the floats, stays */
        best = chosen(better, f->y[c], best);
        f->corner = chosen_ints(better, at + c, f->corner);
    }
    for (int r = 0; r < LANES; r++)
        for (int64_t j = 0; j < m->inputs; j++) f->point[j][r] = f->points[j * m->corners + f->corner[r]][r];
    return best;
}

/* z of what is alive in layer `at` from the outputs before, at one point of each box. */
static void fed(struct flock *f, int64_t at, const reals *outputs, reals *z) {
    const struct network *m = f->m;
    int64_t kept = f->counts[at], columns = padded(kept), count = at > 1 ? f->counts[at - 1] : m->inputs;
    const int64_t *rows = at > 1 ? f->alive + f->starts[at - 1] : f->every_row, *here = f->alive + f->starts[at];
    for (int64_t k = 0; k < columns; k++) f->sums[k] = every(k < kept ? m->biases[at][here[k]] : 0);
    for (int64_t k = 0; k < count; k++) f->factors[k] = outputs[rows[k]];
    product(count, f->factors, rows, f->turned[at], columns, columns, f->sums);
    placed(f, at, f->sums, z);
}

/* The neuron itself at a point of each box; outputs of neurons that are not alive there are 0. */
static reals evaluated(struct flock *f, const reals *point) {
    const struct network *m = f->m;
    memcpy(f->outputs, point, (size_t)m->inputs * sizeof(reals));
    for (int64_t at = 1; at <= m->layers; at++) {
        fed(f, at, f->outputs, f->y);
        for (int64_t k = 0; k < f->counts[at]; k++) {
            int64_t i = f->alive[f->starts[at] + k];
            f->outputs[i] = positive(f->y[i]);
        }
    }
    reals z = every(m->constant);
    for (int64_t k = 0; k < f->counts[m->layers]; k++) {
        int64_t i = f->alive[f->starts[m->layers] + k];
        z += f->outputs[i] * m->target[i];
    }
    return z;
}

/* alpha-CROWN: slopes below (and multipliers of signs) after some gradient steps, in kept; the last bound. */
static reals improved(struct flock *f, int64_t all) {
    const struct network *m = f->m;
    reals best = every(INFINITY), first = best, room = every(1);
    memcpy(f->moving, f->below, (size_t)all * sizeof(reals));
    memcpy(f->kept, f->below, (size_t)all * sizeof(reals));
    memset(f->speed, 0, (size_t)all * sizeof(reals));
    memset(f->added, 0, (size_t)all * sizeof(reals));
    memset(f->kept_added, 0, (size_t)all * sizeof(reals));
    for (int64_t step = 0; step < m->steps; step++) {
        reals bound = worst(f, pulled(f, f->moving, f->signs ? f->added : NULL));
        if (step == 0) first = bound;
        ints better = bound < best;
        best = chosen(better, bound, best);
        for (int64_t s = 0; s < all; s++) f->kept[s] = chosen(better, f->moving[s], f->kept[s]);
        if (f->signs)
            for (int64_t s = 0; s < all; s++) f->kept_added[s] = chosen(better, f->added[s], f->kept_added[s]);
        if (step == 2 || step == 5 || step == 9 || step == 13) { /* more only where it is not settled or hopeless */
            ints going = best > m->enough;
            if (!f->signs && step >= 9) going &= best < 0.4 * first;
            if (!any(going)) break;
        }
        double pace = pow(0.08, (double)step / (double)m->steps), grow = 0.5 * pow(0.9, (double)step);
        memset(f->worst_gaps, 0, (size_t)all * sizeof(reals));
        for (int64_t g = 0; g < f->gap_count; g++)
            for (int r = 0; r < LANES; r++)
                f->worst_gaps[f->gapped[g]][r] = f->gaps[g * m->corners + f->corner[r]][r];
        memcpy(f->outputs, f->point, (size_t)m->inputs * sizeof(reals));
        for (int64_t at = 1; at <= m->layers; at++) {
            int64_t start = f->starts[at];
            reals least = every(1e-300), most = least, largest = every(0);
            fed(f, at, f->outputs, f->y);
            for (int64_t k = 0; k < f->counts[at]; k++) {
                int64_t i = f->alive[start + k], s = start + i;
                ints unknown = f->height[s] != 0;
                reals y = f->y[i], weight = f->weights[s];
                ints negative = weight < 0;
                reals pull = (reals)((ints)(weight * y) & negative & unknown);
                reals chord = f->above[s] * y + f->height[s] - f->worst_gaps[s];
                f->outputs[i] = chosen(negative, f->moving[s] * y, chord);
                least = larger(least, size(pull));
                f->factors[k] = pull;
                if (f->signs) {
                    most = larger(most, size(f->phases[s] * y));
                    largest = larger(largest, size(weight));
                }
            }
            if (f->signs && step == 0) room = larger(room, largest);
            double rate = pace;
            for (int64_t k = 0; k < f->counts[at]; k++) {
                int64_t i = f->alive[start + k], s = start + i;
                f->speed[s] = 0.7 * f->speed[s] + f->factors[k] / least;
                reals moved = smaller(larger(f->moving[s] - rate * f->speed[s], every(0)), every(1));
                f->moving[s] = chosen(f->height[s] != 0, moved, f->moving[s]);
                if (f->signs) {
                    reals phase = f->phases[s];
                    reals grown = phase * f->added[s] - grow * room * (phase * f->y[i] / most);
                    f->added[s] = phase * positive(grown);
                }
            }
        }
    }
    for (int64_t s = 0; s < all; s++)
        for (int r = 0; r < LANES; r++) {
            if (f->height[s][r] != 0) f->kept[s][r] = nearbyint(16 * f->kept[s][r]) / 16;
            if (f->signs) f->kept_added[s][r] = nearbyint(4096 * f->kept_added[s][r]) / 4096;
        }
    return worst(f, pulled(f, f->kept, f->signs ? f->kept_added : NULL));
}

/* For each layer and neuron the linear function along the middles of chords, (all, inputs): see `blame`, `_likely`. */
static void followed(struct flock *f, int64_t at) {
    const struct network *m = f->m;
    int64_t n = m->inputs, columns = padded(m->widths[at]), kept = padded(f->counts[at]);
    for (int64_t j = 0; j < n; j++) {
        reals *along = f->along + (f->starts[at] * n + j * columns);
        if (at == 1) {
            for (int64_t i = 0; i < m->widths[1]; i++) along[i] = every(m->turned[1][j * columns + i]);
            continue;
        }
        const reals *inner = f->along + (f->starts[at - 1] * n + j * padded(m->widths[at - 1]));
        const int64_t *rows = f->alive + f->starts[at - 1];
        for (int64_t k = 0; k < f->counts[at - 1]; k++)
            f->factors[k] = inner[rows[k]] * f->above[f->starts[at - 1] + rows[k]];
        memset(f->sums, 0, (size_t)kept * sizeof(reals));
        product(f->counts[at - 1], f->factors, rows, f->turned[at], kept, kept, f->sums);
        placed(f, at, f->sums, along);
    }
}

/* Neurons of the last layer that only need a line below get the one for the bounds on that linear function. */
static void guessed(struct flock *f, const uint8_t *unwanted) {
    const struct network *m = f->m;
    int64_t n = m->inputs, last = m->layers, start = f->starts[last], columns = padded(m->widths[last]);
    for (int64_t j = 0; j < n; j++) f->outputs[j] = (f->lower[j] + f->upper[j]) / 2.0;
    for (int64_t at = 1; at <= last; at++) {
        fed(f, at, f->outputs, f->y);
        if (at < last)
            for (int64_t k = 0; k < f->counts[at]; k++) {
                int64_t i = f->alive[f->starts[at] + k], s = f->starts[at] + i;
                f->outputs[i] = f->above[s] * f->y[i] + f->height[s] / 2.0;
            }
    }
    for (int64_t i = 0; i < m->widths[last]; i++) {
        reals low = f->low[start + i], high = f->high[start + i], spread = every(0);
        if (!unwanted[i] || !any((low < 0) & (high > 0))) continue;
        for (int64_t j = 0; j < n; j++)
            spread += size(f->along[start * n + j * columns + i]) * ((f->upper[j] - f->lower[j]) / 2.0);
        for (int r = 0; r < LANES; r++)
            if (low[r] < 0 && high[r] > 0) {
                double least = fmax(low[r], f->y[i][r] - spread[r]), most = fmin(high[r], f->y[i][r] + spread[r]);
                struct lines l = around(least, most);
                f->low[start + i][r] = least, f->high[start + i][r] = most;
                f->above[start + i][r] = l.above, f->height[start + i][r] = l.height, f->below[start + i][r] = l.below;
            }
    }
}

/* Which neurons of the last layer are derived again by a leaf with these slopes, and whether it is enough so. */
static ints needed(struct flock *f, const double *const *known_low, const double *const *known_high, const reals *below,
                   const reals *added, uint8_t *const *again) {
    const struct network *m = f->m;
    int64_t last = m->layers, start = f->starts[last], width = m->widths[last];
    reals *rounded = f->speed; /* free now */
    memcpy(rounded, below, (size_t)(start + padded(width)) * sizeof(reals));
    reals *above = f->along, *height = f->losses, *gaps = f->worst_gaps; /* what is replaced */
    memcpy(above, f->above + start, (size_t)width * sizeof(reals));
    memcpy(height, f->height + start, (size_t)width * sizeof(reals));
    memset(gaps, 0, (size_t)width * sizeof(reals)); /* which gaps are not there */
    for (int64_t i = 0; i < width; i++)
        for (int r = 0; r < LANES; r++) {
            rounded[start + i][r] = nearbyint(16 * rounded[start + i][r]) / 16;
            double low = known_low[r][start + i], high = known_high[r][start + i];
            again[r][i] = m->target[i] > 0 && low < 0 && high > 0;
            if (!again[r][i]) {
                struct lines l = around(low, high);
                f->above[start + i][r] = l.above, f->height[start + i][r] = l.height;
                ((ints *)gaps)[i][r] = -1;
            }
        }
    int64_t first = 0;
    while (first < f->gap_count && f->gapped[first] < start) first++;
    reals *kept_gaps = f->gaps + f->gap_count * m->corners; /* room is left for them */
    memcpy(kept_gaps, f->gaps + first * m->corners, (size_t)((f->gap_count - first) * m->corners) * sizeof(reals));
    for (int64_t g = first; g < f->gap_count; g++)
        for (int64_t c = 0; c < m->corners; c++) {
            reals *gap = f->gaps + g * m->corners + c;
            *gap = (reals)((ints)*gap & ~((ints *)gaps)[f->gapped[g] - start]);
        }
    /* neurons that were known to be 0 by fresh bounds only have lines now, so all of the layer is looked at */
    int64_t count = f->counts[last];
    memcpy(f->every_row + 64, f->alive + start, (size_t)count * sizeof(int64_t));
    for (int64_t i = 0; i < width; i++) f->alive[start + i] = i;
    f->counts[last] = width;
    ints good = worst(f, pulled(f, rounded, added)) <= m->enough;
    f->counts[last] = count;
    memcpy(f->alive + start, f->every_row + 64, (size_t)count * sizeof(int64_t));
    memcpy(f->gaps + first * m->corners, kept_gaps, (size_t)((f->gap_count - first) * m->corners) * sizeof(reals));
    memcpy(f->above + start, above, (size_t)width * sizeof(reals));
    memcpy(f->height + start, height, (size_t)width * sizeof(reals));
    return good;
}

/* Where to split: a neuron whose lines lose most, or the input that is to blame for most. */
static void split(struct flock *f, int64_t lanes, const int64_t *boxes, const struct found *out) {
    const struct network *m = f->m;
    int64_t n = m->inputs;
    reals blame[64], total = every(0), most = every(-1);
    ints layer = most > 0, index = layer, few = layer, zero = layer;
    for (int64_t j = 0; j < n; j++) blame[j] = every(0);
    pulled(f, f->kept, f->signs ? f->kept_added : NULL);
    for (int64_t at = 1; at <= m->layers; at++) {
        int64_t start = f->starts[at], columns = padded(m->widths[at]);
        followed(f, at);
        for (int64_t k = 0; k < f->counts[at]; k++) {
            int64_t i = f->alive[start + k], s = start + i;
            ints unknown = f->height[s] != 0;
            reals weight = f->weights[s], plus = positive(weight), sum = every(1e-300);
            reals cut = larger(-f->low[s] * f->kept[s], f->high[s] * (1.0 - f->kept[s]));
            reals loss = plus * f->height[s] + (plus - weight) * (reals)((ints)cut & unknown);
            f->losses[s] = (reals)(((ints)loss & unknown) | ((ints)every(-1) & ~unknown));
            loss = positive(f->losses[s]);
            total += loss;
            ints better = f->losses[s] > most;
            most = chosen(better, f->losses[s], most);
            layer = chosen_ints(better, zero + at, layer);
            index = chosen_ints(better, zero + i, index);
            for (int64_t j = 0; j < n; j++)
                sum += size(f->along[start * n + j * columns + i]) * (f->upper[j] - f->lower[j]);
            sum = loss / sum;
            for (int64_t j = 0; j < n; j++)
                blame[j] += size(f->along[start * n + j * columns + i]) * (f->upper[j] - f->lower[j]) * sum;
        }
    }
    for (int64_t at = 1; at <= m->layers; at++)
        for (int64_t k = 0; k < f->counts[at]; k++)
            few -= f->losses[f->starts[at] + f->alive[f->starts[at] + k]] > total / 100.0;
    for (int64_t r = 0; r < lanes; r++) {
        int64_t box = boxes[r], best = 0;
        if (out->kind[box] != INPUT) continue; /* it is settled */
        for (int64_t j = 1; j < n; j++)
            if (blame[j][r] > blame[best][r]) best = j;
        if (!(total[r] > m->nothing))
            out->kind[box] = PROGRAM;
        else if (few[r] <= m->few) {
            out->kind[box] = NEURON;
            out->layer[box] = layer[r], out->index[box] = index[r];
        } else
            out->layer[box] = 0, out->index[box] = best;
    }
}

struct boxes {
    const double *lower, *upper, *known_low, *known_high;
    const int8_t *signs;
    const uint8_t *stubborn, *unwanted;
};

/* The lines of eight neurons, as `around` says. */
static void lined(struct flock *f, const struct found *out, int64_t all, int64_t lanes, const int64_t *boxes,
                  int64_t s) {
    reals lows[LANES], highs[LANES];
    for (int r = 0; r < LANES; r++) {
        int64_t q = r < lanes ? r : 0;
        lows[r] = loaded(out->low + boxes[q] * all + s), highs[r] = loaded(out->high + boxes[q] * all + s);
    }
    transposed(lows, f->low + s);
    transposed(highs, f->high + s);
    for (int64_t k = s; k < s + LANES; k++) {
        reals low = f->low[k], high = f->high[k], active = (reals)((ints)every(1) & (low >= 0.0));
        ints unknown = (low < 0.0) & (high > 0.0);
        reals above = chosen(unknown, high / chosen(unknown, high - low, every(1)), active);
        f->above[k] = above, f->height[k] = (reals)((ints)(-low * above) & unknown);
        f->below[k] = chosen(unknown, smaller(positive(4.0 * above - 2.0), every(1)), active);
    }
}

/* Bring some of the boxes, whose neurons are bounded, into lanes. `places` are those of their gaps. */
static void gathered(struct flock *f, const struct boxes *in, const struct found *out, int64_t all, int64_t lanes,
                     const int64_t *boxes, const int64_t *places, const double *gaps, const uint8_t *gapped) {
    const struct network *m = f->m;
    int64_t columns = padded(m->corners), n = m->inputs;
    f->gap_count = 0;
    for (int64_t at = 1; at <= m->layers; at++) {
        int64_t start = f->starts[at], alive = 0;
        for (int64_t i = 0; i < m->widths[at]; i++) {
            int64_t s = start + i;
            int lives, gap = 0;
            if (i % LANES == 0) lined(f, out, all, lanes, boxes, s);
            lives = any(f->above[s] != 0);
            for (int r = 0; r < LANES; r++) {
                int64_t q = r < lanes ? r : 0;
                if (f->signs) {
                    f->phases[s][r] = in->signs[boxes[q] * all + s];
                    lives |= in->signs[boxes[q] * all + s] != 0;
                }
                gap |= gapped[places[q] * all + s];
            }
            if (lives) f->alive[start + alive++] = i;
            if (!gap) continue;
            reals *to = f->gaps + f->gap_count * m->corners, rows[LANES], turned[LANES];
            f->gapped[f->gap_count++] = s;
            for (int64_t c = 0; c < m->corners; c += LANES) {
                for (int r = 0; r < LANES; r++) {
                    int64_t q = r < lanes ? r : 0;
                    rows[r] = gapped[places[q] * all + s] ? loaded(gaps + (places[q] * all + s) * columns + c) : every(0);
                }
                transposed(rows, turned);
                for (int64_t k = 0; k < LANES && c + k < m->corners; k++) to[c + k] = turned[k];
            }
        }
        f->counts[at] = alive;
        const int64_t *before = at > 1 ? f->alive + f->starts[at - 1] : f->every_row;
        const int64_t *rows = at < m->layers ? f->alive + start : f->every_neuron; /* `needed` looks at all of the last */
        int64_t kept = at > 1 ? f->counts[at - 1] : n, width = padded(m->widths[at]);
        int64_t used = at < m->layers ? alive : m->widths[at];
        narrowed(m->matrices[at], padded(m->widths[at - 1]), used, rows, kept, before, f->narrow[at]);
        narrowed(m->turned[at], width, kept, before, alive, f->alive + start, f->turned[at]);
        for (int64_t i = m->widths[at]; i < padded(m->widths[at]); i++) f->weights[start + i] = every(0);
    }
    for (int64_t j = 0; j < n; j++)
        for (int r = 0; r < LANES; r++) {
            int64_t q = r < lanes ? r : 0;
            f->lower[j][r] = in->lower[boxes[q] * n + j], f->upper[j][r] = in->upper[boxes[q] * n + j];
        }
    for (int64_t j = 0, bit = 1; j < n; j++) {
        for (int64_t c = 0; c < m->corners; c++)
            f->points[j * m->corners + c] = m->varies[j] && (c & bit) ? f->upper[j] : f->lower[j];
        if (m->varies[j]) bit *= 2;
    }
    if (in->known_low && in->unwanted) {
        for (int64_t at = 1; at <= m->layers; at++) followed(f, at);
        guessed(f, in->unwanted);
    }
}

/* What a visit to eight boxes finds. `fresh`: nothing has been tried; else the default lines did not settle them. */
static void visited(struct flock *f, const struct boxes *in, const struct found *out, int64_t all, int64_t lanes,
                    const int64_t *boxes, int fresh) {
    const struct network *m = f->m;
    const double *low[LANES], *high[LANES];
    uint8_t *again[LANES], *spare = (uint8_t *)f->moving; /* free when it is used */
    const reals *slopes = fresh ? f->below : f->kept, *added = NULL;
    reals bound;
    if (fresh)
        bound = worst(f, pulled(f, f->below, NULL));
    else {
        bound = improved(f, all);
        added = f->signs ? f->kept_added : NULL;
        reals middle[64], here = evaluated(f, f->point), there;
        for (int64_t j = 0; j < m->inputs; j++) middle[j] = (f->lower[j] + f->upper[j]) / 2.0;
        there = evaluated(f, middle);
        for (int64_t r = 0; r < lanes; r++) {
            out->values[boxes[r]] = here[r] >= there[r] ? here[r] : there[r];
            for (int64_t j = 0; j < m->inputs; j++)
                out->points[boxes[r] * m->inputs + j] = here[r] >= there[r] ? f->point[j][r] : middle[j][r];
        }
    }
    ints settled = bound <= m->enough, good;
    int some = 0, left = 0;
    for (int64_t r = 0; r < LANES; r++) {
        int64_t q = r < lanes ? r : 0;
        int is_empty = 0;
        for (int64_t s = 0; s < all; s++) {
            double a = out->low[boxes[q] * all + s], b = out->high[boxes[q] * all + s];
            is_empty |= a - b > 1e-9 * (fabs(a) + fabs(b));
        }
        if (is_empty) settled[r] = -1;
        if (in->stubborn[boxes[q]]) settled[r] = 0;
        if (r < lanes) some |= settled[r] != 0, out->bound[boxes[r]] = is_empty ? -INFINITY : bound[r];
        if (in->known_low) low[r] = in->known_low + boxes[q] * all, high[r] = in->known_high + boxes[q] * all;
        again[r] = r < lanes ? out->again + boxes[r] * m->widths[m->layers] : spare;
    }
    if (some && in->known_low && m->layers > 1) {
        good = needed(f, low, high, slopes, added, again);
        settled &= good;
    }
    for (int64_t r = 0; r < lanes; r++) {
        out->kind[boxes[r]] = settled[r] ? (fresh ? DEFAULT : IMPROVED) : INPUT;
        left |= !settled[r];
        for (int64_t s = 0; s < all; s++) out->slopes[boxes[r] * all + s] = (uint8_t)nearbyint(16 * slopes[s][r]);
        if (f->signs && !fresh)
            for (int64_t s = 0; s < all; s++) out->added[boxes[r] * all + s] = f->kept_added[s][r];
    }
    if (fresh || !left) return;
    reals highest = pulled(f, f->kept, added);
    for (int64_t j = 0; j < m->inputs; j++)
        highest += f->slope[j] * chosen(f->slope[j] > 0, f->upper[j], f->lower[j]);
    for (int64_t r = 0; r < lanes; r++)
        if (!settled[r] && highest[r] <= m->nothing && !in->stubborn[boxes[r]]) out->kind[boxes[r]] = EXACTLY;
    split(f, lanes, boxes, out);
}

/* Boxes: sides (boxes, inputs), bounds that hold on them (boxes, all) or NULL, signs (boxes, all) or NULL, which must be
   split whatever their bound; which neurons of the last layer only need a line below, or NULL. Returns 0 if there is
   no memory. At most 64 inputs; widths are multiples of 8 here (there are neurons without weights). */
int ENTRY(explore)(const struct network *m, int64_t count, const double *lower, const double *upper,
                   const double *known_low, const double *known_high, const int8_t *signs, const uint8_t *stubborn,
                   const uint8_t *unwanted, const struct found *out) {
    int64_t all = 0, widest = padded(m->inputs), columns = padded(m->corners), lanes = 8 * LANES, word = 8;
    for (int64_t l = 1; l <= m->layers; l++) {
        all += m->widths[l];
        widest = padded(m->widths[l]) > widest ? padded(m->widths[l]) : widest;
    }
    int64_t most = columns > widest ? columns : widest, last = m->widths[m->layers], weights = 0;
    for (int64_t l = 1; l <= m->layers; l++)
        weights += 2 * m->widths[l] * padded(m->widths[l - 1]) + m->widths[l - 1] * padded(m->widths[l]);
    struct room room;
    if (!opened(&room, weights * word + 3 * (m->layers + 1) * word + widest * word + (widest + all) * lanes + (3 * m->layers + 6) * 64 + FLOCK * all * (columns * word + 1) + m->inputs * columns * word + 3 * all * word +
                           4 * (m->layers + 2) * word + 4 * most * lanes + all * lanes + all * word + 4 * widest * word +
                           2 * widest * columns * word + (20 * all + 4 * most) * lanes +
                           (all + last) * m->corners * lanes + m->inputs * (m->corners + 3) * lanes +
                           all * m->inputs * lanes + 4 * all * word + 64 * 80 + 64 * word))
        return 0;
    struct box b;
    struct flock f;
    double *gaps = taken(&room, FLOCK * all * columns * word);
    uint8_t *gapped = taken(&room, FLOCK * all);
    int64_t *starts = taken(&room, (m->layers + 2) * word);
    starts[1] = 0;
    for (int64_t l = 1; l <= m->layers; l++) starts[l + 1] = starts[l] + m->widths[l];
    memset(gaps, 0, (size_t)(FLOCK * all * columns * word));
    b.points = taken(&room, m->inputs * columns * word);
    memset(b.points, 0, (size_t)(m->inputs * columns * word));
    b.lines = taken(&room, 3 * all * word);
    b.alive = taken(&room, all * word), b.counts = taken(&room, (m->layers + 2) * word), b.starts = starts;
    b.here = taken(&room, most * lanes), b.factors = taken(&room, most * lanes);
    b.sums = taken(&room, most * lanes), b.values = taken(&room, most * lanes);
    b.raised = taken(&room, all * lanes), b.rows = taken(&room, all * word);
    b.inputs = taken(&room, widest * word), b.open = taken(&room, widest * word);
    b.over = taken(&room, widest * columns * word), b.under = taken(&room, widest * columns * word);
    b.narrow = taken(&room, (m->layers + 1) * word), f.narrow = taken(&room, (m->layers + 1) * word);
    f.turned = taken(&room, (m->layers + 1) * word);
    for (int64_t l = 1; l <= m->layers; l++) {
        b.narrow[l] = taken(&room, m->widths[l] * padded(m->widths[l - 1]) * word);
        f.narrow[l] = taken(&room, m->widths[l] * padded(m->widths[l - 1]) * word);
        f.turned[l] = taken(&room, m->widths[l - 1] * padded(m->widths[l]) * word);
    }
    b.counts[0] = m->inputs;
    f.every_neuron = taken(&room, widest * word), f.sums = taken(&room, widest * lanes);
    f.lowered = taken(&room, all * lanes);
    for (int64_t i = 0; i < widest; i++) f.every_neuron[i] = i;
    f.m = m, f.starts = starts, f.signs = signs != NULL;
    f.alive = taken(&room, all * word), f.counts = taken(&room, (m->layers + 2) * word);
    f.gapped = taken(&room, all * word);
    reals **tables[] = {&f.low,  &f.high,       &f.above, &f.height, &f.below,  &f.weights, &f.kept,
                        &f.speed, &f.kept_added, &f.added, &f.moving, &f.phases, &f.losses,  &f.worst_gaps};
    for (int k = 0; k < 14; k++) {
        *tables[k] = taken(&room, all * lanes);
        memset(*tables[k], 0, (size_t)(all * lanes));
    }
    f.y = taken(&room, most * lanes), f.outputs = taken(&room, most * lanes), f.factors = taken(&room, most * lanes);
    f.gaps = taken(&room, (all + last) * m->corners * lanes);
    f.slope = taken(&room, padded(m->inputs) * lanes);
    f.lower = taken(&room, m->inputs * lanes), f.upper = taken(&room, m->inputs * lanes);
    f.points = taken(&room, m->inputs * m->corners * lanes);
    f.along = taken(&room, all * m->inputs * lanes);
    f.every_row = taken(&room, (64 + widest) * word);
    for (int64_t j = 0; j < m->inputs; j++) f.every_row[j] = b.inputs[j] = j;
    struct boxes in = {lower, upper, known_low, known_high, signs, stubborn, unwanted};
    for (int64_t first = 0; first < count; first += FLOCK) {
        int64_t some = count - first < FLOCK ? count - first : FLOCK, left = 0;
        int64_t boxes[FLOCK], places[FLOCK], open[FLOCK];
        for (int64_t k = 0; k < some; k++) {
            int64_t box = first + k;
            boxes[k] = box, places[k] = k;
            b.lower = lower + box * m->inputs, b.upper = upper + box * m->inputs;
            b.low = out->low + box * all, b.high = out->high + box * all;
            b.gaps = gaps + k * all * columns, b.gapped = gapped + k * all;
            for (int64_t j = 0, bit = 1; j < m->inputs; j++) {
                for (int64_t c = 0; c < m->corners; c++)
                    b.points[j * columns + c] = m->varies[j] && (c & bit) ? b.upper[j] : b.lower[j];
                if (m->varies[j]) bit *= 2;
            }
            for (int64_t at = 1; at <= m->layers; at++)
                met(m, &b, at, known_low ? known_low + box * all : NULL, known_high ? known_high + box * all : NULL,
                    known_low && at == m->layers ? unwanted : NULL);
        }
        for (int64_t k = 0; k < some; k += LANES) {
            int64_t now = some - k < LANES ? some - k : LANES;
            gathered(&f, &in, out, all, now, boxes + k, places + k, gaps, gapped);
            visited(&f, &in, out, all, now, boxes + k, 1);
        }
        for (int64_t k = 0; k < some; k++)
            if (out->kind[first + k] == INPUT) open[left] = first + k, places[left++] = k;
        for (int64_t k = 0; k < left; k += LANES) {
            int64_t now = left - k < LANES ? left - k : LANES;
            gathered(&f, &in, out, all, now, open + k, places + k, gaps, gapped);
            visited(&f, &in, out, all, now, open + k, 0);
        }
    }
    free(room.start);
    return 1;
}
