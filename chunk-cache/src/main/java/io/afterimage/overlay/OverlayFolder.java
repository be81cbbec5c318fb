package io.afterimage.overlay;

import io.afterimage.block.BlockDevice;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The folder of one overlay: as much of a file system as it needs, and no more than file systems promise. What is written to a file may reach the
 * disk at any time, in any order and in part, until it is synced; so may names, until the folder is.
 */
interface OverlayFolder extends Closeable {

    /** The file {@code data}: as many bytes as the disk has, rounded up to whole blocks, sparse. */
    BlockDevice data();

    /** A file that is there. */
    Contents open(String name) throws IOException;

    /** A file that is empty, whatever was there of that name. */
    Contents create(String name) throws IOException;

    /** Lets {@code to} be what {@code from} was: at once, for whoever looks after a power cut as well. */
    void rename(String from, String to) throws IOException;

    /** Returns when all that was created and renamed is durable. */
    void sync() throws IOException;

    /** What the folder is called in sentences. */
    @Override
    String toString();

    /** The bytes of a file. For one thread at a time. */
    interface Contents extends Closeable {

        long size() throws IOException;

        /** Fills {@code target}, all of whose bytes are there. */
        void read(long position, ByteBuffer target) throws IOException;

        /**
         * Writes the remaining bytes, making the file longer where need be.
         *
         * @throws io.afterimage.block.DeviceFullException if there is no room; any part may have been written
         */
        void write(long position, ByteBuffer source) throws IOException;

        /** Returns when all that was written is durable. */
        void sync() throws IOException;
    }
}
