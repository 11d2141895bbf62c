/* Value functions of stored energy: backward recursion, forward pass, and the prices that prove it.
 *
 * V(t, e) is the most that steps t, t+1, ... bring with e MWh in store at instant t:
 *
 *     V(t, e) = worth of e at t  +  max over d of  g(t, d) + V(t+1, k e + d),   k e + d inside the window of t+1,
 *
 * k the share that self-discharge leaves, g(t, d) the most that step t brings while the cells gain d:
 *
 *     g(t, d) = max c.x   over   A x = b + d u,   l <= x <= u,   one flow of each converter closed,
 *
 * u the unit vector of the energy law's row. A is the same in all steps of a mode (which flows are closed), so that
 * its bases are known beforehand. By duality each basis gives a line above g, the least of them is g of that mode;
 * the rays of A give the range of d. Every worth is a vector of levels that count one after the other: the
 * objectives, then the cost that breaks ties. V is kept as breakpoints and slopes. Its slopes are copies of slopes of
 * g, so that equal ones are equal to the last bit and merge.
 *
 * Nothing here knows Python, a topology or a unit. Arrays belong to the caller, a `Memory` to `vf_free`.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS 3
#define LIMIT 65536 /* breakpoints of one curve: more, and the caller is told (TOO_MANY) */
#define MOST_ROWS 16
#define MOST_COLUMNS 64

typedef int64_t Int;
typedef struct { double of[LEVELS]; } Worth;
typedef struct { const double *at; Int stride; } Series; /* the value of step t is at[t * stride] */
typedef struct { double *x; Worth *slope; Worth start; Int n; } Curve; /* start: value at x[0]; n slopes, n+1 x */
typedef struct { Worth at, slope; Int basis; } Line; /* at: value at the sweep's origin */

enum { FINE, NO_PLAN, GAP, JUMP, UNBOUNDED, TOO_MANY, NO_MEMORY };

typedef struct { /* the same as in recursion.py */
    Int steps, levels, rows, columns, energy_row, most_bases;
    double kept, width, slack;                   /* width: less than this is no interval; slack: no violation */
    double slope_zero[LEVELS], value_zero[LEVELS]; /* less than this is equal */
    const Int *kind, *first_mode;                /* per step; per kind of step: modes first_mode[k] .. [k+1] */
    const Int *free_mode;                        /* per kind: the mode that closes nothing, for prices; -1: none */
    const Int *first_basis, *first_ray;          /* per mode */
    const Int *open;                             /* per mode and column: 1 if it may flow */
    const Int *basic, *loose;                    /* per basis: its columns; open others, ended by -1 */
    const double *inverse, *tableau;             /* per basis: B^-1, B^-1 A */
    const double *ray, *ray_column;              /* per ray y: y, -A'y */
    const Series *cost, *lower, *upper, *right;  /* cost: level by level */
    Series least, most, energy_worth[LEVELS];    /* window of each instant, worth of energy there */
} Problem;

typedef struct {
    Int first, last, status, where, most, points, gains, points_room, gains_room;
    Worth value;
    Int *point_at, *gain_at; /* per step: where V(t+1) and g(t) begin, and their end */
    Int *point_n, *gain_n;
    double *x, *gain_x;
    Worth *slope, *gain_slope;
    Curve now; /* V(first) */
} Memory;

typedef struct {
    Worth cost[MOST_COLUMNS];
    double lower[MOST_COLUMNS], upper[MOST_COLUMNS], right[MOST_ROWS];
    Line *line;
    double *mark;
    Curve mode[64], gain, a, b, c;
} Work;

/* ---- worths ------------------------------------------------------------------------------------------------ */

static Worth zero(void) { Worth r = {{0}}; return r; }
static Worth minus(Worth a, Worth b) { for (int k = 0; k < LEVELS; k++) a.of[k] -= b.of[k]; return a; }
static Worth plus(Worth a, Worth b) { for (int k = 0; k < LEVELS; k++) a.of[k] += b.of[k]; return a; }
static Worth times(Worth a, double f) { for (int k = 0; k < LEVELS; k++) a.of[k] *= f; return a; }
static void add(Worth *a, Worth b, double f) { for (int k = 0; k < LEVELS; k++) a->of[k] += f * b.of[k]; }

/* Sign of a worth: that of its first level that is not zero. */
static int sign_of(const Problem *p, Worth a, const double *none)
{
    for (Int k = 0; k < p->levels; k++) {
        if (a.of[k] > none[k]) return 1;
        if (a.of[k] < -none[k]) return -1;
    }
    return 0;
}
static int steeper(const Problem *p, Worth a, Worth b) { return sign_of(p, minus(a, b), p->slope_zero); }
static int better(const Problem *p, Worth a, Worth b) { return sign_of(p, minus(a, b), p->value_zero); }

/* How far from here a difference of values `d` <= 0 that changes by `rate` turns positive; infinite if never. */
static double crossing(const Problem *p, Worth d, Worth rate)
{
    for (Int k = 0; k < p->levels; k++) {
        if (rate.of[k] > p->slope_zero[k]) return fmax(0.0, -d.of[k] / rate.of[k]);
        if (rate.of[k] < -p->slope_zero[k] || fabs(d.of[k]) > p->value_zero[k]) return INFINITY;
    }
    return INFINITY;
}

/* ---- curves ------------------------------------------------------------------------------------------------ */

