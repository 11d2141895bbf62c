/* Arithmetic of worths: money that counts level by level, the first objective first, the tie-break last. */
#ifndef BESS_OPT_WORTH_H
#define BESS_OPT_WORTH_H

#include "recursion.h"

static inline Worth zero(void) { Worth r = {{0}}; return r; }
static inline Worth minus(Worth a, Worth b) { for (int k = 0; k < LEVELS; k++) a.of[k] -= b.of[k]; return a; }
static inline Worth plus(Worth a, Worth b) { for (int k = 0; k < LEVELS; k++) a.of[k] += b.of[k]; return a; }
static inline Worth times(Worth a, double f) { for (int k = 0; k < LEVELS; k++) a.of[k] *= f; return a; }
static inline void add(Worth *a, Worth b, double f) { for (int k = 0; k < LEVELS; k++) a->of[k] += f * b.of[k]; }

/* Sign of a worth: that of its first level that is not zero. */
static inline int sign_of(const Problem *p, Worth a, const double *none)
{
    for (Int k = 0; k < p->levels; k++) {
        if (a.of[k] > none[k]) return 1;
        if (a.of[k] < -none[k]) return -1;
    }
    return 0;
}
static inline int steeper(const Problem *p, Worth a, Worth b) { return sign_of(p, minus(a, b), p->slope_zero); }
static inline int better(const Problem *p, Worth a, Worth b) { return sign_of(p, minus(a, b), p->value_zero); }

/* How far from here a difference of values `d` <= 0 that changes by `rate` turns positive; infinite if never. */
static inline double crossing(const Problem *p, Worth d, Worth rate)
{
    for (Int k = 0; k < p->levels; k++) {
        if (rate.of[k] > p->slope_zero[k]) return fmax(0.0, -d.of[k] / rate.of[k]);
        if (rate.of[k] < -p->slope_zero[k] || fabs(d.of[k]) > p->value_zero[k]) return INFINITY;
    }
    return INFINITY;
}

#endif
