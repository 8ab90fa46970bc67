/* A depthwise convolution in plain C, held to refmnas' cases.  Needs the C library alone.
 *
 *   cc -O2 -o kit_depthwise examples/kit_depthwise.c
 *   refmnas kit run --ops depthwise.forward --command "./kit_depthwise {in} {out}"
 *
 *   y[n,p,q,c] = b[c] + sum_{i,j} x[n, p*S + i*L - T, q*S + j*L - U, c] * w[i,j,c]
 *
 * IN and OUT are safetensors files: 8 bytes of header length (little endian), a JSON header with
 * "NAME":{"dtype":"F32","shape":[...],"data_offsets":[first,end]}, then the arrays.  Options stand
 * in the header's "__metadata__" as words, with spaces between numbers.  The header of a kit has
 * no spaces elsewhere and no escapes, so that strstr is parser enough.  Little-endian machines.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DECLINED = 77 };

static char *header; /* the JSON text, ended by a 0 */
static char *data;   /* the arrays, one after the other */

static void die(const char *why)
{
    fprintf(stderr, "kit_depthwise: %s\n", why);
    exit(1);
}

/* The array `name`: its values and its extents; NULL where the file has none. */
static const float *array(const char *name, long *shape)
{
    char key[64];
    long first;
    snprintf(key, sizeof key, "\"%s\":{\"dtype\":\"F32\",\"shape\":[", name);
    const char *at = strstr(header, key);
    if (!at)
        return NULL;
    at += strlen(key);
    while (*at != ']') {
        *shape++ = strtol(at, (char **)&at, 10);
        at += *at == ',';
    }
    at = strstr(at, "\"data_offsets\":[");
    if (!at)
        die("an array without offsets");
    first = strtol(at + strlen("\"data_offsets\":["), NULL, 10);
    return (const float *)(data + first);
}

/* The numbers of an option; 0 where the file has none. */
static int option(const char *name, long *values, int count)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *at = strstr(header, key);
    if (!at)
        return 0;
    at += strlen(key);
    for (int k = 0; k < count; k++)
        values[k] = strtol(at, (char **)&at, 10);
    return 1;
}

static void read_in(const char *path)
{
    uint64_t length;
    FILE *file = fopen(path, "rb");
    if (!file || fread(&length, 8, 1, file) != 1 || length > 1 << 20)
        die("cannot read the header");
    fseek(file, 0, SEEK_END);
    long rest = ftell(file) - 8 - (long)length;
    fseek(file, 8, SEEK_SET);
    header = calloc(length + 1, 1);
    data = malloc(rest + 1);
    if (!header || !data || rest < 0 || fread(header, 1, length, file) != length ||
        fread(data, 1, rest, file) != (size_t)rest)
        die("cannot read the arrays");
    fclose(file);
}

static void write_out(const char *path, const float *y, const long *shape)
{
    char text[256];
    long bytes = 4 * shape[0] * shape[1] * shape[2] * shape[3];
    int used = snprintf(text, sizeof text,
                        "{\"y\":{\"dtype\":\"F32\",\"shape\":[%ld,%ld,%ld,%ld],\"data_offsets\":[0,%ld]}}", shape[0],
                        shape[1], shape[2], shape[3], bytes);
    uint64_t length = used;
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(&length, 8, 1, file) != 1 || fwrite(text, 1, length, file) != length ||
        fwrite(y, 1, bytes, file) != (size_t)bytes || fclose(file))
        die("cannot write the result");
}

int main(int count, char **words)
{
    long X[4], K[3], B[1], S = 1, L = 1, pad[4] = {0, 0, 0, 0};
    if (count != 3)
        die("wanted two arguments: IN OUT");
    read_in(words[1]);
    if (!strstr(header, "\"function\":\"depthwise.forward\"") || !strstr(header, "\"layout\":\"NHWC\""))
        return DECLINED;
    const float *x = array("x", X), *w = array("w", K), *b = array("b", B);
    if (!x || !w)
        die("x or w is missing");
    option("stride", &S, 1);
    option("dilation", &L, 1);
    option("pad", pad, 4); /* top, bottom, left, right */

    long N = X[0], H = X[1], W = X[2], C = X[3];
    long P = (H + pad[0] + pad[1] - (K[0] - 1) * L - 1) / S + 1;
    long Q = (W + pad[2] + pad[3] - (K[1] - 1) * L - 1) / S + 1;
    float *y = malloc(4 * N * P * Q * C + 1);
    if (!y)
        die("no memory");
    for (long n = 0; n < N; n++)
        for (long p = 0; p < P; p++)
            for (long q = 0; q < Q; q++)
                for (long c = 0; c < C; c++) {
                    float sum = b ? b[c] : 0;
                    for (long i = 0; i < K[0]; i++)
                        for (long j = 0; j < K[1]; j++) {
                            long r = p * S + i * L - pad[0], s = q * S + j * L - pad[2];
                            if (r >= 0 && r < H && s >= 0 && s < W)
                                sum += x[((n * H + r) * W + s) * C + c] * w[(i * K[1] + j) * C + c];
                        }
                    y[((n * P + p) * Q + q) * C + c] = sum;
                }
    write_out(words[2], y, (long[]){N, P, Q, C});
    return 0;
}