/* Begin a segment at x; what is left of a sliver goes to it, an equal slope goes on. */
static void put(const Problem *p, Curve *c, double x, Worth slope)
{
    if (c->n > 0 && x - c->x[c->n - 1] <= p->width) x = c->x[--c->n];
    if (c->n > 0 && steeper(p, c->slope[c->n - 1], slope) == 0) return;
    c->x[c->n] = x;
    c->slope[c->n++] = slope;
}
static void end_at(const Problem *p, Curve *c, double x)
{
    if (c->n > 1 && x - c->x[c->n - 1] <= p->width) c->n--;
    c->x[c->n] = x;
}
static void swap(Curve *a, Curve *b) { Curve c = *a; *a = *b; *b = c; }
static int concave(const Problem *p, const Curve *c)
{
    for (Int i = 1; i < c->n; i++) if (steeper(p, c->slope[i], c->slope[i - 1]) > 0) return 0;
    return 1;
}

/* Greatest (sign 1) or least (sign -1) of `count` lines over [from, to], put to `c`; their value at `to`. */
static Worth sweep(const Problem *p, const Line *line, Int count, double from, double to, double sign, Curve *c)
{
    Int best = 0;
    double x = 0.0;
    for (Int j = 1; j < count; j++) {
        int s = sign_of(p, times(minus(line[j].at, line[best].at), sign), p->value_zero);
        if (s > 0 || (s == 0 && sign * steeper(p, line[j].slope, line[best].slope) > 0)) best = j;
    }
    if (c->n == 0) c->start = line[best].at;
    for (Int turns = 0; turns <= count; turns++) {
        double next = to - from;
        Int then = -1;
        put(p, c, from + x, line[best].slope);
        for (Int j = 0; j < count; j++) {
            if (j == best) continue;
            double cross = crossing(p, times(minus(line[j].at, line[best].at), sign),
                                    times(minus(line[j].slope, line[best].slope), sign));
            if (cross < x) cross = x;
            if (cross < next || (cross == next && then >= 0 && sign * steeper(p, line[j].slope, line[then].slope) > 0)) {
                next = cross;
                then = j;
            }
        }
        if (then < 0) break;
        best = then;
        x = next;
    }
    return plus(line[best].at, times(line[best].slope, to - from));
}

/* ---- one step ---------------------------------------------------------------------------------------------- */

static void read_step(const Problem *p, Int t, Work *w)
{
    for (Int j = 0; j < p->columns; j++) {
        for (Int k = 0; k < p->levels; k++) {
            const Series *s = p->cost + k * p->columns + j;
            w->cost[j].of[k] = s->at[t * s->stride];
        }
        for (Int k = p->levels; k < LEVELS; k++) w->cost[j].of[k] = 0.0;
        w->lower[j] = p->lower[j].at[t * p->lower[j].stride];
        w->upper[j] = p->upper[j].at[t * p->upper[j].stride];
    }
    for (Int i = 0; i < p->rows; i++) w->right[i] = p->right[i].at[t * p->right[i].stride];
}

/* c_j - y A_j of a column outside a basis. */
static Worth reduced(const Problem *p, const Work *w, Int basis, Int j)
{
    const Int *basic = p->basic + basis * p->rows;
    const double *row = p->tableau + basis * p->rows * p->columns + j;
    Worth z = w->cost[j];
    for (Int q = 0; q < p->rows; q++, row += p->columns) if (*row != 0.0) add(&z, w->cost[basic[q]], -*row);
    return z;
}

/* The bound that a column outside the basis stands at. */
static double side_of(const Problem *p, const Work *w, Int j, Worth z)
{
    return sign_of(p, z, p->slope_zero) > 0 ? w->upper[j] : w->lower[j];
}

/* Lines above g of a mode, valued at `origin`: each basis' prices on b + d u, and on the bounds that they press. */
static Int lines_of(const Problem *p, const Work *w, Int mode, double origin, Line *line)
{
    Int count = 0;
    for (Int basis = p->first_basis[mode]; basis < p->first_basis[mode + 1]; basis++) {
        const Int *basic = p->basic + basis * p->rows, *loose = p->loose + basis * p->columns;
        const double *inverse = p->inverse + basis * p->rows * p->rows;
        Worth at = zero(), slope = zero();
        int holds = 1;
        for (Int i = 0; i < p->rows; i++) {
            if (w->right[i] == 0.0 && i != p->energy_row) continue;
            Worth y = zero();
            for (Int q = 0; q < p->rows; q++) {
                double f = inverse[q * p->rows + i];
                if (f != 0.0) add(&y, w->cost[basic[q]], f);
            }
            if (i == p->energy_row) slope = y;
            add(&at, y, w->right[i]);
        }
        for (; *loose >= 0 && holds; loose++) {
            Worth z = reduced(p, w, basis, *loose);
            double side = side_of(p, w, *loose, z);
            if (isfinite(side)) add(&at, z, side);
            else if (sign_of(p, z, p->slope_zero) != 0) holds = 0;
        }
        if (!holds) continue;
        line[count].at = plus(at, times(slope, origin));
        line[count].slope = slope;
        line[count++].basis = basis;
    }
    return count;
}

