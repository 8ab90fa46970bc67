/* Runs the kernels on the cases of a file and compares bits: no Python, so it runs under an emulator.
 *
 *   neon_main CASES [ISA]      status 0 where every bit agrees, 1 where not, 2 for an unreadable file
 *
 * CASES is written by write_cases.py: a count, and for each case the 14 numbers of an
 * rm_dw_shape, whether there is a bias, then x, w, b, y, dy, dx, dw, db as float32.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "refmnas_c.h"

static void *taken(FILE *file, size_t bytes)
{
    void *memory = malloc(bytes ? bytes : 1);
    if (!memory || fread(memory, 1, bytes, file) != bytes) {
        fprintf(stderr, "the file of cases ends early\n");
        exit(2);
    }
    return memory;
}

/* Elements whose bits differ; a result begins as a pattern that no kernel writes. */
static int64_t differing(const char *what, int number, const float *got, const float *want, int64_t count)
{
    int64_t wrong = 0;
    for (int64_t k = 0; k < count; k++)
        wrong += memcmp(got + k, want + k, sizeof *got) != 0;
    if (wrong)
        printf("case %d: %s differs in %lld of %lld elements\n", number, what, (long long)wrong, (long long)count);
    return wrong;
}

static float *fresh(int64_t count)
{
    float *memory = malloc(count ? count * sizeof *memory : 1);
    memset(memory, 0xA5, count * sizeof *memory);
    return memory;
}

static int64_t run(FILE *file, int number)
{
    int64_t *head = taken(file, 15 * sizeof *head);
    rm_dw_shape s;
    memcpy(&s, head, sizeof s);
    const int64_t in = s.n * s.h * s.w * s.c, taps = s.kh * s.kw * s.c, out = s.n * s.p * s.q * s.c;
    const int64_t sizes[] = {in, taps, s.c, out, out, in, taps, s.c};
    float *a[8];
    for (int k = 0; k < 8; k++)
        a[k] = taken(file, sizes[k] * sizeof(float));
    float *y = fresh(out), *dx = fresh(in), *dw = fresh(taps), *db = fresh(s.c);
    if (rm_f32_depthwise_fwd(&s, a[0], a[1], head[14] ? a[2] : NULL, y) ||
        rm_f32_depthwise_bwd(&s, a[4], a[0], a[1], dx, dw, db)) {
        printf("case %d: refused\n", number);
        return 1;
    }
    int64_t wrong = differing("y", number, y, a[3], out) + differing("dx", number, dx, a[5], in) +
                    differing("dw", number, dw, a[6], taps) + differing("db", number, db, a[7], s.c);
    for (int k = 0; k < 8; k++)
        free(a[k]);
    free(y), free(dx), free(dw), free(db), free(head);
    return wrong;
}

int main(int argc, char **argv)
{
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (!file || (argc > 2 && rm_select_isa(argv[2]))) {
        fprintf(stderr, "usage: neon_main CASES [ISA]\n");
        return 2;
    }
    int64_t *count = taken(file, sizeof *count), wrong = 0;
    for (int64_t k = 0; k < *count; k++)
        wrong += run(file, (int)k);
    printf("%s: %lld cases, %lld elements differ\n", rm_isa(), (long long)*count, (long long)wrong);
    return *count < 1 || wrong != 0;
}
