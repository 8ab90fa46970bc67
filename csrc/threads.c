/* The pool: made when first asked for, grown to what is asked for, woken once per run.
 *
 * After a run a worker looks for the next one for at most 200 us, then sleeps: a poller
 * would disturb whoever has the processor.  Who waits for others' parts looks for a while,
 * then sleeps as well: where there are more threads than processors, the one waited for
 * needs this one's.  After a fork the child has no workers, and begins anew.
 *
 * A run ends when the caller's work says so.  Then it is closed, and the caller waits for
 * workers that are inside `work` alone: one that waits, or that the system has not woken
 * yet, finds the run closed when it comes.
 */
#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <time.h>

enum { RM_SPINS = 4000, RM_LINE = 64 };

/* What a worker looks at: the number of its latest order, and whether it is inside `work`; alone in its cache line. */
typedef struct rm_mailbox {
    int32_t order, is_inside;
    char rest[RM_LINE - 2 * sizeof(int32_t)];
} rm_mailbox;

static struct {
    pthread_mutex_t owner; /* held by the caller whose run it is */
    pthread_mutex_t sleep;
    pthread_cond_t wake, met; /* a new run; more parts done */
    int32_t workers;          /* that exist: numbers 1..workers */
    int32_t has_fork_handler;
    int32_t run;     /* the number of the run that is open; 0: none */
    int32_t waiting; /* threads asleep until more parts are done */
    rm_work *work;
    void *arg;
    char before[RM_LINE];
    int64_t done; /* parts of this run */
    char behind[RM_LINE];
    rm_mailbox mail[RM_MOST_THREADS];
} pool = {.owner = PTHREAD_MUTEX_INITIALIZER,
          .sleep = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER,
          .met = PTHREAD_COND_INITIALIZER};

static inline void breathe(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int32_t get(const int32_t *a) { return __atomic_load_n(a, __ATOMIC_SEQ_CST); }
static void set(int32_t *a, int32_t value) { __atomic_store_n(a, value, __ATOMIC_SEQ_CST); }

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void rm_threads_did(int64_t parts)
{
    __atomic_add_fetch(&pool.done, parts, __ATOMIC_SEQ_CST);
    if (get(&pool.waiting)) {
        pthread_mutex_lock(&pool.sleep);
        pthread_cond_broadcast(&pool.met);
        pthread_mutex_unlock(&pool.sleep);
    }
}

/* Whether so many parts of a run are done, or it is over. */
static int is_met(int32_t run, int64_t parts)
{
    return __atomic_load_n(&pool.done, __ATOMIC_SEQ_CST) >= parts || get(&pool.run) != run;
}

static void wait_for(int32_t run, int64_t parts)
{
    for (int spins = 0; spins < RM_SPINS; spins++) {
        if (is_met(run, parts))
            return;
        breathe();
    }
    pthread_mutex_lock(&pool.sleep);
    __atomic_add_fetch(&pool.waiting, 1, __ATOMIC_SEQ_CST); /* before the look: who is done later sees it */
    while (!is_met(run, parts))
        pthread_cond_wait(&pool.met, &pool.sleep);
    __atomic_sub_fetch(&pool.waiting, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&pool.sleep);
}

/* Until an order other than `seen` is in the mailbox: by looking for a while, then asleep. */
static int32_t next_order(const int32_t *order, int32_t seen)
{
    const int64_t end = now_ns() + 200000;
    for (int32_t k = 1; get(order) == seen; k++) {
        breathe();
        if (k % 64 || now_ns() < end)
            continue;
        pthread_mutex_lock(&pool.sleep);
        while (get(order) == seen)
            pthread_cond_wait(&pool.wake, &pool.sleep);
        pthread_mutex_unlock(&pool.sleep);
    }
    return get(order);
}

/* One call of work in a run; -1 where that is over. */
static int64_t worked(int32_t run, int32_t me)
{
    int64_t wanted = -1;
    set(&pool.mail[me].is_inside, 1); /* before the look: the caller, having closed the run, sees it */
    if (get(&pool.run) == run)
        wanted = pool.work(pool.arg, me);
    set(&pool.mail[me].is_inside, 0);
    return wanted;
}

static void *worker(void *given)
{
    const int32_t me = (int32_t)(intptr_t)given;
    for (int32_t run = 0;;) {
        run = next_order(&pool.mail[me].order, run);
        for (int64_t wanted; (wanted = worked(run, me)) >= 0;)
            wait_for(run, wanted);
    }
    return NULL;
}

/* In a child after fork: none of the workers came along, and a lock may have been held by one. */
static void begin_anew(void)
{
    pthread_mutex_init(&pool.owner, NULL);
    pthread_mutex_init(&pool.sleep, NULL);
    pthread_cond_init(&pool.wake, NULL);
    pthread_cond_init(&pool.met, NULL);
    pool.workers = pool.run = pool.waiting = 0;
    for (int k = 0; k < RM_MOST_THREADS; k++)
        pool.mail[k].order = pool.mail[k].is_inside = 0;
}

/* So many workers that `threads` can run; 0 where the system gives no more. */
static int grow(int32_t threads)
{
    if (!pool.has_fork_handler && pthread_atfork(NULL, NULL, begin_anew))
        return 0;
    pool.has_fork_handler = 1;
    while (pool.workers < threads - 1) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, worker, (void *)(intptr_t)(pool.workers + 1)))
            return 0;
        pthread_detach(thread);
        pool.workers++;
    }
    return 1;
}

/* The run is open, and the workers are told. */
static int32_t opened(int32_t threads, rm_work *work, void *arg)
{
    static int32_t latest; /* the owner's */
    latest = latest == INT32_MAX ? 1 : latest + 1;
    pool.work = work;
    pool.arg = arg;
    __atomic_store_n(&pool.done, 0, __ATOMIC_SEQ_CST);
    set(&pool.run, latest);
    for (int32_t k = 1; k < threads; k++)
        set(&pool.mail[k].order, latest);
    pthread_mutex_lock(&pool.sleep);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.sleep);
    return latest;
}

/* No worker comes in any more, and none is inside. */
static void closed(int32_t threads)
{
    set(&pool.run, 0);
    pthread_mutex_lock(&pool.sleep); /* sleepers wait for parts of this run no longer */
    pthread_cond_broadcast(&pool.met);
    pthread_mutex_unlock(&pool.sleep);
    for (int32_t k = 1; k < threads; k++)
        for (int spins = 0; get(&pool.mail[k].is_inside); spins++)
            spins < RM_SPINS ? breathe() : (void)sched_yield();
}

int rm_threads_run(int32_t threads, rm_work *work, void *arg)
{
    if (threads > RM_MOST_THREADS || pthread_mutex_trylock(&pool.owner))
        return 0;
    const int is_able = grow(threads);
    if (is_able) {
        const int32_t run = opened(threads, work, arg);
        for (int64_t wanted; (wanted = work(arg, 0)) >= 0;)
            wait_for(run, wanted);
        closed(threads);
    }
    pthread_mutex_unlock(&pool.owner);
    return is_able;
}
