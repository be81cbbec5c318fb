package io.afterimage.fuse.jnr;

import jnr.ffi.Pointer;
import jnr.ffi.byref.IntByReference;
import jnr.ffi.byref.PointerByReference;
import jnr.ffi.types.size_t;
import ru.serce.jnrfuse.struct.FuseOperations;

/** The functions of libfuse 2.9 that a loop of one's own is made of ({@code fuse.h}, {@code fuse_lowlevel.h}). Public for the binding's sake alone. */
public interface LibFuse2 {

    /** Mounts, and makes what answers. Returns null when it cannot, having said why on standard error. */
    Pointer fuse_setup(
            int count,
            String[] arguments,
            FuseOperations operations,
            @size_t long operationsSize,
            PointerByReference mountPoint,
            IntByReference multithreaded,
            Pointer userData);

    /** Detaches the mount from the tree of files; with no channel nothing is closed. */
    void fuse_unmount(String mountPoint, Pointer channel);

    Pointer fuse_get_session(Pointer fuse);

    Pointer fuse_session_next_chan(Pointer session, Pointer previous);

    @size_t
    long fuse_chan_bufsize(Pointer channel);

    /** Waits for a request. Returns its length, 0 when the mount has ended, or an error's negative number. */
    int fuse_chan_recv(PointerByReference channel, Pointer buffer, @size_t long size);

    /** Answers a request, by calling one of the operations. */
    void fuse_session_process(Pointer session, Pointer buffer, @size_t long length, Pointer channel);

    void fuse_session_exit(Pointer session);

    int fuse_session_exited(Pointer session);

    void fuse_destroy(Pointer fuse);
}
