/* g(t, .): the most that a step brings, over what the cells gain in it.
 *
 * In a mode (which flow of each converter is closed) the matrix A is the same in all steps, so that its bases are known
 * beforehand. By duality each basis gives a line above g, the least of the lines is g of that mode; the rays of A give
 * the range of d. g is the greatest over the modes: that may have several humps.
 */
#include "worth.h"

void read_step(const Problem *p, Int t, Work *w)
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
Worth reduced(const Problem *p, const Work *w, Int basis, Int j)
{
    const Int *basic = p->basic + basis * p->rows;
    const double *row = p->tableau + basis * p->rows * p->columns + j;
    Worth z = w->cost[j];
    for (Int q = 0; q < p->rows; q++, row += p->columns) if (*row != 0.0) add(&z, w->cost[basic[q]], -*row);
    return z;
}

/* The bound that a column outside the basis stands at. */
double side_of(const Problem *p, const Work *w, Int j, Worth z)
{
    return sign_of(p, z, p->slope_zero) > 0 ? w->upper[j] : w->lower[j];
}

/* Lines above g of a mode, valued at `origin`: each basis' prices on b + d u, and on the bounds that they press. */
Int lines_of(const Problem *p, const Work *w, Int mode, double origin, Line *line)
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
int range_of(const Problem *p, const Work *w, Int mode, double *low, double *high, Int *low_ray, Int *high_ray)
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
int gain_of(const Problem *p, Int t, Work *w)
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

void free_work(Work *w)
{
    if (w == NULL) return;
    for (int f = 0; f < MOST_MODES; f++) free_curve(&w->mode[f]);
    free_curve(&w->gain), free_curve(&w->a), free_curve(&w->b), free_curve(&w->c);
    free(w->line), free(w->mark), free(w);
}

Work *new_work(const Problem *p)
{
    Work *w = calloc(1, sizeof(Work));
    Int lines = p->most_bases + 2, fine = w != NULL;
    if (!fine) return NULL;
    w->line = malloc(sizeof(Line) * (size_t)lines);
    w->mark = malloc(sizeof(double) * (size_t)(p->most_modes * lines + MOST_ROWS));
    fine = w->line != NULL && w->mark != NULL;
    for (Int f = 0; f < p->most_modes; f++) fine &= new_curve(&w->mode[f], lines);
    fine &= new_curve(&w->gain, p->most_modes * p->most_modes * lines) & new_curve(&w->a, p->room);
    fine &= new_curve(&w->b, p->room) & new_curve(&w->c, p->room);
    if (fine) return w;
    free_work(w);
    return NULL;
}
