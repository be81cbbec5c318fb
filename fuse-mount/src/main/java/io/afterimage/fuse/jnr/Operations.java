package io.afterimage.fuse.jnr;

import io.afterimage.fuse.tree.Attributes;
import io.afterimage.fuse.tree.Node;
import io.afterimage.fuse.tree.OpenFile;
import io.afterimage.fuse.tree.RepositoryTree;
import io.afterimage.fuse.tree.Usage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.Struct;
import jnr.ffi.provider.jffi.ClosureHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import ru.serce.jnrfuse.FuseFillDir;
import ru.serce.jnrfuse.struct.FileStat;
import ru.serce.jnrfuse.struct.FuseOperations;
import ru.serce.jnrfuse.struct.Statvfs;

/**
 * Answers the kernel out of a tree. What a callback throws would end the process: each is caught and becomes an error number. Thread-safe.
 */
final class Operations {

    private static final Logger LOG = LoggerFactory.getLogger(Operations.class);

    private static final int FOLDER_MODE = FileStat.S_IFDIR | 0555;
    private static final int FILE_MODE = FileStat.S_IFREG | 0444;
    private static final int LINK_MODE = FileStat.S_IFLNK | 0777;
    private static final int STAT_BLOCK = 512;
    private static final int BLOCK = 4096;
    private static final int LONGEST_NAME = 255;

    /** Of {@code fh} in {@code struct fuse_file_info}, on machines of 64 bits; the binding's own structure is too dear for every read. */
    private static final long HANDLE = 24;

    /** Of the flags in {@code struct fuse_operations}: behind 38 functions. */
    private static final long FLAGS = 38L * Long.BYTES;

    /** {@code flag_nullpath_ok} and {@code flag_nopath}: no path is made up for what has a handle. They are bits, whatever the binding says. */
    private static final byte NO_PATHS = 0b11;

    /** An operation that answers a number of bytes, 0, or an error's negative number. */
    @FunctionalInterface
    private interface Answer {
        int give() throws IOException;
    }

    private final RepositoryTree tree;
    private final int user;
    private final int group;
    private final Map<Long, OpenFile> open = new ConcurrentHashMap<>();
    private final Map<Long, Node.Folder> openFolders = new ConcurrentHashMap<>();
    private final AtomicLong handles = new AtomicLong();
    private final CountDownLatch ready = new CountDownLatch(1);
    private final FuseOperations structure = new FuseOperations(Runtime.getSystemRuntime());

    /**
     * @param user whose all of it is
     * @param group the same
     */
    Operations(RepositoryTree tree, int user, int group) {
        this.tree = tree;
        this.user = user;
        this.group = group;
        structure.init.set(_ -> {
            ready.countDown();
            return null;
        });
        structure.getattr.set((path, stat) -> answer("stat", path, () -> getattr(path, FileStat.of(stat))));
        structure.readlink.set((path, buffer, size) -> answer("readlink", path, () -> readlink(path, buffer, size)));
        structure.opendir.set((path, info) -> answer("opendir", path, () -> opendir(path, info)));
        structure.readdir.set((path, buffer, filler, _, info) -> answer("readdir", path, () -> readdir(buffer, filler, info.getLong(HANDLE))));
        structure.releasedir.set((path, info) -> answer("closedir", path, () -> releasedir(info.getLong(HANDLE))));
        structure.open.set((path, info) -> answer("open", path, () -> open(path, info)));
        structure.read.set((_, buffer, size, offset, info) -> read(buffer, size, offset, info.getLong(HANDLE)));
        structure.release.set((path, info) -> answer("close", path, () -> release(info.getLong(HANDLE))));
        structure.statfs.set((path, stat) -> answer("statfs", path, () -> statfs(Statvfs.of(stat))));
        structure.getxattr.set((path, name, buffer, size) -> answer("getxattr", path, () -> getxattr(path, name, buffer, size)));
        structure.listxattr.set((path, buffer, size) -> answer("listxattr", path, () -> listxattr(path, buffer, size)));
        Struct.getMemory(structure).putByte(FLAGS, NO_PATHS);
    }

    /** What libfuse calls; good as long as this object is. */
    FuseOperations structure() {
        return structure;
    }

    /** Opened when the kernel has agreed on the dialect. */
    CountDownLatch ready() {
        return ready;
    }

    private static int answer(String what, String path, Answer answer) {
        try {
            return answer.give();
        } catch (IOException e) {
            LOG.warn("{} {} fails: {}", what, path == null ? "of an open file" : path, e.getMessage());
            return Errno.EIO;
        } catch (RuntimeException | Error e) {
            LOG.error("{} {} fails as it should not", what, path, e);
            return Errno.EIO;
        }
    }

    private int getattr(String path, FileStat stat) throws IOException {
        Optional<Node> node = tree.find(path);
        if (node.isEmpty()) {
            return Errno.ENOENT;
        }
        Attributes attributes = node.get().attributes();
        stat.st_ino.set(attributes.inode());
        stat.st_mode.set(mode(attributes.kind()));
        // Of a folder 1 says that its subfolders are not counted.
        stat.st_nlink.set(1);
        stat.st_uid.set(user);
        stat.st_gid.set(group);
        stat.st_size.set(attributes.size());
        stat.st_blksize.set(BLOCK);
        stat.st_blocks.set((attributes.allocated() + STAT_BLOCK - 1) / STAT_BLOCK);
        setTimes(stat, attributes.time());
        return 0;
    }

    private static void setTimes(FileStat stat, Instant time) {
        stat.st_atim.tv_sec.set(time.getEpochSecond());
        stat.st_atim.tv_nsec.set(time.getNano());
        stat.st_mtim.tv_sec.set(time.getEpochSecond());
        stat.st_mtim.tv_nsec.set(time.getNano());
        stat.st_ctim.tv_sec.set(time.getEpochSecond());
        stat.st_ctim.tv_nsec.set(time.getNano());
    }

