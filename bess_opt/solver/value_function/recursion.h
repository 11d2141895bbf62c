/* Value functions of stored energy: what the files of this folder share.
 *
 * V(t, e) is the most that steps t, t+1, ... bring with e MWh in store at instant t:
 *
 *     V(t, e) = worth of e at t  +  max over d of  g(t, d) + V(t+1, k e + d),   k e + d inside the window of t+1,
 *
 * k the share that self-discharge leaves, g(t, d) the most that step t brings while the cells gain d:
 *
 *     g(t, d) = max c.x   over   A x = b + d u,   l <= x <= u,   one flow of each converter closed,
 *
 * u the unit vector of the energy law's row. Both are piecewise linear, and kept as `Curve`s. To be read in this order:
 *
 *     worth.h     arithmetic of money that counts level by level
 *     curve.c     curves, the greatest of lines and of curves, the greatest of a curve in a sliding window
 *     gain.c      g(t, .) of a step, from the bases of A
 *     backward.c  V(first, .) from V(last, .), step by step
 *     forward.c   the schedule from a start energy, and the prices that prove it
 *
 * Nothing here knows Python, a topology or a unit. What begins with `vf_` is called from recursion.py. Arrays belong
 * to the caller, a `Memory` to `vf_free`. Every other function is for these files alone.
 */
#ifndef BESS_OPT_RECURSION_H
#define BESS_OPT_RECURSION_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__)
#define HIDDEN __attribute__((visibility("hidden"))) /* no symbol of the library: never mixed up with another's */
#else
#define HIDDEN
#endif

#define LEVELS 3         /* objectives and the tie-break, compared one after the other */
#define MOST_ROWS 16     /* of one step; modes.py refuses more */
#define MOST_COLUMNS 64
#define MOST_MODES 64

typedef int64_t Int;
typedef struct { double of[LEVELS]; } Worth;           /* money, level by level */
typedef struct { const double *at; Int stride; } Series; /* the value of step t is at[t * stride]; stride 0 or 1 */
typedef struct { Worth at, slope; Int basis; } Line;   /* at: value where the sweep begins */

/* A piecewise linear function: segment i has slope[i] between x[i] and x[i+1], i = 0 .. n-1; `start` is its value at
 * x[0]. Slopes are copies of slopes of g, never quotients of values: equal ones are equal to the last bit, so that
 * neighbours merge and the number of pieces stays that of what the prices tell apart. */
typedef struct { double *x; Worth *slope; Worth start; Int n; } Curve;

enum { FINE, NO_PLAN, GAP, JUMP, UNBOUNDED, TOO_MANY, NO_MEMORY, STOPPED }; /* worded in recursion.py */

typedef struct { /* a mode in a step: its range of d, and lines above its g, valued at d = 0; -1 where not looked up */
    Int fine, low_ray, high_ray, count;
    double low, high;
    Line *line;
} Reach;

typedef struct { Int step; Reach *reach; Curve gain; Int room; } Slot; /* step -1: empty; gain.n 0: g not looked up */
typedef struct { Int slots, modes; Slot *slot; Line *line; Reach *reach; } Known; /* step t is in slot t % slots */

typedef struct { /* laid out as in recursion.py */
    Int steps, levels, rows, columns, energy_row, most_bases, most_modes;
    Int room;                                    /* breakpoints that a curve may have; TOO_MANY beyond */
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
    const volatile Int *stop;                    /* not 0 once the caller has no more time */
    Known *known;                                /* steps looked up before, while their numbers stand; NULL: none */
} Problem;

typedef struct { /* what a pass backward keeps */
    Int first, last, status, where;              /* steps; how it ended, and in which step */
    Int humps;                                   /* 1 once g or V was not concave */
    Int most, points, gains, points_room, gains_room;
    Worth value;                                 /* V(first, .) at its least energy */
    Int *point_at, *gain_at;                     /* per step: where V(t+1) and g(t) begin in the arrays below */
    Int *point_n, *gain_n;                       /* and how many segments they have */
    double *x, *gain_x;
    Worth *slope, *gain_slope;
    Curve now;                                   /* V(first) */
} Memory;

typedef struct { /* room to work in, for one pass */
    Int step;                                    /* whose numbers are below */
    Worth cost[MOST_COLUMNS];                    /* the step's numbers */
    double lower[MOST_COLUMNS], upper[MOST_COLUMNS], right[MOST_ROWS];
    Line *line;
    double *mark;
    Curve mode[MOST_MODES], gain, a, b, c;
} Work;

/* curve.c */
HIDDEN void put(const Problem *p, Curve *c, double x, Worth slope);
HIDDEN void end_at(const Problem *p, Curve *c, double x);
HIDDEN void swap(Curve *a, Curve *b);
HIDDEN int concave(const Problem *p, const Curve *c);
HIDDEN Worth sweep(const Problem *p, const Line *line, Int count, double from, double to, double sign, Curve *c);
HIDDEN void insert(const Problem *p, Curve *c, double width, Worth slope);
HIDDEN void slide(const Problem *p, const Curve *c, double width, Worth slope, Curve *out);
HIDDEN int greatest(const Problem *p, const Curve *a, const Curve *b, Curve *out);
HIDDEN int new_curve(Curve *c, Int room);
HIDDEN void free_curve(Curve *c);

/* gain.c */
HIDDEN void read_step(const Problem *p, Int t, Work *w);
HIDDEN Worth reduced(const Problem *p, const Work *w, Int basis, Int j);
HIDDEN double side_of(const Problem *p, const Work *w, Int j, Worth z);
HIDDEN Int lines_of(const Problem *p, const Work *w, Int mode, double origin, Line *line);
HIDDEN int range_of(const Problem *p, const Work *w, Int mode, double *low, double *high, Int *low_ray, Int *high_ray);
HIDDEN int gain_of(const Problem *p, Int t, Work *w);
HIDDEN Work *new_work(const Problem *p);
HIDDEN void free_work(Work *w);

#endif
