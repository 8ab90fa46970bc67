/* Runs a program: its steps in order, each by all threads, which meet after it.
 *
 * Thread t of T does the units [n*t/T, n*(t+1)/T) of a step's n.  Where the pool is taken
 * by another run, the caller does all of them alone: no unit's result depends on who
 * computes it, nor with what else.
 */
#include <stddef.h>
#include <time.h>

#include "engine.h"
#include "threads.h"

typedef struct rm_run {
    const rm_program *program;
    const rm_engine *engine;
    const float *x;
    float *y;
    int64_t threads;
    double *seconds; /* per step, of the first thread; or NULL */
    rm_barrier barrier;
} rm_run;

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void work(void *given, int32_t thread)
{
    rm_run *run = given;
    const rm_program *g = run->program;
    rm_frame frame = {.program = g, .scratch = g->work + g->scratch + thread * g->scratch_size};
    for (int64_t n = 0; n < g->batch; n++) {
        frame.image = run->x + n * g->image_h * g->image_w * 3;
        frame.logits = run->y + n * g->classes;
        for (int64_t k = 0; k < g->step_count; k++) {
            const rm_step *s = &g->steps[k];
            const double begin = run->seconds && !thread ? seconds_now() : 0;
            frame.later = g->weights + s->later + s->later_size * thread / run->threads;
            frame.later_end = g->weights + s->later + s->later_size * (thread + 1) / run->threads;
            run->engine->step[s->kind](&frame, s, s->units * thread / run->threads, s->units * (thread + 1) / run->threads);
            if (run->threads > 1)
                rm_barrier_wait(&run->barrier);
            if (run->seconds && !thread)
                run->seconds[k] += seconds_now() - begin;
        }
    }
}

static int run_program(const rm_program *program, const float *x, float *y, double *seconds)
{
    const rm_engine *engine = rm_engine_of(program ? program->isa : -1);
    if (!program || !x || !y)
        return RM_NULL;
    if (!engine)
        return RM_NOT_USABLE;
    rm_run run = {program, engine, x, y, program->threads, seconds, {(int32_t)program->threads, 0, 0}};
    if (run.threads > 1 && rm_threads_run((int32_t)run.threads, work, &run))
        return RM_OK;
    run.threads = 1;
    work(&run, 0);
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
