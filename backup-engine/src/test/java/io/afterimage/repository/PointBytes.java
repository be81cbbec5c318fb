package io.afterimage.repository;

import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.DiskName;
import java.io.IOException;
import java.util.Arrays;

/** The bytes of a disk at a point, read in the plainest way that the formats allow: what every quicker way must agree with. */
public final class PointBytes {

    private PointBytes() {}

    public static byte[] read(Repository repository, Point point, DiskName disk) throws IOException {
        BlockMap map = repository.manifest(point).disk(disk).orElseThrow().map();
        int chunkSize = map.chunkSize().bytes();
        byte[] bytes = new byte[Math.toIntExact(map.chunks() * chunkSize)];
        byte[] chunk = new byte[chunkSize];
        ChunkReader reader = new ChunkReader(repository);
        for (long number = 0; number < map.chunks(); number++) {
            ChunkAddress address = map.address(number);
            if (address != null) {
                reader.read(address, chunk);
                System.arraycopy(chunk, 0, bytes, (int) number * chunkSize, chunkSize);
            }
        }
        return Arrays.copyOf(bytes, Math.toIntExact(map.diskSize()));
    }
}
