/* Curves: built segment by segment, and the greatest of several, of lines, or of one in a sliding window. */
#include "worth.h"

/* Begin a segment at x; what is left of a sliver goes to it, an equal slope goes on. */
void put(const Problem *p, Curve *c, double x, Worth slope)
{
    if (c->n > 0 && x - c->x[c->n - 1] <= p->width) x = c->x[--c->n];
    if (c->n > 0 && steeper(p, c->slope[c->n - 1], slope) == 0) return;
    c->x[c->n] = x;
    c->slope[c->n++] = slope;
}
void end_at(const Problem *p, Curve *c, double x)
{
    if (c->n > 1 && x - c->x[c->n - 1] <= p->width) c->n--;
    c->x[c->n] = x;
}
void swap(Curve *a, Curve *b) { Curve c = *a; *a = *b; *b = c; }
int concave(const Problem *p, const Curve *c)
{
    for (Int i = 1; i < c->n; i++) if (steeper(p, c->slope[i], c->slope[i - 1]) > 0) return 0;
    return 1;
}

/* Greatest (sign 1) or least (sign -1) of `count` lines over [from, to], put to `c`; their value at `to`. */
Worth sweep(const Problem *p, const Line *line, Int count, double from, double to, double sign, Curve *c)
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

/* max over 0 <= q <= width of c(y + q) + slope q, where c is concave: a segment of slope -slope at its place. */
void insert(const Problem *p, Curve *c, double width, Worth slope)
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
void slide(const Problem *p, const Curve *c, double width, Worth slope, Curve *out)
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
int greatest(const Problem *p, const Curve *a, const Curve *b, Curve *out)
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

int new_curve(Curve *c, Int room)
{
    c->x = malloc(sizeof(double) * (size_t)(room + 1));
    c->slope = malloc(sizeof(Worth) * (size_t)room);
    return c->x != NULL && c->slope != NULL;
}
void free_curve(Curve *c) { free(c->x); free(c->slope); }