/* Range of d in which a mode has a plan, and the rays that end it (-1: none); 0 if it has no plan at all. */
static int range_of(const Problem *p, const Work *w, Int mode, double *low, double *high, Int *low_ray, Int *high_ray)
{
    const Int *open = p->open + mode * p->columns;
    *low = -INFINITY, *high = INFINITY, *low_ray = *high_ray = -1;
    for (Int r = p->first_ray[mode]; r < p->first_ray[mode + 1]; r++) {
        const double *y = p->ray + r * p->rows, *q = p->ray_column + r * p->columns;
        double room = 0.0, step = y[p->energy_row];
        for (Int i = 0; i < p->rows; i++) room += y[i] * w->right[i];
        for (Int j = 0; j < p->columns && room < INFINITY; j++) {
            if (!open[j] || q[j] == 0.0) continue;
            double side = q[j] > 0.0 ? w->upper[j] : w->lower[j];
            if (side != 0.0) room += q[j] * side;
        }
        if (!(room < INFINITY)) continue;
        if (step > 1e-12 && -room / step > *low) *low = -room / step, *low_ray = r;
        else if (step < -1e-12 && -room / step < *high) *high = -room / step, *high_ray = r;
        else if (fabs(step) <= 1e-12 && room < -p->slack) return 0;
    }
    if (*low > *high + p->slack) return 0;
    if (*high < *low) *high = *low;
    return 1;
}

/* g(t, .) to w->gain: the greatest over the modes, interval by interval between all their breakpoints. */
static int gain_of(const Problem *p, Int t, Work *w)
{
    Int modes = 0, marks = 0, kind = p->kind[t];
    Curve *g = &w->gain;
    Worth before = zero();
    read_step(p, t, w);
    for (Int mode = p->first_mode[kind]; mode < p->first_mode[kind + 1]; mode++) {
        double low, high;
        Int unused;
        if (!range_of(p, w, mode, &low, &high, &unused, &unused)) continue;
        if (!isfinite(low) || !isfinite(high)) return UNBOUNDED;
        Curve *c = &w->mode[modes++];
        Int count = lines_of(p, w, mode, low, w->line);
        if (count == 0) return UNBOUNDED;
        c->n = 0;
        sweep(p, w->line, count, low, high, -1.0, c);
        end_at(p, c, high);
        for (Int i = 0; i <= c->n; i++) {
            Int j = marks++;
            for (; j > 0 && w->mark[j - 1] > c->x[i]; j--) w->mark[j] = w->mark[j - 1];
            w->mark[j] = c->x[i];
        }
    }
    if (modes == 0) return NO_PLAN;
    g->n = 0;
    double from = w->mark[0], end = w->mark[marks - 1];
    if (end - from <= p->width) {
        Int best = 0;
        for (Int f = 1; f < modes; f++) if (better(p, w->mode[f].start, w->mode[best].start) > 0) best = f;
        g->n = 1, g->x[0] = from, g->x[1] = end, g->slope[0] = zero(), g->start = w->mode[best].start;
        return FINE;
    }
    for (Int m = 1; m < marks; m++) {
        double to = w->mark[m], middle = 0.5 * (from + to);
        Int count = 0;
        if (to - from <= p->width) continue;
        for (Int f = 0; f < modes; f++) {
            const Curve *c = &w->mode[f];
            Worth value = c->start;
            Int i = 0;
            if (c->x[0] > middle || c->x[c->n] < middle) continue;
            for (; c->x[i + 1] < middle; i++) add(&value, c->slope[i], c->x[i + 1] - c->x[i]);
            add(&value, c->slope[i], from - c->x[i]);
            w->line[count].at = value, w->line[count++].slope = c->slope[i];
        }
        if (count == 0) return GAP;
        int begun = g->n > 0;
        Worth old = before;
        before = sweep(p, w->line, count, from, to, 1.0, g);
        if (begun) {
            double jump = -INFINITY;
            for (Int f = 0; f < count; f++) jump = fmax(jump, w->line[f].at.of[0]);
            if (fabs(jump - old.of[0]) > 1e4 * p->value_zero[0]) return JUMP;
        }
        from = to;
    }
    end_at(p, g, end);
    return FINE;
}

/* ---- one step backward ------------------------------------------------------------------------------------- */

/* max over 0 <= q <= width of c(y + q) + slope q, where c is concave: a segment of slope -slope at its place. */
static void insert(const Problem *p, Curve *c, double width, Worth slope)
{
    Worth own = times(slope, -1.0);
    Int low = 0, high = c->n;
    while (low < high) {
        Int middle = (low + high) / 2;
        if (steeper(p, c->slope[middle], own) > 0) low = middle + 1; else high = middle;
    }
    memmove(c->x + low + 1, c->x + low, sizeof(double) * (size_t)(c->n - low + 1));
    memmove(c->slope + low + 1, c->slope + low, sizeof(Worth) * (size_t)(c->n - low));
    for (Int i = 0; i <= low; i++) c->x[i] -= width;
    c->slope[low] = own;
    c->n++;
}

/* The same for a curve of several humps. With F = c + slope x it is the greatest F in a window [y, y + width]: where
 * F rises it moves left by `width`, where it falls it stays, a peak becomes a plateau. After each valley the next
 * rising part, M, crosses what the output ends with, E, exactly once: M falls to the left, E rises. */
