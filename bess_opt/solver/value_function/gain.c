/* g(t, .): the most that a step brings, over what the cells gain in it.
 *
 * In a mode (which flow of each converter is closed) the matrix A is the same in all steps, so that its bases are known
 * beforehand. By duality each basis gives a line above g, the least of the lines is g of that mode; the rays of A give
 * the range of d. g is the greatest over the modes: that may have several humps.
 */
#include "worth.h"

void read_step(const Problem *p, Int t, Work *w)
{
    w->step = t;
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

/* The slot of step t, emptied if another step was there; NULL if nothing is known. */
static Slot *slot_of(const Problem *p, Int t)
{
    Known *known = p->known;
    if (known == NULL) return NULL;
    Slot *s = known->slot + t % known->slots;
    if (s->step == t) return s;
    s->step = t, s->gain.n = 0;
    for (Int f = 0; f < known->modes; f++) s->reach[f].fine = s->reach[f].count = -1;
    return s;
}

/* What is known of a mode in the step that was read; NULL if nothing. The free mode stands behind those of its kind. */
static Reach *reach_of(const Problem *p, const Work *w, Int mode)
{
    Slot *s = slot_of(p, w->step);
    Int first = p->first_mode[p->kind[w->step]];
    if (s == NULL) return NULL;
    return s->reach + (mode >= first && mode < first + p->most_modes ? mode - first : p->most_modes);
}

/* Lines above g of a mode, valued at d = 0: each basis' prices on b + d u, and on the bounds that they press. */
static Int find_lines(const Problem *p, const Work *w, Int mode, Line *line)
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
        line[count].at = at;
        line[count].slope = slope;
        line[count++].basis = basis;
    }
    return count;
}

/* Lines above g of a mode, valued at `origin`. */
Int lines_of(const Problem *p, const Work *w, Int mode, double origin, Line *line)
{
    Reach *r = reach_of(p, w, mode);
    if (r != NULL && r->count < 0) r->count = find_lines(p, w, mode, r->line);
    Int count = r == NULL ? find_lines(p, w, mode, line) : r->count;
    if (r != NULL) memcpy(line, r->line, sizeof(Line) * (size_t)count);
    for (Int j = 0; j < count; j++) line[j].at = plus(line[j].at, times(line[j].slope, origin));
    return count;
}

static int find_range(const Problem *p, const Work *w, Int mode, double *low, double *high, Int *low_ray, Int *high_ray)
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

/* Range of d in which a mode has a plan, and the rays that end it (-1: none); 0 if it has no plan at all. */
int range_of(const Problem *p, const Work *w, Int mode, double *low, double *high, Int *low_ray, Int *high_ray)
{
    Reach *r = reach_of(p, w, mode);
    if (r == NULL) return find_range(p, w, mode, low, high, low_ray, high_ray);
    if (r->fine < 0) r->fine = find_range(p, w, mode, &r->low, &r->high, &r->low_ray, &r->high_ray);
    *low = r->low, *high = r->high, *low_ray = r->low_ray, *high_ray = r->high_ray;
    return (int)r->fine;
}

/* g(t, .) to w->gain: the greatest over the modes, interval by interval between all their breakpoints. */
static int find_gain(const Problem *p, Int t, Work *w)
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

static void copy_curve(const Curve *from, Curve *to)
{
    memcpy(to->x, from->x, sizeof(double) * (size_t)(from->n + 1));
    memcpy(to->slope, from->slope, sizeof(Worth) * (size_t)from->n);
    to->n = from->n, to->start = from->start;
}

/* g(t, .) to w->gain, looked up where it is known. */
int gain_of(const Problem *p, Int t, Work *w)
{
    Slot *s = slot_of(p, t);
    int status = FINE;
    if (s != NULL && s->gain.n > 0) copy_curve(&s->gain, &w->gain);
    else status = find_gain(p, t, w);
    if (status != FINE || s == NULL || s->gain.n > 0) return status;
    if (s->room < w->gain.n) {
        free_curve(&s->gain);
        s->room = new_curve(&s->gain, w->gain.n) ? w->gain.n : 0;
        if (s->room == 0) return NO_MEMORY;
    }
    copy_curve(&w->gain, &s->gain);
    return FINE;
}

void vf_forget(Known *known)
{
    if (known == NULL) return;
    for (Int i = 0; i < known->slots && known->slot != NULL; i++) free_curve(&known->slot[i].gain);
    free(known->slot), free(known->line), free(known->reach), free(known);
}

/* Room for what is known of `slots` steps in a row, for `Problem.known`; to be freed by `vf_forget`. */
Known *vf_known(const Problem *p, Int slots)
{
    Known *known = calloc(1, sizeof(Known));
    if (known == NULL) return NULL;
    known->slots = slots, known->modes = p->most_modes + 1;
    size_t modes = (size_t)(slots * known->modes), lines = (size_t)(p->most_bases + 2);
    known->slot = calloc((size_t)slots, sizeof(Slot)), known->reach = calloc(modes, sizeof(Reach));
    known->line = malloc(sizeof(Line) * modes * lines);
    if (known->slot == NULL || known->reach == NULL || known->line == NULL) { vf_forget(known); return NULL; }
    for (size_t i = 0; i < modes; i++) known->reach[i].line = known->line + i * lines;
    for (Int i = 0; i < slots; i++) known->slot[i].step = -1, known->slot[i].reach = known->reach + i * known->modes;
    return known;
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
