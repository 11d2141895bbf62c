/* The pass forward: from the start energy and the kept V the schedule, and the prices that prove it. */
#include "worth.h"

enum { MOST_EITHER = 6 }; /* columns that may stand at either bound, tried in all ways */

/* A mode at some d: slope and basis of its g below (low) and above (high) it, and the ray where its range ends. */
typedef struct { Int mode, low_line, high_line, low_ray, high_ray; double high_slope, low_slope; } Chosen;

/* Slopes of V(t+1) to the right and to the left of e; infinite where V ends. */
static void slopes_at(const Problem *p, const Memory *m, Int t, double e, double *right, double *left)
{
    Int n = m->point_n[t - m->first], j = 0;
    const double *X = m->x + m->point_at[t - m->first];
    const Worth *S = m->slope + m->point_at[t - m->first];
    while (j < n && X[j + 1] < e - p->width) j++;
    *left = e <= X[0] + p->width ? INFINITY : S[j].of[0];
    while (j < n && X[j + 1] <= e + p->width) j++;
    *right = j >= n ? -INFINITY : S[j].of[0];
}

/* Best d of a step from energy y = k e on. */
static double best_change(const Problem *p, const Memory *m, Int t, double y)
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
    return best;
}

/* Values of the basic columns at d beside the others in x; by how much they leave their bounds. */
static double complete(const Problem *p, Work *w, Int basis, double d, double *x)
{
    const Int *basic = p->basic + basis * p->rows, *loose = p->loose + basis * p->columns;
    const double *inverse = p->inverse + basis * p->rows * p->rows, *tableau = p->tableau + basis * p->rows * p->columns;
    double out = 0.0;
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

/* Flows of one basis at d; by how much they leave their bounds. A column outside the basis that brings nothing may
 * stand at either bound: with `sides_too` the sides at which the others keep theirs are looked for. */
static double flows_at(const Problem *p, Work *w, Int basis, double d, int sides_too, double *x)
{
    const Int *loose = p->loose + basis * p->columns;
    Int either[MOST_EITHER], count = 0;
    double trial[MOST_COLUMNS];
    for (Int j = 0; j < p->columns; j++) x[j] = 0.0;
    for (const Int *j = loose; *j >= 0; j++) {
        Worth z = reduced(p, w, basis, *j);
        x[*j] = side_of(p, w, *j, z);
        if (!isfinite(x[*j])) x[*j] = isfinite(w->lower[*j]) ? w->lower[*j] : isfinite(w->upper[*j]) ? w->upper[*j] : 0.0;
        else if (sides_too && count < MOST_EITHER && sign_of(p, z, p->slope_zero) == 0 && isfinite(w->upper[*j])
                 && w->upper[*j] > w->lower[*j]) either[count++] = *j;
    }
    double out = complete(p, w, basis, d, x);
    for (Int sides = 1; sides < ((Int)1 << count) && out > p->slack; sides++) {
        memcpy(trial, x, sizeof(double) * (size_t)p->columns);
        for (Int i = 0; i < count; i++) trial[either[i]] = (sides >> i) & 1 ? w->upper[either[i]] : w->lower[either[i]];
        double other = complete(p, w, basis, d, trial);
        if (!(other < out)) continue;
        out = other;
        memcpy(x, trial, sizeof(double) * (size_t)p->columns);
    }
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

/* The best plan of step t at d: its mode, what kinks the mode's g there, its value and (unless x is NULL) flows. */
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
            if (x == NULL) continue;
            for (int sides = 0; sides < 2 && least_out > p->slack; sides++)
                for (Int j = 0; j < count && least_out > 0.0; j++) { /* of equal bases one whose flows keep their bounds */
                    if (better(p, w->line[j].at, least) > 0) continue;
                    double out = flows_at(p, w, w->line[j].basis, d, sides, trial);
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

/* Prices of step t, whose plan at the change d is `c`, to be found at `price` and y; `wanted` is the price of stored
 * energy that the step before asks for (NaN: any). */
static double prices_of(const Problem *p, Int t, Work *w, const Chosen *c, double worth_of_plan, double energy, double d,
                        double right, double left, double wanted, double *y)
{
    Chosen open, own = *c;
    Worth unclosed = zero();
    int exists = 0;
    double room = p->most.at[t * p->most.stride] - energy, stock = energy - p->least.at[t * p->least.stride];
    double price = price_of(c, right, left, wanted, &exists);
    /* Where the step needs no closed flow, its prices are those that hold without: they explain more. */
    if (p->free_mode[p->kind[t]] >= 0
        && around(p, w, p->free_mode[p->kind[t]], d, 10.0 * p->width, &open, &unclosed)
        && unclosed.of[0] - worth_of_plan <= 4.0 * p->value_zero[0]) {
        double free_price = price_of(&open, right, left, wanted, &exists);
        double more = isnan(wanted) ? 0.0 : free_price - wanted; /* may rise where full, fall where empty */
        if (exists && more <= (room <= p->width ? INFINITY : p->slope_zero[0])
            && more >= (stock <= p->width ? -INFINITY : -p->slope_zero[0])) own = open, price = free_price;
    }
    prices_at(p, w, &own, -price, y);
    return price;
}

/* The steps first .. last-1, from energy[0] on, or along the energies that are given (`held`). Arrays begin with the step `origin`: energy of each
 * instant, flows and row prices (column by column, `stride` apart), mode, and the price of stored energy at the end of
 * each step; `flow`, and `price` with `row`, may be NULL. `price_before` is that of the instant `first`, NaN for none. Returns FINE,
 * or what went wrong in step `*where`. */
static Int pass(const Problem *p, const Memory *m, int held, Int origin, Int stride, double *energy, double *flow,
                Int *mode, double *price, double *row, double price_before, Int *where)
{
    Work *w = new_work(p);
    Int status = w == NULL ? NO_MEMORY : FINE;
    for (Int t = m->first; t < m->last && status == FINE; t++) {
        Int at = t - origin;
        double x[MOST_COLUMNS], y[MOST_ROWS], right, left, before = p->kept * energy[at];
        double e = held ? energy[at + 1] : before + best_change(p, m, t, before);
        double least = p->least.at[(t + 1) * p->least.stride], most = p->most.at[(t + 1) * p->most.stride];
        Chosen c;
        Worth value = zero();
        *where = t;
        e = fmin(fmax(e, least), most);
        energy[at + 1] = e;
        slopes_at(p, m, t, e, &right, &left);
        if (*p->stop) status = STOPPED;
        else if (!best_flows(p, t, e - before, w, flow == NULL ? NULL : x, &c, &value)) status = NO_PLAN;
        if (status != FINE) break;
        mode[at] = c.mode;
        for (Int j = 0; j < p->columns && flow != NULL; j++) flow[j * stride + at] = x[j];
        if (price == NULL) continue;
        double worth = p->energy_worth[0].at[t * p->energy_worth[0].stride];
        double wanted = isnan(price_before) ? NAN : (price_before - worth) / p->kept;
        price_before = prices_of(p, t, w, &c, value.of[0], energy[at], e - before, right, left, wanted, y);
        price[at] = price_before;
        for (Int i = 0; i < p->rows; i++) row[i * stride + at] = y[i];
    }
    free_work(w);
    return status;
}

/* The schedule; see above. */
Int vf_forward(const Problem *p, const Memory *m, Int origin, Int stride, double *energy, double *flow, Int *mode,
               double *price, double *row, double price_before, Int *where)
{
    return pass(p, m, 0, origin, stride, energy, flow, mode, price, row, price_before, where);
}

/* Flows and prices of a schedule whose energies are given; see above. */
Int vf_along(const Problem *p, const Memory *m, Int origin, Int stride, double *energy, double *flow, Int *mode,
             double *price, double *row, double price_before, Int *where)
{
    return pass(p, m, 1, origin, stride, energy, flow, mode, price, row, price_before, where);
}
