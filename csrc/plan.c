/* Runs a program: its steps in stages.
 *
 * A stage is a step that says `meets` and those behind it that do not: they read and write
 * nothing of one another's, so a stage's parts are done in any order, once all earlier
 * stages' are.  A step has a part for every thread: of T, part t does the units
 * [n*t/T, n*(t+1)/T) of n, or all of them and the others none, where the step has an `owner`.
 * A thread takes its own parts first, then those that nobody has taken: one that the system
 * lets wait has few.  No unit's result depends on who computes it, nor with what else; where
 * the pool is taken by another run, the caller does all of them alone.
 */
#include <stddef.h>
#include <time.h>

#include "engine.h"
#include "threads.h"

/* What is a thread's own, in its own cache lines.  Steps are counted over all images. */
typedef struct rm_own {
    int64_t taken;     /* its parts of all steps before this one are somebody's */
    int64_t at;        /* where its next stage begins */
    char rest[112];
} rm_own;

typedef struct rm_run {
    const rm_program *program;
    const rm_engine *engine;
    const float *x;
    float *y;
    int64_t threads;
    double *seconds; /* [threads][steps], each thread's in each step; or NULL */
    rm_own own[RM_MOST_THREADS];
} rm_run;

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Part `part` of step number `at`, by a thread. */
static void do_part(const rm_run *run, int64_t at, int64_t part, int64_t thread)
{
    const rm_program *g = run->program;
    const int64_t n = at / g->step_count, k = at % g->step_count, T = run->threads;
    const rm_step *s = &g->steps[k];
    const int64_t is_whole = s->owner >= 0, is_own = s->owner % T == part;
    const int64_t first = is_whole ? 0 : s->units * part / T, last = is_whole ? s->units * is_own : s->units * (part + 1) / T;
    if (first == last)
        return;
    rm_frame frame = {.program = g, .image = run->x + n * g->image_h * g->image_w * 3, .logits = run->y + n * g->classes,
                      .scratch = g->work + g->scratch + thread * g->scratch_size,
                      .later = g->weights + s->later + s->later_size * part / T,
                      .later_end = g->weights + s->later + s->later_size * (part + 1) / T};
    const double begin = run->seconds ? seconds_now() : 0;
    run->engine->step[s->kind](&frame, s, first, last);
    if (run->seconds)
        run->seconds[thread * g->step_count + k] += seconds_now() - begin;
}

/* Parts number `part` that nobody has taken, of the steps before `end`; how many. */
static int64_t take(rm_run *run, int64_t part, int64_t end, int64_t thread)
{
    int64_t *taken = &run->own[part].taken, count = 0;
    for (int64_t at = __atomic_load_n(taken, __ATOMIC_ACQUIRE); at < end;) {
        if (!__atomic_compare_exchange_n(taken, &at, at + 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            continue;
        do_part(run, at, part, thread);
        count++;
        at = __atomic_load_n(taken, __ATOMIC_ACQUIRE);
    }
    return count;
}

/* Where the stage that begins at a step ends: an image's first step meets. */
static int64_t end_of(const rm_program *g, int64_t at)
{
    int64_t k = at % g->step_count + 1;
    while (k < g->step_count && !g->steps[k].meets)
        k++;
    return at - at % g->step_count + k;
}

/* A stage, as far as its parts are not taken; or the wish that those before be done. */
static int64_t work(void *given, int32_t thread)
{
    rm_run *run = given;
    rm_own *own = &run->own[thread];
    if (own->at == run->program->step_count * run->program->batch)
        return -1;
    const int64_t end = end_of(run->program, own->at), T = run->threads;
    int64_t done = 0;
    for (int64_t k = 0; k < T; k++)
        done += take(run, (thread + k) % T, end, thread);
    own->at = end;
    if (T > 1)
        rm_threads_did(done);
    return end * T;
}

static int run_program(const rm_program *program, const float *x, float *y, double *seconds)
{
    const rm_engine *engine = rm_engine_of(program ? program->isa : -1);
    if (!program || !x || !y)
        return RM_NULL;
    if (!engine)
        return RM_NOT_USABLE;
    rm_run run;
    run.program = program, run.engine = engine, run.x = x, run.y = y, run.threads = program->threads, run.seconds = seconds;
    for (int64_t k = 0; k < run.threads && k < RM_MOST_THREADS; k++)
        run.own[k].taken = run.own[k].at = 0;
    if (run.threads > 1 && rm_threads_run((int32_t)run.threads, work, &run))
        return RM_OK;
    run.threads = 1;
    while (work(&run, 0) >= 0)
        ;
    return RM_OK;
}

int rm_engine_run(const rm_program *program, const float *x, float *y) { return run_program(program, x, y, NULL); }

int rm_engine_profile(const rm_program *program, const float *x, float *y, double *seconds)
{
    return seconds ? run_program(program, x, y, seconds) : RM_NULL;
}

int rm_engine_shape(int64_t isa, int64_t shape[3])
{
    const rm_engine *engine = rm_engine_of(isa);
    if (!engine)
        return RM_NOT_USABLE;
    shape[0] = engine->block;
    shape[1] = engine->stem_blocks;
    shape[2] = engine->dense_blocks;
    return RM_OK;
}

int rm_engine_activate(int64_t isa, int act, int64_t count, float *x)
{
    const rm_engine *engine = rm_engine_of(isa);
    if (!engine)
        return RM_NOT_USABLE;
    if (!x)
        return RM_NULL;
    if (act < 0 || act > RM_ACT_HARD_SIGMOID_KERAS || count < 0 || count % engine->block)
        return RM_SHAPE;
    engine->activate(act, count / engine->block, x);
    return RM_OK;
}
