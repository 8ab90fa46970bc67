/* The pool: made when first asked for, grown to what is asked for, woken once per run.
 *
 * After a run a worker looks for the next one for at most 200 us, then sleeps: a poller
 * would disturb whoever has the processor.  A meeting spins, and yields where a thread has
 * waited long: there may be more threads than processors.  After a fork the child has no
 * workers, and begins anew.
 */
#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <time.h>

enum { RM_MOST_THREADS = 256, RM_SPINS = 2000, RM_LINE = 64 };

/* What a worker looks at: the number of its latest order, alone in its cache line. */
typedef struct rm_mailbox {
    int32_t order;
    char rest[RM_LINE - sizeof(int32_t)];
} rm_mailbox;

static struct {
    pthread_mutex_t owner; /* held by the caller whose run it is */
    pthread_mutex_t sleep;
    pthread_cond_t wake;
    int32_t workers; /* that exist: numbers 1..workers */
    int32_t done;    /* workers that have finished this run's part */
    int32_t has_fork_handler;
    void (*work)(void *arg, int32_t thread);
    void *arg;
    rm_mailbox mail[RM_MOST_THREADS];
} pool = {.owner = PTHREAD_MUTEX_INITIALIZER, .sleep = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static inline void breathe(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int32_t get(const int32_t *a) { return __atomic_load_n(a, __ATOMIC_ACQUIRE); }

void rm_barrier_wait(rm_barrier *b)
{
    const int32_t round = get(&b->round);
    if (__atomic_add_fetch(&b->here, 1, __ATOMIC_ACQ_REL) == b->count) {
        __atomic_store_n(&b->here, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&b->round, round + 1, __ATOMIC_RELEASE);
        return;
    }
    for (int spins = 0; get(&b->round) == round; spins++)
        spins < RM_SPINS ? breathe() : (void)sched_yield();
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
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

static void *worker(void *given)
{
    const int32_t me = (int32_t)(intptr_t)given;
    for (int32_t seen = 0;;) {
        seen = next_order(&pool.mail[me].order, seen);
        pool.work(pool.arg, me);
        __atomic_add_fetch(&pool.done, 1, __ATOMIC_ACQ_REL);
    }
    return NULL;
}

/* In a child after fork: none of the workers came along, and a lock may have been held by one. */
static void begin_anew(void)
{
    pthread_mutex_init(&pool.owner, NULL);
    pthread_mutex_init(&pool.sleep, NULL);
    pthread_cond_init(&pool.wake, NULL);
    pool.workers = 0;
    for (int k = 0; k < RM_MOST_THREADS; k++)
        pool.mail[k].order = 0;
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

int rm_threads_run(int32_t threads, void (*work)(void *arg, int32_t thread), void *arg)
{
    if (threads > RM_MOST_THREADS || pthread_mutex_trylock(&pool.owner))
        return 0;
    const int is_able = grow(threads);
    if (is_able) {
        pool.work = work;
        pool.arg = arg;
        pool.done = 0;
        for (int32_t k = 1; k < threads; k++)
            __atomic_add_fetch(&pool.mail[k].order, 1, __ATOMIC_ACQ_REL);
        pthread_mutex_lock(&pool.sleep);
        pthread_cond_broadcast(&pool.wake);
        pthread_mutex_unlock(&pool.sleep);
        work(arg, 0);
        for (int spins = 0; get(&pool.done) < threads - 1; spins++)
            spins < RM_SPINS ? breathe() : (void)sched_yield();
    }
    pthread_mutex_unlock(&pool.owner);
    return is_able;
}