static void slide(const Problem *p, const Curve *c, double width, Worth slope, Curve *out)
{
    const double *X = c->x;
    const Worth *S = c->slope;
    Worth own = times(slope, -1.0);
    Int n = c->n, m = 0, i = 0;
    double *Y = out->x;
    Worth *R = out->slope;
#define RISES(j) (steeper(p, S[j], own) > 0)
#define OUT(at, s) (Y[m] = (at), R[m++] = (s))
    for (; i < n && RISES(i); i++) OUT(X[i] - width, S[i]);
    OUT(X[i] - width, own);
    for (; i < n && !RISES(i); i++) OUT(X[i], S[i]);
    Y[m] = X[i];
    while (i < n) { /* a valley at X[i]; its rising part ends with segment top - 1 */
        Int top = i, at;
        double y = X[i], cross;
        Worth ahead = zero(); /* M - E at y */
        for (; top < n && RISES(top); top++) add(&ahead, plus(S[top], slope), X[top + 1] - X[top]);
        for (at = top; at > i && X[at] - width > y; at--) {
            double from = fmax(X[at - 1], y + width);
            add(&ahead, plus(S[at - 1], slope), from - X[at]);
        }
        for (;;) { /* walk left; segment `at` of M (top: the plateau) and the last one of E hold y */
            Worth rise = at < top ? plus(S[at], slope) : zero(), rate = minus(rise, plus(R[m - 1], slope));
            double left = fmax(X[at] - width, Y[m - 1]);
            Worth then = minus(ahead, times(rate, y - left));
            if (sign_of(p, then, p->value_zero) <= 0) {
                double part = 0.0;
                for (Int k = 0; k < p->levels; k++) {
                    int before = fabs(ahead.of[k]) > p->value_zero[k], after = fabs(then.of[k]) > p->value_zero[k];
                    if (!before && !after) continue;
                    if (before && ahead.of[k] > then.of[k]) part = ahead.of[k] / (ahead.of[k] - then.of[k]);
                    break;
                }
                cross = y - fmin(fmax(part, 0.0), 1.0) * (y - left);
                break;
            }
            int ended = 1;
            y = left, ahead = then;
            if (Y[m - 1] >= left && m > 1) m--, ended = 0;
            if (X[at] - width >= left && at > i) at--, ended = 0;
            if (ended) { cross = y; break; }
        }
        if (cross <= Y[m - 1]) m--;
        OUT(cross, at < top ? S[at] : own);
        while (at < top) { at++; OUT(X[at] - width, at < top ? S[at] : own); }
        for (i = top; i < n && !RISES(i); i++) OUT(X[i], S[i]);
        Y[m] = X[i];
    }
    out->n = m;
    out->start = c->start;
#undef RISES
#undef OUT
}

static void copy_alone(const Problem *p, const Curve *c, Int *i, double until, Worth *value, Curve *out)
{
    while (*i < c->n && c->x[*i] < until) {
        double to = fmin(c->x[*i + 1], until), from = c->x[*i];
        put(p, out, from, c->slope[*i]);
        add(value, c->slope[*i], to - from);
        if (c->x[*i + 1] > until) return;
        ++*i;
    }
}

/* Greatest of two curves whose ranges meet; what begins or ends above the other is a jump. */
static int greatest(const Problem *p, const Curve *a, const Curve *b, Curve *out)
{
    Int i = 0, j = 0, flag = FINE;
    Worth va = a->start, vb = b->start;
    double x = fmin(a->x[0], b->x[0]), end, jump = 1e3 * p->value_zero[0];
    if (a->x[0] > b->x[b->n] + p->width || b->x[0] > a->x[a->n] + p->width) return GAP;
    int b_first = b->x[0] < a->x[0] - p->width || (b->x[0] <= a->x[0] + p->width && better(p, vb, va) > 0);
    out->n = 0;
    out->start = b_first ? vb : va;
    if (a->x[0] < b->x[0] - p->width) {
        x = b->x[0];
        copy_alone(p, a, &i, x, &va, out);
        if (vb.of[0] - va.of[0] > jump) flag = JUMP;
    } else if (b->x[0] < a->x[0] - p->width) {
        x = a->x[0];
        copy_alone(p, b, &j, x, &vb, out);
        if (va.of[0] - vb.of[0] > jump) flag = JUMP;
    }
    Worth ahead = minus(va, vb); /* a - b at x */
    while (i < a->n && j < b->n) {
        double to = fmin(a->x[i + 1], b->x[j + 1]), w = to - x;
        if (w > 0.0) {
            Worth then = plus(ahead, times(minus(a->slope[i], b->slope[j]), w));
            int now = sign_of(p, ahead, p->value_zero), later = sign_of(p, then, p->value_zero);
            if (now >= 0 && later >= 0) put(p, out, x, a->slope[i]);
            else if (now <= 0 && later <= 0) put(p, out, x, b->slope[j]);
            else {
                double part = now > 0 ? 1.0 : 0.0;
                for (Int k = 0; k < p->levels; k++) {
                    int before = fabs(ahead.of[k]) > p->value_zero[k], after = fabs(then.of[k]) > p->value_zero[k];
                    if (!before && !after) continue;
                    if ((ahead.of[k] > 0.0) != (then.of[k] > 0.0)) part = ahead.of[k] / (ahead.of[k] - then.of[k]);
                    else if (!before) part = 0.0;
                    else if (!after) part = 1.0;
                    break;
                }
                part = fmin(fmax(part, 0.0), 1.0);
                put(p, out, x, now > 0 ? a->slope[i] : b->slope[j]);
                put(p, out, x + part * w, now > 0 ? b->slope[j] : a->slope[i]);
            }
            ahead = then;
            x = to;
        }
        int a_ends = a->x[i + 1] <= to, b_ends = b->x[j + 1] <= to;
        i += a_ends, j += b_ends;
    }
    end = x;
    const Curve *rest = i < a->n && a->x[a->n] > x + p->width ? a : j < b->n && b->x[b->n] > x + p->width ? b : NULL;
    if (rest != NULL) {
        Int k = rest == a ? i : j;
        if ((rest == a ? -ahead.of[0] : ahead.of[0]) > jump) flag = JUMP;
        put(p, out, x, rest->slope[k]);
        for (k++; k < rest->n; k++) put(p, out, rest->x[k], rest->slope[k]);
        end = rest->x[rest->n];
    }
    if (out->n == 0) put(p, out, x, zero());
    end_at(p, out, end);
    return flag;
}

