import io.afterimage.app.backup.BackUpImages;
import io.afterimage.assembly.Assembly;
import io.afterimage.capture.Progress;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.MachineName;
import io.afterimage.repository.KeySource;
import io.afterimage.repository.Repository;
import io.afterimage.settings.ImageSource;
import io.afterimage.settings.RepositoryLocation;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * Backs up a base image and then machines launched from it, each with some 64 KiB blocks of its own, as `afterimage backup --image` does,
 * in one process: starting a JVM for each is not what is measured. Prints the bytes that the machines changed.
 *
 *   ManyMachines REPOSITORY CACHE BASE MACHINES CHANGED-BLOCKS
 */
final class ManyMachines {

    private static final int BLOCK = 65536;

    public static void main(String... arguments) throws IOException {
        Assembly assembly = new Assembly(Map.of("AFTERIMAGE_CACHE", arguments[1]));
        List<ImageSource> disk = List.of(ImageSource.parse("vda=raw:" + arguments[2]));
        int machines = Integer.parseInt(arguments[3]);
        int changed = Integer.parseInt(arguments[4]);
        Random random = new Random(1);
        try (Repository repository = assembly.open(RepositoryLocation.parse(arguments[0]), KeySource.NONE);
                ChunkIndex index = assembly.index(repository);
                RandomAccessFile base = new RandomAccessFile(arguments[2], "rw")) {
            assembly.backUpImages(repository, index).run(new BackUpImages.Request(new MachineName("base"), disk, Optional.empty()), Progress.NONE);
            int[] blocks = random.ints(0, (int) (base.length() / BLOCK)).distinct().limit(changed).toArray();
            byte[][] before = new byte[changed][BLOCK];
            for (int i = 0; i < changed; i++) {
                base.seek((long) blocks[i] * BLOCK);
                base.readFully(before[i]);
            }
            byte[] own = new byte[BLOCK];
            for (int machine = 0; machine < machines; machine++) {
                for (int block : blocks) {
                    random.nextBytes(own);
                    base.seek((long) block * BLOCK);
                    base.write(own);
                }
                assembly.backUpImages(repository, index).run(new BackUpImages.Request(new MachineName("m" + machine), disk, Optional.empty()), Progress.NONE);
            }
        }
        System.out.println((long) machines * changed * BLOCK);
    }
}
