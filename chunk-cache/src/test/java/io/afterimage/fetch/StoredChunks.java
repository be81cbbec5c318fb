package io.afterimage.fetch;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.FrameCodec;
import io.afterimage.chunk.PackId;
import io.afterimage.pack.PackBuilder;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.Repository;
import io.afterimage.store.MemoryObjectStore;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A repository of packs with random chunks of 4 KiB, in a store that can stall. */
public final class StoredChunks {

    public static final ChunkSize SIZE = new ChunkSize(4096);

    private final StallingStore store = new StallingStore(new MemoryObjectStore());
    private final Repository repository;
    private final List<List<ChunkAddress>> packs = new ArrayList<>();
    private final List<List<byte[]>> chunks = new ArrayList<>();

    public StoredChunks(int packs, int chunksEach) throws IOException {
        repository = Repository.create(store, SIZE, new SecureRandom());
        FrameCodec codec = repository.codec();
        Random random = new Random(1);
        for (int pack = 0; pack < packs; pack++) {
            PackId id = new PackId(pack, 7);
            PackBuilder builder = new PackBuilder(id, codec);
            List<ChunkAddress> addresses = new ArrayList<>();
            List<byte[]> contents = new ArrayList<>();
            for (int i = 0; i < chunksEach; i++) {
                byte[] chunk = new byte[SIZE.bytes()];
                random.nextBytes(chunk);
                addresses.add(builder.add(codec.encode(codec.id(chunk, 0), chunk, 0)));
                contents.add(chunk);
            }
            store.put(PackObjects.key(id), builder.finish());
            this.packs.add(addresses);
            chunks.add(contents);
        }
    }

    public StallingStore store() {
        return store;
    }

    public Repository repository() {
        return repository;
    }

    public ChunkAddress address(int pack, int chunk) {
        return packs.get(pack).get(chunk);
    }

    public byte[] chunk(int pack, int chunk) {
        return chunks.get(pack).get(chunk);
    }
}
