/*
 * torture DEVICE [--seed N] [--ops N] [--span OFFSET:LENGTH] [--no-discard]
 *
 * Writes to a block device (or a file) as fast as it goes, in the ways that a backup is most likely to get wrong:
 * offsets and lengths that are multiples of 512 only, pieces that straddle 64 KiB borders or end with the device,
 * zeros written over data, discards and zero-outs of areas that held data, a flush now and then. O_DIRECT, so that
 * nothing waits in the page cache. Runs until SIGTERM, SIGINT or --ops, then flushes and prints what it did. The same
 * seed gives the same sequence. Any error ends it with status 1: a machine under backup must never see one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512, BORDER = 64 * 1024, LONGEST = 1024 * 1024, REMEMBERED = 256 };

struct range { uint64_t offset, length; };

static volatile sig_atomic_t stopped;
static uint64_t state;
static const char *device;
static int fd;
static int is_file;
static struct range span;
static struct range recent[REMEMBERED];
static uint64_t recent_count;
static uint64_t writes, written, zero_writes, discards, zero_outs, flushes;

static void stop(int signal)
{
    (void) signal;
    stopped = 1;
}

static void fail(const char *what, struct range r)
{
    fprintf(stderr, "torture: %s of %" PRIu64 " bytes at %" PRIu64 " on %s: %s\n",
            what, r.length, r.offset, device, strerror(errno));
    exit(1);
}

/* xorshift64*: quick, good enough for bytes that shall not compress. */
static uint64_t next(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(2685821657736338717);
}

static uint64_t below(uint64_t bound)
{
    return next() % bound;
}

/* Sectors' worth of bytes: many small ones, some around a chunk, a few of several chunks. */
static uint64_t some_length(void)
{
    uint64_t dice = below(10);
    uint64_t most = dice < 4 ? 8 * 1024 : dice < 8 ? 2 * BORDER : LONGEST;
    return (1 + below(most / SECTOR)) * SECTOR;
}

static struct range some_range(void)
{
    struct range r = { 0, some_length() };
    if (r.length > span.length)
        r.length = span.length;
    uint64_t room = span.length - r.length;
    uint64_t dice = below(10);
    if (dice < 3 && span.length >= BORDER) { /* across a border: a little before it, the rest behind */
        uint64_t border = (1 + below(span.length / BORDER)) * BORDER;
        uint64_t before = (1 + below(8)) * SECTOR;
        r.offset = border - before;
    } else if (dice == 3) { /* the very end */
        r.offset = room;
    } else {
        r.offset = below(room / SECTOR + 1) * SECTOR;
    }
    if (r.offset > room)
        r.offset = room;
    r.offset += span.offset;
    return r;
}

/* Mostly a place that held data a moment ago, so that zeroing it changes something. */
static struct range some_written_range(void)
{
    if (recent_count == 0 || below(4) == 0)
        return some_range();
    return recent[below(recent_count < REMEMBERED ? recent_count : REMEMBERED)];
}

static void fill(unsigned char *bytes, struct range r)
{
    uint64_t dice = below(8);
    if (dice == 0) {
        memset(bytes, 0, r.length);
        zero_writes++;
    } else if (dice == 1) { /* compresses well, never the same twice */
        for (uint64_t at = 0; at < r.length; at += 64)
            snprintf((char *) bytes + at, 64, "%-62" PRIu64 "\n", writes * UINT64_C(1000000) + at);
    } else {
        for (uint64_t at = 0; at < r.length; at += 8) {
            uint64_t word = next();
            memcpy(bytes + at, &word, 8);
        }
    }
}

static void do_write(unsigned char *bytes)
{
    struct range r = some_range();
    fill(bytes, r);
    for (uint64_t done = 0; done < r.length;) {
        ssize_t n = pwrite(fd, bytes + done, r.length - done, (off_t) (r.offset + done));
        if (n < 0)
            fail("write", r);
        done += (uint64_t) n;
    }
    recent[recent_count++ % REMEMBERED] = r;
    writes++;
    written += r.length;
}

