/*
 * Reads from an NBD server as fast as it answers, at the least cost to itself: requests leave and replies arrive many to a
 * system call. fio's nbd engine spends more time on a 4 KiB read than any good server does, so that with it one
 * measures fio; this one is for finding out what the server can do. Structured replies, as all current clients use them.
 *
 *   load unix:PATH|tcp:PORT EXPORT BYTES read|randread DEPTH CONNECTIONS SECONDS
 *
 * Prints: requests per second, and the 50th and 99th percentile of the latency in microseconds.
 * Every reply is checked: cookie, offset, that the chunks cover the request, and no error.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST_DEPTH = 256, BUFFER = 1 << 20, BUCKETS = 1 << 20 };

static const char *place, *export_name;
static uint32_t bytes, depth;
static int random_order;
static double seconds;

struct connection {
    pthread_t thread;
    int fd;
    uint64_t size, next, seed, done, latency[BUCKETS]; /* a bucket a quarter of a microsecond */
    uint64_t offset[MOST_DEPTH], begun[MOST_DEPTH], covered[MOST_DEPTH];
};

static void fail(const char *what) { fprintf(stderr, "load: %s (%s)\n", what, strerror(errno)); exit(1); }

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

static void put(int fd, const void *from, size_t length) {
    for (const char *p = from; length > 0;) {
        ssize_t n = send(fd, p, length, MSG_NOSIGNAL);
        if (n <= 0) fail("the server does not take requests");
        p += n, length -= (size_t) n;
    }
}

static void get(int fd, void *to, size_t length) {
    for (char *p = to; length > 0;) {
        ssize_t n = recv(fd, p, length, 0);
        if (n <= 0) fail("the server has gone");
        p += n, length -= (size_t) n;
    }
}

static int dial(void) {
    int fd;
    if (strncmp(place, "unix:", 5) == 0) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        snprintf(a.sun_path, sizeof a.sun_path, "%s", place + 5);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *) &a, sizeof a)) fail("cannot connect");
    } else {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t) atoi(place + 4)) };
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *) &a, sizeof a)) fail("cannot connect");
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    return fd;
}

static void option(int fd, uint32_t code, const void *data, uint32_t length) {
    struct { uint64_t magic; uint32_t code, length; } head = { htobe64(0x49484156454F5054), htobe32(code), htobe32(length) };
    put(fd, &head, sizeof head);
    put(fd, data, length);
}

/* Takes the replies to an option up to its ACK; returns the export's size when one of them tells it. */
static uint64_t replies(int fd) {
    uint64_t size = 0;
    for (;;) {
        struct __attribute__((packed)) { uint64_t magic; uint32_t code, type, length; } head;
        char data[65536];
        get(fd, &head, sizeof head);
        uint32_t type = be32toh(head.type), length = be32toh(head.length);
        if (type >> 31 || length > sizeof data) fail("the server refuses an option");
        get(fd, data, length);
        if (type == 1) return size;
        if (type == 3 && length >= 10 && data[0] == 0 && data[1] == 0) memcpy(&size, data + 2, 8), size = be64toh(size);
    }
}

static void negotiate(struct connection *c) {
    char greeting[18], go[4 + 4096 + 2] = { 0 };
    get(c->fd, greeting, sizeof greeting);
    uint32_t flags = htobe32(3), length = (uint32_t) strlen(export_name), name = htobe32(length);
    put(c->fd, &flags, 4);
    option(c->fd, 8, "", 0);
    replies(c->fd);
    memcpy(go, &name, 4);
    memcpy(go + 4, export_name, length);
    option(c->fd, 7, go, 4 + length + 2);
    c->size = replies(c->fd);
    if (c->size < bytes) fail("the export is too small");
}

struct __attribute__((packed)) request { uint32_t magic; uint16_t flags, type; uint64_t cookie, offset; uint32_t length; };
struct __attribute__((packed)) chunk { uint32_t magic; uint16_t flags, type; uint64_t cookie; uint32_t length; };

static void ask(struct connection *c, const uint32_t *slots, uint32_t count) {
    struct request batch[MOST_DEPTH];
    uint64_t blocks = c->size / bytes, time = now();
    for (uint32_t i = 0; i < count; i++) {
        uint64_t block = c->next++;
        if (random_order) {
            c->seed ^= c->seed << 13, c->seed ^= c->seed >> 7, c->seed ^= c->seed << 17;
            block = c->seed;
        }
        uint32_t slot = slots[i];
        c->offset[slot] = block % blocks * bytes, c->begun[slot] = time, c->covered[slot] = 0;
        batch[i] = (struct request) { htobe32(0x25609513), 0, 0, htobe64(slot), htobe64(c->offset[slot]), htobe32(bytes) };
    }
    put(c->fd, batch, count * sizeof *batch);
}

