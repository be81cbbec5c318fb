/*
 * The least that an NBD server can do: reads from memory, one thread a connection that waits in recv, replies by one system call
 * a request, no limits and no checks. It is no server to use; it tells where the machine itself ends, so that what is left between a
 * server and this line is the server's, and what is beyond it nobody's.
 *
 * With MICROSECONDS it looks for so long whether there is a request before it sleeps, and lets others run between two looks: to be put to
 * sleep and woken takes longer than to answer, where it needs an interrupt to a halted virtual processor.
 *
 *   ceiling IMAGE UNIX-SOCKET PORT [MICROSECONDS]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64 };

static char *bytes;
static uint64_t size, spin; /* nanoseconds */

static int get(int fd, void *to, size_t length) { return length == 0 || recv(fd, to, length, MSG_WAITALL) == (ssize_t) length; }

static int put(int fd, struct iovec *part, int parts) {
    while (parts > 0) {
        ssize_t n = writev(fd, part, parts);
        if (n <= 0) return 0;
        for (; parts > 0 && (size_t) n >= part->iov_len; part++, parts--) n -= (ssize_t) part->iov_len;
        if (parts > 0) part->iov_base = (char *) part->iov_base + n, part->iov_len -= (size_t) n;
    }
    return 1;
}

static int reply(int fd, uint32_t option, uint32_t type, const void *data, uint32_t length) {
    struct __attribute__((packed)) { uint64_t magic; uint32_t option, type, length; } head = {
        htobe64(0x3e889045565a9), htobe32(option), htobe32(type), htobe32(length) };
    struct iovec parts[2] = { { &head, sizeof head }, { (void *) data, length } };
    return put(fd, parts, length ? 2 : 1);
}

static int negotiate(int fd) {
    struct __attribute__((packed)) { uint64_t magic, more; uint16_t flags; } greeting = {
        htobe64(0x4e42444d41474943), htobe64(0x49484156454F5054), htobe16(3) };
    struct iovec part = { &greeting, sizeof greeting };
    uint32_t flags;
    if (!put(fd, &part, 1) || !get(fd, &flags, 4)) return 0;
    for (;;) {
        struct __attribute__((packed)) { uint64_t magic; uint32_t code, length; } option;
        char data[4096];
        if (!get(fd, &option, sizeof option) || be32toh(option.length) > sizeof data || !get(fd, data, be32toh(option.length))) return 0;
        uint32_t code = be32toh(option.code);
        if (code == 7) {
            struct __attribute__((packed)) { uint16_t type; uint64_t size; uint16_t flags; } info = { 0, htobe64(size), htobe16(0x103) };
            return reply(fd, 7, 3, &info, sizeof info) && reply(fd, 7, 1, "", 0);
        }
        if (!reply(fd, code, code == 8 ? 1 : 0x80000001, "", 0)) return 0;
    }
}

struct __attribute__((packed)) request { uint32_t magic; uint16_t flags, type; uint64_t cookie, offset; uint32_t length; };
struct __attribute__((packed)) chunk { uint32_t magic; uint16_t flags, type; uint64_t cookie; uint32_t length; uint64_t offset; };

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

/* recv, after a look for a moment. */
static ssize_t take(int fd, void *to, size_t most) {
    for (uint64_t end = spin ? now() + spin : 0; spin && now() < end; sched_yield()) {
        ssize_t n = recv(fd, to, most, MSG_DONTWAIT);
        if (n >= 0) return n;
    }
    return recv(fd, to, most, 0);
}

static void *serve(void *of) {
    int fd = (int) (intptr_t) of;
    struct request requests[BATCH];
    struct chunk heads[BATCH];
    struct iovec parts[2 * BATCH];
    size_t have = 0;
    if (!negotiate(fd)) goto end;
    for (;;) {
        ssize_t n = take(fd, (char *) requests + have, sizeof requests - have);
        if (n <= 0) break;
        have += (size_t) n;
        int count = (int) (have / sizeof *requests);
        for (int i = 0; i < count; i++) {
            struct request *r = &requests[i];
            if (be16toh(r->type) != 0) goto end;
            uint32_t length = be32toh(r->length);
            heads[i] = (struct chunk) { htobe32(0x668e33ef), htobe16(1), htobe16(1), r->cookie, htobe32(length + 8), r->offset };
            parts[2 * i] = (struct iovec) { &heads[i], sizeof heads[i] };
            parts[2 * i + 1] = (struct iovec) { bytes + be64toh(r->offset), length };
        }
        if (count > 0 && !put(fd, parts, 2 * count)) break;
        have -= (size_t) count * sizeof *requests;
        memmove(requests, requests + count, have);
    }
end:
    close(fd);
    return NULL;
}

static void *listening(void *of) {
    int fd = (int) (intptr_t) of, one = 1;
    for (;;) {
        int client = accept(fd, NULL, NULL);
        pthread_t thread;
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        pthread_create(&thread, NULL, serve, (void *) (intptr_t) client);
        pthread_detach(thread);
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc < 4) return fprintf(stderr, "ceiling IMAGE UNIX-SOCKET PORT [MICROSECONDS]\n"), 2;
    spin = argc > 4 ? (uint64_t) atoi(argv[4]) * 1000 : 0;
    signal(SIGPIPE, SIG_IGN);
    int image = open(argv[1], O_RDONLY), one = 1;
    struct stat s;
    if (image < 0 || fstat(image, &s)) return perror(argv[1]), 1;
    size = (uint64_t) s.st_size, bytes = malloc(size);
    for (uint64_t at = 0; at < size;) {
        ssize_t n = pread(image, bytes + at, size - at, (off_t) at);
        if (n <= 0) return perror(argv[1]), 1;
        at += (uint64_t) n;
    }
    struct sockaddr_un u = { .sun_family = AF_UNIX };
    struct sockaddr_in t = { .sin_family = AF_INET, .sin_port = htons((uint16_t) atoi(argv[3])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    snprintf(u.sun_path, sizeof u.sun_path, "%s", argv[2]);
    int tcp = socket(AF_INET, SOCK_STREAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
    setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(tcp, (struct sockaddr *) &t, sizeof t) || listen(tcp, 64)) return perror("tcp"), 1;
    if (bind(local, (struct sockaddr *) &u, sizeof u) || listen(local, 64)) return perror(argv[2]), 1;
    pthread_t thread;
    pthread_create(&thread, NULL, listening, (void *) (intptr_t) tcp);
    listening((void *) (intptr_t) local);
}
