/* One small pool of threads for the whole process. */
#ifndef RM_THREADS_H
#define RM_THREADS_H

#include <stdint.h>

enum { RM_MOST_THREADS = 256 };

/* Does what can be done now, and tells how many parts of the whole must be done (rm_threads_did) before it is
 * called again; -1: there is no more.  It never waits, and keeps nothing of `arg` between two calls. */
typedef int64_t rm_work(void *arg, int32_t thread);

/* work(arg, 0) .. work(arg, threads - 1) at once, 0 by the caller, again and again until the caller's says -1.
 * A worker that the system lets wait holds up nobody but while it is inside `work`.  Returns 0, having called
 * nothing, where the pool is at work for another caller or cannot have so many threads. */
int rm_threads_run(int32_t threads, rm_work *work, void *arg);

/* So many more parts of the run are done: said by `work`. */
void rm_threads_did(int64_t parts);

#endif
