/* Runs the engine's programs of a file and compares bits: no Python, so it runs under emulators and sanitizers.
 *
 *   engine_main PROGRAMS ISA [CALLERS]
 *
 * Every program whose blocks are the instruction set's: with 1 to 5 threads, twice each, the
 * work memory beginning as NaN; then by CALLERS threads at once, each with memory of its own.
 * Status 0 where every bit agrees, 1 where not, 2 for an unreadable file or set.
 * PROGRAMS is written by write_programs.py.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "refmnas_c.h"

enum { BLOCK, STEPS, STEP_BYTES, WEIGHTS, TABLES, WORK, BATCH, THREADS, SCRATCH, SCRATCH_SIZE, H, W, CLASSES, HEAD };

/* One program, its image and its logits. */
typedef struct {
    int number;
    int64_t head[HEAD];
    rm_program program;
    float *x, *want;
    int64_t wrong;
} problem;

static void *taken(FILE *file, size_t bytes)
{
    void *memory = malloc(bytes ? bytes : 1);
    if (!memory || fread(memory, 1, bytes, file) != bytes) {
        fprintf(stderr, "the file of programs ends early\n");
        exit(2);
    }
    return memory;
}

static void read_problem(FILE *file, problem *p)
{
    int64_t *head = taken(file, sizeof p->head);
    memcpy(p->head, head, sizeof p->head);
    free(head);
    if (p->head[STEP_BYTES] != p->head[STEPS] * (int64_t)sizeof(rm_step)) {
        fprintf(stderr, "the steps have another size here\n");
        exit(2);
    }
    rm_program g = {.batch = p->head[BATCH], .threads = p->head[THREADS], .step_count = p->head[STEPS],
                    .scratch = p->head[SCRATCH], .scratch_size = p->head[SCRATCH_SIZE],
                    .image_h = p->head[H], .image_w = p->head[W], .classes = p->head[CLASSES]};
    g.steps = taken(file, p->head[STEP_BYTES]);
    g.weights = taken(file, p->head[WEIGHTS] * sizeof(float));
    g.tables = taken(file, p->head[TABLES] * sizeof(int32_t));
    p->program = g;
    p->x = taken(file, g.batch * g.image_h * g.image_w * 3 * sizeof(float));
    p->want = taken(file, g.batch * g.classes * sizeof(float));
}

/* Logits that differ in a run with so many threads, over fresh memory. */
static int64_t differing(const problem *p, int64_t threads)
{
    rm_program g = p->program;
    const int64_t count = g.batch * g.classes;
    float *work = malloc(p->head[WORK] * sizeof *work), *y = malloc(count * sizeof *y);
    memset(work, 0xFF, p->head[WORK] * sizeof *work); /* NaN */
    g.work = work;
    g.threads = threads;
    int64_t wrong = 0;
    for (int again = 0; again < 2; again++) {
        memset(y, 0xA5, count * sizeof *y);
        const int status = rm_engine_run(&g, p->x, y);
        for (int64_t k = 0; k < count; k++)
            wrong += status || memcmp(y + k, p->want + k, sizeof *y) != 0;
    }
    free(work);
    free(y);
    return wrong;
}

static void *call(void *given)
{
    problem *p = given;
    for (int again = 0; again < 3; again++)
        p->wrong += differing(p, p->program.threads - again);
    return NULL;
}

/* The program by several callers at once: one has the pool, the others run alone. */
static int64_t at_once(const problem *p, int callers)
{
    problem of[16];
    pthread_t thread[16];
    int64_t wrong = 0;
    for (int k = 0; k < callers; k++) {
        of[k] = *p;
        of[k].wrong = 0;
        if (pthread_create(&thread[k], NULL, call, &of[k]))
            exit(2);
    }
    for (int k = 0; k < callers; k++) {
        pthread_join(thread[k], NULL);
        wrong += of[k].wrong;
    }
    return wrong;
}

static int64_t run(problem *p, int callers)
{
    int64_t wrong = 0;
    for (int64_t threads = 1; threads <= p->head[THREADS]; threads++) {
        const int64_t more = differing(p, threads);
        if (more)
            printf("program %d, %lld threads: %lld logits differ\n", p->number, (long long)threads, (long long)more);
        wrong += more;
    }
    const int64_t more = at_once(p, callers);
    if (more)
        printf("program %d, %d callers: %lld logits differ\n", p->number, callers, (long long)more);
    return wrong + more;
}

static int64_t index_of(const char *isa)
{
    for (int k = 0; rm_isa_name(k); k++)
        if (!strcmp(rm_isa_name(k), isa) && rm_isa_usable(k))
            return k;
    fprintf(stderr, "%s cannot run here\n", isa);
    exit(2);
}

int main(int argc, char **argv)
{
    FILE *file = argc > 2 ? fopen(argv[1], "rb") : NULL;
    const int callers = argc > 3 ? atoi(argv[3]) : 0;
    if (!file || callers < 0 || callers > 16) {
        fprintf(stderr, "usage: engine_main PROGRAMS ISA [CALLERS]\n");
        return 2;
    }
    int64_t shape[3], *count = taken(file, sizeof *count), wrong = 0, ran = 0;
    const int64_t isa = index_of(argv[2]);
    rm_engine_shape(isa, shape);
    for (int64_t k = 0; k < *count; k++) {
        problem p = {.number = (int)k};
        read_problem(file, &p);
        p.program.isa = isa;
        if (p.head[BLOCK] == shape[0]) {
            wrong += run(&p, callers);
            ran++;
        }
        free((void *)p.program.steps), free((void *)p.program.weights), free((void *)p.program.tables);
        free(p.x), free(p.want);
    }
    free(count);
    fclose(file);
    printf("%s: %lld programs, %lld logits differ\n", argv[2], (long long)ran, (long long)wrong);
    return ran < 1 || wrong != 0;
}