/* max over d of g(d) + V(. + d): one concave piece of g after the other, each of its segments in turn. */
static int step_back(const Problem *p, Work *w, Curve *V)
{
    const Curve *g = &w->gain;
    int single = concave(p, V), pieces = 0;
    Worth value = g->start;
    for (Int i = 0, j; i < g->n; i = j) {
        for (j = i + 1; j < g->n && steeper(p, g->slope[j], g->slope[j - 1]) <= 0;) j++;
        Curve *c = &w->a;
        if (single && i == 0 && j == g->n) c = V; /* nothing else needs V as it was */
        else {
            memcpy(c->x, V->x, sizeof(double) * (size_t)(V->n + 1));
            memcpy(c->slope, V->slope, sizeof(Worth) * (size_t)V->n);
            c->n = V->n, c->start = V->start;
        }
        for (Int q = 0; q <= c->n; q++) c->x[q] -= g->x[i];
        c->start = plus(c->start, value);
        for (Int q = i; q < j; q++) {
            double width = g->x[q + 1] - g->x[q];
            if (2 * c->n + 8 > LIMIT) return TOO_MANY;
            if (single) insert(p, c, width, g->slope[q]);
            else {
                slide(p, c, width, g->slope[q], &w->b);
                swap(c, &w->b);
            }
            add(&c->start, g->slope[q], width);
            add(&value, g->slope[q], width);
        }
        if (c == V) return FINE;
        if (pieces++ == 0) swap(&w->a, &w->c);
        else {
            if (w->c.n + w->a.n + 8 > LIMIT / 2) return TOO_MANY;
            int status = greatest(p, &w->c, &w->a, &w->b);
            if (status != FINE) return status;
            swap(&w->c, &w->b);
        }
    }
    swap(V, &w->c);
    return FINE;
}

/* Cut V to the window of instant t, turn energy at the step's end into energy at its begin, add what it is worth. */
static int to_window(const Problem *p, Int t, Curve *V)
{
    double low = p->kept * p->least.at[t * p->least.stride], high = p->kept * p->most.at[t * p->most.stride];
    Int first = 0, last = V->n, n;
    if (low > V->x[V->n] + p->slack || high < V->x[0] - p->slack) return NO_PLAN;
    if (V->x[V->n] < low) V->x[V->n] = low;
    if (V->x[0] < low) {
        for (; first < V->n - 1 && V->x[first + 1] <= low; first++)
            add(&V->start, V->slope[first], V->x[first + 1] - V->x[first]);
        add(&V->start, V->slope[first], low - V->x[first]);
        V->x[first] = low;
    }
    if (V->x[V->n] > high) {
        while (last > first + 1 && V->x[last - 1] >= high) last--;
        V->x[last] = high;
        if (V->x[first] > high) V->x[first] = high;
    }
    double end = V->x[last];
    n = last - first;
    memmove(V->x, V->x + first, sizeof(double) * (size_t)(n + 1));
    memmove(V->slope, V->slope + first, sizeof(Worth) * (size_t)n);
    V->n = 0;
    for (Int i = 0; i < n; i++) put(p, V, V->x[i], V->slope[i]);
    end_at(p, V, end);
    for (Int k = 0; k < p->levels; k++) {
        double worth = p->energy_worth[k].at[t * p->energy_worth[k].stride];
        for (Int i = 0; i < V->n; i++) V->slope[i].of[k] = V->slope[i].of[k] * p->kept + worth;
        V->start.of[k] += worth * V->x[0] / p->kept;
    }
    for (Int i = 0; i <= V->n && p->kept != 1.0; i++) V->x[i] /= p->kept;
    return FINE;
}

/* ---- memory ------------------------------------------------------------------------------------------------ */

static int new_curve(Curve *c, Int room)
{
    c->x = malloc(sizeof(double) * (size_t)(room + 1));
    c->slope = malloc(sizeof(Worth) * (size_t)room);
    return c->x != NULL && c->slope != NULL;
}
static void free_curve(Curve *c) { free(c->x); free(c->slope); }

static void free_work(Work *w)
{
    if (w == NULL) return;
    for (int f = 0; f < 64; f++) free_curve(&w->mode[f]);
    free_curve(&w->gain), free_curve(&w->a), free_curve(&w->b), free_curve(&w->c);
    free(w->line), free(w->mark), free(w);
}