/* Discard or zero-out; a file knows only the punched hole. */
static void empty(const char *what, unsigned long request, uint64_t *count)
{
    struct range r = some_written_range();
    uint64_t arguments[2] = { r.offset, r.length };
    int failed = is_file
            ? fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t) r.offset, (off_t) r.length)
            : ioctl(fd, request, arguments);
    if (failed)
        fail(what, r);
    ++*count;
}

static void do_flush(void)
{
    if (fsync(fd))
        fail("flush", span);
    flushes++;
}

static uint64_t number(const char *text)
{
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 0);
    if (errno || end == text || *end) {
        fprintf(stderr, "torture: %s is not a number\n", text);
        exit(2);
    }
    return value;
}

static uint64_t size_of_device(void)
{
    struct stat status;
    uint64_t size;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        is_file = 1;
        return (uint64_t) status.st_size;
    }
    if (ioctl(fd, BLKGETSIZE64, &size)) {
        fprintf(stderr, "torture: the size of %s is unknown: %s\n", device, strerror(errno));
        exit(1);
    }
    return size;
}

static void choose_span(const char *text)
{
    uint64_t size = size_of_device() / SECTOR * SECTOR;
    span = (struct range) { 0, size };
    if (text) {
        char *colon = strchr(text, ':');
        if (!colon) {
            fprintf(stderr, "torture: --span is OFFSET:LENGTH, not %s\n", text);
            exit(2);
        }
        *colon = 0;
        span = (struct range) { number(text), number(colon + 1) };
    }
    if (span.length < SECTOR || span.offset % SECTOR || span.length % SECTOR || span.offset + span.length > size) {
        fprintf(stderr, "torture: the span must be whole sectors inside the %" PRIu64 " bytes of %s\n", size, device);
        exit(2);
    }
}

int main(int count, char **arguments)
{
    uint64_t seed = 1, ops = UINT64_MAX;
    int discard = 1;
    char *span_text = NULL;
    for (int i = 1; i < count; i++) {
        if (!strcmp(arguments[i], "--seed") && i + 1 < count)
            seed = number(arguments[++i]);
        else if (!strcmp(arguments[i], "--ops") && i + 1 < count)
            ops = number(arguments[++i]);
        else if (!strcmp(arguments[i], "--span") && i + 1 < count)
            span_text = arguments[++i];
        else if (!strcmp(arguments[i], "--no-discard"))
            discard = 0;
        else if (arguments[i][0] != '-' && !device)
            device = arguments[i];
        else
            device = "";
    }
    if (!device || !*device) {
        fprintf(stderr, "usage: torture DEVICE [--seed N] [--ops N] [--span OFFSET:LENGTH] [--no-discard]\n");
        return 2;
    }
    state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

    fd = open(device, O_RDWR | O_DIRECT);
    if (fd < 0) {
        fprintf(stderr, "torture: %s cannot be opened: %s\n", device, strerror(errno));
        return 1;
    }
    choose_span(span_text);
    unsigned char *bytes = aligned_alloc(4096, LONGEST);
    if (!bytes)
        return 1;
    struct sigaction action = { .sa_handler = stop };
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);

    for (uint64_t op = 0; op < ops && !stopped; op++) {
        uint64_t dice = below(100);
        if (dice < 80)
            do_write(bytes);
        else if (dice < 89 && discard)
            empty("discard", BLKDISCARD, &discards);
        else if (dice < 98)
            empty("zero-out", BLKZEROOUT, &zero_outs);
        else
            do_flush();
    }
    do_flush();
    printf("torture: %" PRIu64 " writes (%" PRIu64 " of zeros, %" PRIu64 " bytes in all), %" PRIu64 " discards, %"
           PRIu64 " zero-outs, %" PRIu64 " flushes\n", writes, zero_writes, written, discards, zero_outs, flushes);
    return 0;
}