static void *run(void *of) {
    struct connection *c = of;
    char *buffer = malloc(BUFFER + 64);
    uint32_t slots[MOST_DEPTH], free_slots = depth, waiting = 0;
    int64_t last = -1; /* the request whose last data are being taken */
    uint64_t skip = 0, end = now() + (uint64_t) (seconds * 1e9);
    size_t have = 0;
    for (uint32_t i = 0; i < depth; i++) slots[i] = i;
    for (;;) {
        if (free_slots > 0 && now() < end) {
            ask(c, slots, free_slots);
            waiting += free_slots, free_slots = 0;
        }
        if (waiting == 0) break;
        ssize_t n = recv(c->fd, buffer + have, BUFFER - have, 0);
        if (n <= 0) fail("the server has gone");
        have += (size_t) n;
        size_t at = 0;
        for (;;) {
            size_t pass = have - at < skip ? have - at : skip;
            at += pass, skip -= pass;
            if (skip == 0 && last >= 0) {
                uint64_t bucket = (now() - c->begun[last]) / 250;
                c->latency[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
                c->done++, waiting--, slots[free_slots++] = (uint32_t) last, last = -1;
            }
            struct chunk head;
            if (skip > 0 || have - at < sizeof head + 12) {
                /* A DONE without payload is shorter than any other header. */
                if (skip > 0 || have - at < sizeof head) break;
                memcpy(&head, buffer + at, sizeof head);
                if (be32toh(head.length) != 0) break;
            } else memcpy(&head, buffer + at, sizeof head);
            uint64_t slot = be64toh(head.cookie), offset = 0;
            uint32_t length = be32toh(head.length), type = be16toh(head.type), size = 0;
            if (be32toh(head.magic) != 0x668e33ef || slot >= depth || type > 2) fail("a wrong reply");
            at += sizeof head;
            if (type != 0) memcpy(&offset, buffer + at, 8), offset = be64toh(offset);
            if (type == 1) at += 8, size = length - 8, skip = size;
            if (type == 2) memcpy(&size, buffer + at + 8, 4), size = be32toh(size), at += 12;
            if (type != 0 && (offset < c->offset[slot] || offset + size > c->offset[slot] + bytes)) fail("a reply from elsewhere");
            c->covered[slot] += size;
            if (be16toh(head.flags) & 1) {
                if (c->covered[slot] != bytes) fail("a reply that does not cover its request");
                last = (int64_t) slot;
            }
        }
        memmove(buffer, buffer + at, have - at);
        have -= at;
    }
    struct request leave = { htobe32(0x25609513), 0, htobe16(2), 0, 0, 0 };
    put(c->fd, &leave, sizeof leave);
    free(buffer);
    return NULL;
}

static double percentile(struct connection *all, int count, uint64_t total, double part) {
    uint64_t seen = 0;
    for (int b = 0; b < BUCKETS; b++) {
        for (int i = 0; i < count; i++) seen += all[i].latency[b];
        if ((double) seen >= part * (double) total) return b * 0.25;
    }
    return BUCKETS * 0.25;
}

int main(int argc, char **argv) {
    if (argc != 8) return fprintf(stderr, "load unix:PATH|tcp:PORT EXPORT BYTES read|randread DEPTH CONNECTIONS SECONDS\n"), 2;
    place = argv[1], export_name = argv[2], bytes = (uint32_t) atoi(argv[3]), random_order = strcmp(argv[4], "randread") == 0;
    depth = (uint32_t) atoi(argv[5]), seconds = atof(argv[7]);
    int count = atoi(argv[6]);
    if (depth < 1 || depth > MOST_DEPTH || strlen(export_name) > 4096) return 2;
    struct connection *all = calloc((size_t) count, sizeof *all);
    for (int i = 0; i < count; i++) {
        all[i].fd = dial();
        negotiate(&all[i]);
        all[i].seed = 0x9E3779B97F4A7C15u * (uint64_t) (i + 1), all[i].next = all[i].size / bytes * (uint64_t) i / (uint64_t) count;
    }
    uint64_t begin = now(), total = 0;
    for (int i = 0; i < count; i++) pthread_create(&all[i].thread, NULL, run, &all[i]);
    for (int i = 0; i < count; i++) pthread_join(all[i].thread, NULL), total += all[i].done;
    double passed = (double) (now() - begin) / 1e9;
    printf("%.0f %.2f %.2f\n", (double) total / passed, percentile(all, count, total, 0.5), percentile(all, count, total, 0.99));
    return 0;
}