    private static int mode(Attributes.Kind kind) {
        return switch (kind) {
            case FOLDER -> FOLDER_MODE;
            case FILE -> FILE_MODE;
            case LINK -> LINK_MODE;
        };
    }

    private int readlink(String path, Pointer buffer, long size) throws IOException {
        if (!(tree.find(path).orElse(null) instanceof Node.Link link)) {
            return Errno.EINVAL;
        }
        ByteBuffer target = bytes(buffer, size);
        byte[] text = link.target().getBytes(StandardCharsets.UTF_8);
        int length = Math.min(text.length, target.remaining() - 1);
        target.put(text, 0, length).put((byte) 0);
        return 0;
    }

    private int opendir(String path, Pointer info) throws IOException {
        Optional<Node> node = tree.find(path);
        if (node.isEmpty()) {
            return Errno.ENOENT;
        }
        if (!(node.get() instanceof Node.Folder folder)) {
            return Errno.ENOTDIR;
        }
        long handle = handles.incrementAndGet();
        openFolders.put(handle, folder);
        info.putLong(HANDLE, handle);
        return 0;
    }

    private int releasedir(long handle) {
        openFolders.remove(handle);
        return 0;
    }

    private int readdir(Pointer buffer, Pointer filler, long handle) throws IOException {
        Node.Folder folder = openFolders.get(handle);
        if (folder == null) {
            return Errno.EBADF;
        }
        ClosureHelper closures = ClosureHelper.getInstance();
        FuseFillDir fill = closures.getNativeConveter(FuseFillDir.class).fromNative(filler, closures.getFromNativeContext());
        FileStat stat = new FileStat(Runtime.getSystemRuntime());
        fill.apply(buffer, terminated("."), null, 0);
        fill.apply(buffer, terminated(".."), null, 0);
        for (Node.Entry entry : folder.entries()) {
            stat.st_ino.set(entry.inode());
            stat.st_mode.set(mode(entry.kind()));
            fill.apply(buffer, terminated(entry.name()), Struct.getMemory(stat), 0);
        }
        return 0;
    }

    private int open(String path, Pointer info) throws IOException {
        Optional<Node> node = tree.find(path);
        if (node.isEmpty()) {
            return Errno.ENOENT;
        }
        if (!(node.get() instanceof Node.File file)) {
            return Errno.EISDIR;
        }
        long handle = handles.incrementAndGet();
        open.put(handle, file.open());
        info.putLong(HANDLE, handle);
        return 0;
    }

    /** Straight into the buffer that goes to the kernel. */
    private int read(Pointer buffer, long size, long offset, long handle) {
        try {
            OpenFile file = open.get(handle);
            if (file == null) {
                return Errno.EBADF;
            }
            ByteBuffer target = bytes(buffer, size);
            file.read(offset, target);
            return target.position();
        } catch (IOException e) {
            LOG.warn("A read of {} bytes at {} fails: {}", size, offset, e.getMessage());
            return Errno.EIO;
        } catch (RuntimeException | Error e) {
            LOG.error("A read of {} bytes at {} fails as it should not", size, offset, e);
            return Errno.EIO;
        }
    }

    private int release(long handle) throws IOException {
        OpenFile file = open.remove(handle);
        if (file != null) {
            file.close();
        }
        return 0;
    }

    /** All that is there is in use, and nothing is free: it cannot be written to. */
    private int statfs(Statvfs stat) {
        Usage usage = tree.usage();
        stat.f_bsize.set(BLOCK);
        stat.f_frsize.set(BLOCK);
        stat.f_blocks.set((usage.bytes() + BLOCK - 1) / BLOCK);
        stat.f_files.set(usage.packs());
        stat.f_namemax.set(LONGEST_NAME);
        return 0;
    }

    private int getxattr(String path, String name, Pointer buffer, long size) throws IOException {
        if (!name.startsWith(Node.EXTENDED_ATTRIBUTES)) {
            // ls asks for access control lists and labels of everything; that must not read a point's descriptor.
            return Errno.ENODATA;
        }
        Optional<Node> node = tree.find(path);
        if (node.isEmpty()) {
            return Errno.ENOENT;
        }
        String value = node.get().extendedAttributes().get(name);
        return value == null ? Errno.ENODATA : give(value.getBytes(StandardCharsets.UTF_8), buffer, size);
    }

    private int listxattr(String path, Pointer buffer, long size) throws IOException {
        Optional<Node> node = tree.find(path);
        return node.isEmpty() ? Errno.ENOENT : give(list(node.get().extendedAttributeNames()), buffer, size);
    }

    /** As C has it; the binding does not see to that. */
    private static ByteBuffer terminated(String name) {
        return ByteBuffer.wrap((name + "\0").getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] list(Collection<String> names) {
        return (names.isEmpty() ? "" : String.join("\0", names) + "\0").getBytes(StandardCharsets.UTF_8);
    }

    /** A size of 0 asks how much it would be. */
    private static int give(byte[] answer, Pointer buffer, long size) {
        if (size == 0) {
            return answer.length;
        }
        if (size < answer.length) {
            return Errno.ERANGE;
        }
        buffer.put(0, answer, 0, answer.length);
        return answer.length;
    }

    @SuppressWarnings("restricted") // libfuse says how long its buffer is
    private static ByteBuffer bytes(Pointer buffer, long size) {
        return MemorySegment.ofAddress(buffer.address()).reinterpret(size).asByteBuffer();
    }

    /** Closes what the kernel did not: nobody calls any more. */
    void close() {
        for (Long handle : open.keySet()) {
            answer("close", null, () -> release(handle));
        }
    }
}
