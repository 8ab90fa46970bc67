/* One small pool of threads for the whole process. */
#ifndef RM_THREADS_H
#define RM_THREADS_H

#include <stdint.h>

/* A meeting of `count` threads, again and again. */
typedef struct rm_barrier {
    int32_t count, here, round;
} rm_barrier;

void rm_barrier_wait(rm_barrier *b);

/* work(arg, 0) .. work(arg, threads - 1) at once, 0 by the caller.  Returns 0, having called nothing, where
 * the pool is at work for another caller or cannot have so many threads. */
int rm_threads_run(int32_t threads, void (*work)(void *arg, int32_t thread), void *arg);

#endif
