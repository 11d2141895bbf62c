/* The pass backward: V(first, .) from V(last, .), one step after the other. */
#include "worth.h"

/* max over d of g(d) + V(. + d): one concave piece of g after the other, each of its segments in turn. */
static int step_back(const Problem *p, Work *w, Curve *V, Int *humps)
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
            if (2 * c->n + 8 > p->room) return TOO_MANY;
            if (single) insert(p, c, width, g->slope[q]);
            else {
                slide(p, c, width, g->slope[q], &w->b);
                swap(c, &w->b);
            }
            add(&c->start, g->slope[q], width);
            add(&value, g->slope[q], width);
        }
        if (c == V) return FINE;
        *humps = 1;
        if (pieces++ == 0) swap(&w->a, &w->c);
        else {
            if (w->c.n + w->a.n + 8 > p->room / 2) return TOO_MANY;
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

void vf_free(Memory *m)
{
    if (m == NULL) return;
    free_curve(&m->now);
    free(m->point_at), free(m->gain_at), free(m->point_n), free(m->gain_n);
    free(m->x), free(m->slope), free(m->gain_x), free(m->gain_slope), free(m);
}

/* V(first, .) from V(last, .), given by n slopes, n+1 breakpoints and its value at the first of them. With `keeping`
 * every V and g in between stays in memory for `vf_forward`. What went wrong, and in which step, is in the result. */
Memory *vf_backward(const Problem *p, Int first, Int last, Int n, const double *x, const double *slope,
                    const double *start, Int keeping)
{
    Memory *m = calloc(1, sizeof(Memory));
    Work *w = new_work(p);
    Worth lost = zero(); /* what rounding takes from the running sum of values */
    if (m == NULL || w == NULL || !new_curve(&m->now, p->room > n ? p->room : n + 1)) { free_work(w); vf_free(m); return NULL; }
    size_t places = keeping ? (size_t)(last - first) : 1;
    m->first = first, m->last = last;
    m->point_at = calloc(places, sizeof(Int)), m->gain_at = calloc(places, sizeof(Int));
    m->point_n = calloc(places, sizeof(Int)), m->gain_n = calloc(places, sizeof(Int));
    Curve *V = &m->now;
    V->n = n;
    if (n > p->room / 4) m->status = TOO_MANY;
    memcpy(V->x, x, sizeof(double) * (size_t)(n + 1));
    for (Int i = 0; i < n; i++) for (Int k = 0; k < LEVELS; k++) V->slope[i].of[k] = slope[i * LEVELS + k];
    for (Int k = 0; k < LEVELS; k++) m->value.of[k] = start[k];
    for (Int t = last - 1; t >= first && m->status == FINE; t--) {
        V->start = zero();
        m->where = t;
        if (*p->stop) { m->status = STOPPED; break; }
        m->status = gain_of(p, t, w);
        if (m->status == FINE && keeping) {
            m->point_at[t - first] = m->points, m->point_n[t - first] = V->n;
            m->gain_at[t - first] = m->gains, m->gain_n[t - first] = w->gain.n;
            m->status = keep(V, &m->x, &m->slope, &m->points, &m->points_room);
            if (m->status == FINE) m->status = keep(&w->gain, &m->gain_x, &m->gain_slope, &m->gains, &m->gains_room);
        }
        if (m->status == FINE) m->status = step_back(p, w, V, &m->humps);
        if (m->status == FINE) m->status = to_window(p, t, V);
        for (Int k = 0; k < LEVELS; k++) {
            double more = V->start.of[k] - lost.of[k], sum = m->value.of[k] + more;
            lost.of[k] = (sum - m->value.of[k]) - more;
            m->value.of[k] = sum;
        }
        if (V->n > m->most) m->most = V->n;
        if (V->n > p->room / 4) m->status = TOO_MANY;
    }
    free_work(w);
    return m;
}

/* The checksum of what this library was built from (sources.py), so that one of other sources is not called. */
int vf_sources(void) { return SOURCES; }

/* Whether any g or V on the way was not concave: levels after the first may then jump where two humps cross. */
Int vf_humps(const Memory *m) { return m->humps; }

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