static Work *new_work(const Problem *p)
{
    Work *w = calloc(1, sizeof(Work));
    Int lines = p->most_bases + 64, fine = w != NULL;
    if (!fine) return NULL;
    w->line = malloc(sizeof(Line) * (size_t)lines);
    w->mark = malloc(sizeof(double) * (size_t)(64 * lines));
    fine = w->line != NULL && w->mark != NULL;
    for (int f = 0; f < 64; f++) fine &= new_curve(&w->mode[f], lines);
    fine &= new_curve(&w->gain, 64 * lines) & new_curve(&w->a, LIMIT) & new_curve(&w->b, LIMIT) & new_curve(&w->c, LIMIT);
    if (fine) return w;
    free_work(w);
    return NULL;
}
void vf_free(Memory *m)
{
    if (m == NULL) return;
    free_curve(&m->now);
    free(m->point_at), free(m->gain_at), free(m->point_n), free(m->gain_n);
    free(m->x), free(m->slope), free(m->gain_x), free(m->gain_slope), free(m);
}

static int keep(const Curve *c, double **x, Worth **slope, Int *used, Int *room)
{
    if (*used + c->n + 1 > *room) {
        Int more = 2 * *room + c->n + 1024;
        double *new_x = realloc(*x, sizeof(double) * (size_t)more);
        if (new_x != NULL) *x = new_x;
        Worth *new_slope = realloc(*slope, sizeof(Worth) * (size_t)more);
        if (new_slope != NULL) *slope = new_slope;
        if (new_x == NULL || new_slope == NULL) return NO_MEMORY;
        *room = more;
    }
    memcpy(*x + *used, c->x, sizeof(double) * (size_t)(c->n + 1));
    memcpy(*slope + *used, c->slope, sizeof(Worth) * (size_t)c->n);
    *used += c->n + 1;
    return FINE;
}

/* V(first, .) from V(last, .), given by n slopes, n+1 breakpoints and its value at the first of them. With `keeping`
 * every V and g in between stays in memory for `vf_forward`. What went wrong, and in which step, is in the result. */
Memory *vf_backward(const Problem *p, Int first, Int last, Int n, const double *x, const double *slope,
                    const double *start, Int keeping)
{
    Memory *m = calloc(1, sizeof(Memory));
    Work *w = new_work(p);
    Worth lost = zero(); /* what rounding takes from the running sum of values */
    if (m == NULL || w == NULL || !new_curve(&m->now, LIMIT)) { free_work(w); vf_free(m); return NULL; }
    size_t places = keeping ? (size_t)(last - first) : 1;
    m->first = first, m->last = last;
    m->point_at = calloc(places, sizeof(Int)), m->gain_at = calloc(places, sizeof(Int));
    m->point_n = calloc(places, sizeof(Int)), m->gain_n = calloc(places, sizeof(Int));
    Curve *V = &m->now;
    V->n = n;
    memcpy(V->x, x, sizeof(double) * (size_t)(n + 1));
    for (Int i = 0; i < n; i++) for (Int k = 0; k < LEVELS; k++) V->slope[i].of[k] = slope[i * LEVELS + k];
    for (Int k = 0; k < LEVELS; k++) m->value.of[k] = start[k];
    for (Int t = last - 1; t >= first && m->status == FINE; t--) {
        V->start = zero();
        m->where = t;
        m->status = gain_of(p, t, w);
        if (m->status == FINE && keeping) {
            m->point_at[t - first] = m->points, m->point_n[t - first] = V->n;
            m->gain_at[t - first] = m->gains, m->gain_n[t - first] = w->gain.n;
            m->status = keep(V, &m->x, &m->slope, &m->points, &m->points_room);
            if (m->status == FINE) m->status = keep(&w->gain, &m->gain_x, &m->gain_slope, &m->gains, &m->gains_room);
        }
        if (m->status == FINE) m->status = step_back(p, w, V);
        if (m->status == FINE) m->status = to_window(p, t, V);
        for (Int k = 0; k < LEVELS; k++) {
            double more = V->start.of[k] - lost.of[k], sum = m->value.of[k] + more;
            lost.of[k] = (sum - m->value.of[k]) - more;
            m->value.of[k] = sum;
        }
        if (V->n > m->most) m->most = V->n;
        if (V->n > LIMIT / 4) m->status = TOO_MANY;
    }
    free_work(w);
    return m;
}

/* Of what is exported, so that a library of other sources is not called. */
int vf_version(void) { return 1; }

/* Status, step, most breakpoints, breakpoints in all, n of V(first); and the value at its first breakpoint. */
void vf_result(const Memory *m, Int *numbers, double *value)
{
    numbers[0] = m->status, numbers[1] = m->where, numbers[2] = m->most, numbers[3] = m->points, numbers[4] = m->now.n;
    for (int k = 0; k < LEVELS; k++) value[k] = m->value.of[k];
}
/* V(first, .) of `vf_result`, or with a kept step t its V(t+1, .): n+1 breakpoints and n slopes; returns n. */
Int vf_curve(const Memory *m, Int t, double *x, double *slope)
{
    Int own = t < 0, n = own ? m->now.n : m->point_n[t - m->first];
    const double *from = own ? m->now.x : m->x + m->point_at[t - m->first];
    const Worth *s = own ? m->now.slope : m->slope + m->point_at[t - m->first];
    if (x == NULL) return n;
    memcpy(x, from, sizeof(double) * (size_t)(n + 1));
    for (Int i = 0; i < n; i++) for (int k = 0; k < LEVELS; k++) slope[i * LEVELS + k] = s[i].of[k];
    return n;
}

/* ---- forward ----------------------------------------------------------------------------------------------- */

