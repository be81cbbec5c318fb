package io.afterimage.fuse.jnr;

/** Linux's error numbers, as operations answer them: negative. */
final class Errno {

    static final int ENOENT = -2;
    static final int EINTR = -4;
    static final int EIO = -5;
    static final int EBADF = -9;
    static final int EAGAIN = -11;
    static final int ENOTDIR = -20;
    static final int EISDIR = -21;
    static final int EINVAL = -22;
    static final int ERANGE = -34;
    static final int ENODATA = -61;

    private Errno() {}
}
