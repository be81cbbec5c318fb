package io.afterimage.repository;

import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.DiskName;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** The bytes of a disk at a point, read in the plainest way that the formats allow: what every quicker way must agree with. */
public final class PointBytes {

    private PointBytes() {}

    public static byte[] read(Repository repository, Point point, DiskName disk) throws IOException {
        BlockMap map = repository.manifest(point).disk(disk).orElseThrow().map();
        int chunkSize = map.chunkSize().bytes();
        byte[] bytes = new byte[Math.toIntExact(map.chunks() * chunkSize)];
        byte[] chunk = new byte[chunkSize];
        for (long number = 0; number < map.chunks(); number++) {
            ChunkAddress address = map.address(number);
            if (address != null) {
                ByteBuffer frame = ByteBuffer.allocate(address.byteLength(map.chunkSize()));
                repository.fetch(address, frame);
                repository.decode(frame.array(), 0, address, chunk);
                System.arraycopy(chunk, 0, bytes, (int) number * chunkSize, chunkSize);
            }
        }
        return Arrays.copyOf(bytes, Math.toIntExact(map.diskSize()));
    }
}