/* A mode at some d: slope and basis of its g below (low) and above (high) it, and the ray where its range ends. */
typedef struct { Int mode, low_line, high_line, low_ray, high_ray; double high_slope, low_slope; } Chosen;

/* Best d of a step from energy y = k e on; and by how much V falls to the right and to the left of y + d. */
static double best_change(const Problem *p, const Memory *m, Int t, double y, double *right, double *left)
{
    Int vn = m->point_n[t - m->first], gn = m->gain_n[t - m->first], i = 0, j = 0;
    const double *X = m->x + m->point_at[t - m->first], *G = m->gain_x + m->gain_at[t - m->first];
    const Worth *S = m->slope + m->point_at[t - m->first], *R = m->gain_slope + m->gain_at[t - m->first];
    double low = fmax(G[0], X[0] - y), high = fmin(G[gn], X[vn] - y), x = low, best = low;
    Worth value = zero(), most = zero();
    while (i < gn - 1 && G[i + 1] <= x) i++;
    while (j < vn - 1 && X[j + 1] - y <= x) j++;
    while (x < high) {
        double to = high;
        if (i < gn - 1 && G[i + 1] < to) to = G[i + 1];
        if (j < vn - 1 && X[j + 1] - y < to) to = X[j + 1] - y;
        Worth rate = plus(R[i], S[j]);
        for (Int k = 0; k < p->levels; k++) if (fabs(rate.of[k]) > p->slope_zero[k]) value.of[k] += rate.of[k] * (to - x);
        x = to;
        if (better(p, value, most) > 0) most = value, best = x;
        if (i < gn - 1 && G[i + 1] <= x) i++;
        if (j < vn - 1 && X[j + 1] - y <= x) j++;
    }
    double e = y + best;
    for (j = 0; j < vn && X[j + 1] < e - p->width; j++) {}
    *left = e <= X[0] + p->width ? INFINITY : S[j].of[0];
    while (j < vn && X[j + 1] <= e + p->width) j++;
    *right = j >= vn ? -INFINITY : S[j].of[0];
    return best;
}

/* Flows of one basis at d; by how much they leave their bounds. */
static double flows_at(const Problem *p, const Work *w, Int basis, double d, double *x)
{
    const Int *basic = p->basic + basis * p->rows, *loose = p->loose + basis * p->columns;
    const double *inverse = p->inverse + basis * p->rows * p->rows, *tableau = p->tableau + basis * p->rows * p->columns;
    double out = 0.0;
    for (Int j = 0; j < p->columns; j++) x[j] = 0.0;
    for (const Int *j = loose; *j >= 0; j++) {
        x[*j] = side_of(p, w, *j, reduced(p, w, basis, *j));
        if (!isfinite(x[*j])) x[*j] = isfinite(w->lower[*j]) ? w->lower[*j] : isfinite(w->upper[*j]) ? w->upper[*j] : 0.0;
    }
    for (Int q = 0; q < p->rows; q++) {
        double v = 0.0;
        for (Int i = 0; i < p->rows; i++) v += inverse[q * p->rows + i] * (w->right[i] + (i == p->energy_row ? d : 0.0));
        for (const Int *j = loose; *j >= 0; j++) v -= tableau[q * p->columns + *j] * x[*j];
        out = fmax(out, fmax(w->lower[basic[q]] - v, v - w->upper[basic[q]]));
        w->mark[q] = v;
    }
    for (Int q = 0; q < p->rows; q++) x[basic[q]] = w->mark[q];
    return out;
}

/* Lines of a mode at d, the least of them, and what ends or kinks g there; 0 where the mode has no plan at d. */
static Int around(const Problem *p, Work *w, Int mode, double d, double loose, Chosen *c, Worth *least)
{
    double low, high;
    Chosen none = {mode, -1, -1, -1, -1, INFINITY, -INFINITY};
    *c = none;
    if (!range_of(p, w, mode, &low, &high, &c->low_ray, &c->high_ray) || d < low - loose || d > high + loose) return 0;
    if (d > low + loose) c->low_ray = -1;
    if (d < high - loose) c->high_ray = -1;
    Int count = lines_of(p, w, mode, d, w->line), first = 0;
    for (Int j = 1; j < count; j++) if (better(p, w->line[j].at, w->line[first].at) < 0) first = j;
    if (count == 0) return 0;
    *least = w->line[first].at;
    for (Int j = 0; j < count; j++) {
        double slope = w->line[j].slope.of[0];
        if (w->line[j].at.of[0] - least->of[0] > 4.0 * p->value_zero[0]) continue;
        if (slope < c->high_slope) c->high_slope = slope, c->high_line = w->line[j].basis;
        if (slope > c->low_slope) c->low_slope = slope, c->low_line = w->line[j].basis;
    }
    return count;
}

/* The best plan of step t at d: its mode, what kinks the mode's g there, its value and flows. */
static int best_flows(const Problem *p, Int t, double d, Work *w, double *x, Chosen *best, Worth *most)
{
    Int kind = p->kind[t];
    double trial[MOST_COLUMNS];
    best->mode = -1;
    read_step(p, t, w);
    for (int loosely = 0; loosely < 2 && best->mode < 0; loosely++)
        for (Int mode = p->first_mode[kind]; mode < p->first_mode[kind + 1]; mode++) {
            Chosen c;
            Worth least;
            double least_out = INFINITY;
            Int count = around(p, w, mode, d, 10.0 * (loosely ? p->slack : p->width), &c, &least);
            if (count == 0 || (best->mode >= 0 && better(p, least, *most) <= 0)) continue;
            *best = c, *most = least;
            for (Int j = 0; j < count; j++) { /* of equal bases the one whose flows keep their bounds */
                if (better(p, w->line[j].at, least) > 0) continue;
                double out = flows_at(p, w, w->line[j].basis, d, trial);
                if (!(out < least_out)) continue;
                least_out = out;
                memcpy(x, trial, sizeof(double) * (size_t)p->columns);
            }
        }
    return best->mode >= 0;
}

