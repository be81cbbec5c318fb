package io.afterimage.cache;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.PackId;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The head of a frame in a segment file, as {@code docs/formats/disk-cache.md} lays it out: of which repository it is, where it lies in the store, how long it is. It says where the next one
 * begins, so it has a checksum; the frame proves itself.
 *
 * @param repository of which repository
 * @param place where the frame lies in the store
 * @param length bytes of the frame
 */
record DiskRecord(RepositoryKey repository, ChunkAddress place, int length) {

    static final int HEAD = 64;
    static final int MAGIC = 0x41494452; // "AIDR"
    /** Longer than any frame. */
    private static final int LONGEST = 8 << 20;
    private static final int CHECKED = HEAD - Integer.BYTES;

    /** The id of a repository, of which a host may cache several. */
    record RepositoryKey(long high, long low) {}

    /** Appends the head. */
    void put(ByteBuffer target) {
        int begin = target.position();
        target.putInt(MAGIC).putInt(length).putLong(repository.high()).putLong(repository.low());
        place.pack().put(target);
        target.putInt(place.offset()).putInt(place.lengthCode());
        while (target.position() < begin + CHECKED) {
            target.put((byte) 0);
        }
        target.putInt(checksum(target, begin, CHECKED));
    }

    /** The head at the source's position, which moves behind it; null if there is none, or it is damaged. Never trusts what it reads. */
    static DiskRecord get(ByteBuffer source) {
        int begin = source.position();
        if (source.remaining() < HEAD) {
            return null;
        }
        source.position(begin + HEAD);
        ByteBuffer head = source.slice(begin, HEAD);
        if (head.getInt() != MAGIC || head.getInt(CHECKED) != checksum(source, begin, CHECKED)) {
            return null;
        }
        int length = head.getInt();
        RepositoryKey repository = new RepositoryKey(head.getLong(), head.getLong());
        PackId pack = PackId.get(head);
        int offset = head.getInt();
        int lengthCode = head.getInt();
        boolean makesSense = length > 0 && length <= LONGEST && offset >= 1 && offset < ChunkAddress.OFFSETS && lengthCode >= 0 && lengthCode <= 255;
        return makesSense ? new DiskRecord(repository, new ChunkAddress(pack, offset, lengthCode), length) : null;
    }

    static int checksum(ByteBuffer bytes, int offset, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.slice(offset, length));
        return (int) crc.getValue();
    }
}
