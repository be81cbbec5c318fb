/*
 * A library for LD_PRELOAD that stops a program at a chosen system call, so that a test can kill it in the very phase
 * that it means, however short that is. Nothing in the program knows of it.
 *
 * TRIPWIRE_AT=CALL:WHEN:NTH:PATTERN
 *   CALL     rename (PATTERN is looked for in the new path) or write (in the bytes, to a file or a socket, however they are sent)
 *   WHEN     before or after the call
 *   NTH      which of the matching calls, counted from 1
 *   PATTERN  text with \xHH for any byte; alternatives separated by |
 * TRIPWIRE_ARMED=FILE  removed by whoever is stopped. Where it is gone already nobody stops: so a tripwire goes off once,
 *   and children of the program, which inherit all this, run freely after that.
 *
 * The whole process stops as if by SIGSTOP, and goes on with SIGCONT.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ALTERNATIVES = 4, LONGEST = 256 };
enum call { NONE, RENAME, WRITE };

static enum call watched;
static int after;
static long nth;
static atomic_long seen;
static const char *armed;
static unsigned char pattern[ALTERNATIVES][LONGEST];
static size_t length[ALTERNATIVES];
static int alternatives;

static int (*real_rename)(const char *, const char *);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_send)(int, const void *, size_t, int);
static ssize_t (*real_sendmsg)(int, const struct msghdr *, int);

static void parse_pattern(const char *text)
{
    alternatives = 1;
    for (; *text; text++) {
        unsigned byte;
        if (*text == '|' && alternatives < ALTERNATIVES) {
            alternatives++;
            continue;
        }
        if (length[alternatives - 1] == LONGEST)
            abort();
        if (sscanf(text, "\\x%2x", &byte) == 1)
            text += 3;
        else
            byte = (unsigned char) *text;
        pattern[alternatives - 1][length[alternatives - 1]++] = (unsigned char) byte;
    }
}

__attribute__((constructor)) static void set_up(void)
{
    real_rename = (int (*)(const char *, const char *)) dlsym(RTLD_NEXT, "rename");
    real_write = (ssize_t (*)(int, const void *, size_t)) dlsym(RTLD_NEXT, "write");
    real_writev = (ssize_t (*)(int, const struct iovec *, int)) dlsym(RTLD_NEXT, "writev");
    real_send = (ssize_t (*)(int, const void *, size_t, int)) dlsym(RTLD_NEXT, "send");
    real_sendmsg = (ssize_t (*)(int, const struct msghdr *, int)) dlsym(RTLD_NEXT, "sendmsg");
    const char *at = getenv("TRIPWIRE_AT");
    armed = getenv("TRIPWIRE_ARMED");
    char call[8], when[8];
    int begin = 0;
    if (!at || !armed)
        return;
    if (sscanf(at, "%7[a-z]:%7[a-z]:%ld:%n", call, when, &nth, &begin) != 3 || !begin) {
        fprintf(stderr, "tripwire: cannot read TRIPWIRE_AT=%s\n", at);
        abort();
    }
    parse_pattern(at + begin);
    after = !strcmp(when, "after");
    watched = !strcmp(call, "rename") ? RENAME : WRITE;
}

static int matches(enum call call, const void *bytes, size_t count)
{
    if (call != watched)
        return 0;
    for (int i = 0; i < alternatives; i++)
        if (memmem(bytes, count, pattern[i], length[i]))
            return atomic_fetch_add(&seen, 1) + 1 == nth;
    return 0;
}

static int matches_any(const struct iovec *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (matches(WRITE, parts[i].iov_base, parts[i].iov_len))
            return 1;
    return 0;
}

static void trip(int match, int is_after)
{
    int error = errno;
    /* To this very thread: it does not return from here before all have stopped. */
    if (match && after == is_after && unlink(armed) == 0)
        raise(SIGSTOP);
    errno = error;
}

int rename(const char *from, const char *to)
{
    int match = matches(RENAME, to, strlen(to));
    trip(match, 0);
    int result = real_rename(from, to);
    trip(match, 1);
    return result;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    int match = matches(WRITE, bytes, count);
    trip(match, 0);
    ssize_t result = real_write(fd, bytes, count);
    trip(match, 1);
    return result;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    int match = matches_any(parts, (size_t) count);
    trip(match, 0);
    ssize_t result = real_writev(fd, parts, count);
    trip(match, 1);
    return result;
}

ssize_t send(int fd, const void *bytes, size_t count, int flags)
{
    int match = matches(WRITE, bytes, count);
    trip(match, 0);
    ssize_t result = real_send(fd, bytes, count, flags);
    trip(match, 1);
    return result;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    int match = matches_any(message->msg_iov, message->msg_iovlen);
    trip(match, 0);
    ssize_t result = real_sendmsg(fd, message, flags);
    trip(match, 1);
    return result;
}