/* The price of stored energy between those that the step and V allow, as near to `wanted` as can be; NaN for any. */
static double price_of(const Chosen *c, double right, double left, double wanted, int *exists)
{
    double low = fmax(right, c->low_ray >= 0 ? -INFINITY : -c->low_slope);
    double high = fmin(left, c->high_ray >= 0 ? INFINITY : -c->high_slope);
    int more = isfinite(right) || !isfinite(left); /* what one more is worth; where there is no room, one less */
    double price = isnan(wanted) ? ((more && isfinite(low)) || !isfinite(high) ? low : high) : wanted;
    price = low > high ? 0.5 * (low + high) : fmin(fmax(price, low), high);
    *exists = low <= high;
    return isfinite(price) ? price : 0.0;
}

/* Row prices of a step whose energy law has the price `slope`: mixed from the two bases that meet at d, or with the
 * ray that ends the range. */
static void prices_at(const Problem *p, const Work *w, const Chosen *c, double slope, double *y)
{
    double between = c->low_slope - c->high_slope;
    double part = between > p->slope_zero[0] ? fmin(fmax((slope - c->high_slope) / between, 0.0), 1.0) : 0.0;
    double beyond = fmax(slope - c->low_slope, 0.0) + fmin(slope - c->high_slope, 0.0);
    Int ray = beyond > 0.0 ? c->low_ray : c->high_ray;
    if (fabs(beyond) <= p->slope_zero[0]) ray = -1;
    for (Int i = 0; i < p->rows; i++) {
        y[i] = 0.0;
        for (int both = 0; both < 2; both++) {
            Int basis = both ? c->low_line : c->high_line;
            double share = both ? part : 1.0 - part;
            for (Int q = 0; q < p->rows && share > 0.0; q++)
                y[i] += share * w->cost[p->basic[basis * p->rows + q]].of[0]
                        * p->inverse[(basis * p->rows + q) * p->rows + i];
        }
        if (ray >= 0) y[i] += beyond / p->ray[ray * p->rows + p->energy_row] * p->ray[ray * p->rows + i];
    }
}

/* The schedule of the steps first .. last-1, from energy[0] on. Arrays begin with the step `origin`: energy of each
 * instant, flows and row prices (column by column, `stride` apart), mode, and the price of stored energy at the end of
 * each step. `price_before` is that of the instant `first`, NaN for none. Returns FINE, or what went wrong in step
 * `*where`. */
Int vf_forward(const Problem *p, const Memory *m, Int origin, Int stride, double *energy, double *flow, Int *mode,
               double *price, double *row, double price_before, Int *where)
{
    Work *w = new_work(p);
    Int status = w == NULL ? NO_MEMORY : FINE;
    for (Int t = m->first; t < m->last && status == FINE; t++) {
        Int at = t - origin;
        double x[MOST_COLUMNS], y[MOST_ROWS], right, left, before = p->kept * energy[at];
        double d = best_change(p, m, t, before, &right, &left), e = before + d;
        double least = p->least.at[(t + 1) * p->least.stride], most = p->most.at[(t + 1) * p->most.stride];
        Chosen c, open;
        Worth value, unclosed;
        int exists = 0;
        *where = t;
        e = fmin(fmax(e, least), most);
        energy[at + 1] = e;
        if (!best_flows(p, t, e - before, w, x, &c, &value)) { status = NO_PLAN; break; }
        double worth = p->energy_worth[0].at[t * p->energy_worth[0].stride];
        double wanted = isnan(price_before) ? NAN : (price_before - worth) / p->kept;
        double room = p->most.at[t * p->most.stride] - energy[at], stock = energy[at] - p->least.at[t * p->least.stride];
        double own = price_of(&c, right, left, wanted, &exists);
        /* Where the step needs no closed flow, its prices are those that hold without: they explain more. */
        if (p->free_mode[p->kind[t]] >= 0
            && around(p, w, p->free_mode[p->kind[t]], e - before, 10.0 * p->width, &open, &unclosed)
            && unclosed.of[0] - value.of[0] <= 4.0 * p->value_zero[0]) {
            double free_own = price_of(&open, right, left, wanted, &exists);
            double more = isnan(wanted) ? 0.0 : free_own - wanted; /* may rise where full, fall where empty */
            if (exists && more <= (room <= p->width ? INFINITY : p->slope_zero[0])
                && more >= (stock <= p->width ? -INFINITY : -p->slope_zero[0])) c = open, own = free_own;
        }
        prices_at(p, w, &c, -own, y);
        price[at] = price_before = own;
        mode[at] = c.mode;
        for (Int j = 0; j < p->columns; j++) flow[j * stride + at] = x[j];
        for (Int i = 0; i < p->rows; i++) row[i * stride + at] = y[i];
    }
    free_work(w);
    return status;
}
