/* Preloaded before libc: the n-th request for memory, or for a thread, is refused.
 *
 *   fail_memory(n, least)   the n-th from now on of at least so many bytes, counted from 0; -1: none
 *   fail_threads(n)         likewise
 *   memory_asked()          requests counted since fail_memory
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size), *__libc_calloc(size_t count, size_t size), *__libc_realloc(void *, size_t);

static long memory_at = -1, threads_at = -1, asked, threads_asked;
static size_t least;

void fail_memory(long n, size_t bytes)
{
    least = bytes;
    asked = 0;
    memory_at = n;
}

void fail_threads(long n)
{
    threads_asked = 0;
    threads_at = n;
}

long memory_asked(void) { return asked; }

static int is_refused(size_t size)
{
    if (memory_at < 0 || size < least || asked++ != memory_at)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) { return is_refused(size) ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return is_refused(count * size) ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return is_refused(size) ? NULL : __libc_realloc(old, size); }

void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset)
{
    return is_refused(size) ? (void *)-1 : (void *)syscall(SYS_mmap, at, size, protection, flags, file, offset);
}
void *mmap64(void *at, size_t size, int protection, int flags, int file, off_t offset)
{
    return mmap(at, size, protection, flags, file, offset);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (threads_at >= 0 && threads_asked++ >= threads_at)
        return EAGAIN;
    return real(thread, attributes, run, argument);
}
