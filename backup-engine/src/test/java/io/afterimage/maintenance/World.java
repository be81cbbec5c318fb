package io.afterimage.maintenance;

import io.afterimage.capture.Progress;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.Lease;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.ReadLease;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.CorruptChunkException;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.CorruptManifestException;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.manifest.PointId;
import io.afterimage.pack.CorruptPackException;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.PointBytes;
import io.afterimage.repository.Repository;
import io.afterimage.repository.RepositoryException;
import io.afterimage.store.FaultyStore.SimulatedCrash;
import io.afterimage.store.FaultyStore;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.Listing;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.RetryPolicy;
import io.afterimage.store.RetryingStore;
import io.afterimage.store.StoreException;
import io.afterimage.store.Ticker;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/** One repository, those who use it, and what must be true of it: all of it follows from a seed. */
final class World implements Closeable {

    private static final int CHUNK = 4096;
    private static final int CHUNKS = 6;
    private static final int CONTENTS = 10;
    private static final int MOST_AT_ONCE = 4;
    private static final List<MachineName> MACHINES = List.of(new MachineName("web"), new MachineName("db"));

    private final Random random;
    private final FaultyStore.Rates rates;
    private final MemoryObjectStore memory = new MemoryObjectStore(this::now, 5);
    private final Turns turns = new Turns(new NamesInOrder(memory));
    private final List<ChunkIndex> hosts = new ArrayList<>();
    private final Repository truth;

    private final Map<MachineName, byte[]> disks = new HashMap<>();
    private final Map<ObjectKey, byte[]> expected = new HashMap<>();
    private final Map<ObjectKey, Set<ObjectKey>> needed = new HashMap<>();
    private final Set<ObjectKey> promised = new HashSet<>();
    private final Set<ObjectKey> forgotten = new HashSet<>();
    private final Map<Turns.Turn, Actor> actors = new HashMap<>();
    private volatile Instant now = Instant.parse("2026-11-20T12:00:00Z");
    private volatile AssertionError failure;

    /** How often each thing came to pass, to see that it does. */
    final Map<String, Integer> events = new java.util.TreeMap<>();

    /** One who uses the repository. */
    private static final class Actor {
        private final List<Lease> leases = new ArrayList<>();
        private boolean stuck;

        /** Who has not renewed his lease in time has no claim that what he reads stays. */
        private boolean hasLostALease() {
            synchronized (leases) {
                return leases.stream().anyMatch(Lease::isOver);
            }
        }
    }

    World(Path folder, long seed, FaultyStore.Rates rates) throws IOException {
        random = new Random(seed);
        this.rates = rates;
        truth = Repository.create(memory, new ChunkSize(CHUNK), seeded());
        for (int host = 0; host < 2; host++) {
            hosts.add(ChunkIndex.open(Files.createTempDirectory(folder, "index")));
        }
        for (MachineName machine : MACHINES) {
            disks.put(machine, new byte[CHUNKS * CHUNK]);
        }
    }

    private Instant now() {
        return now;
    }

    private SecureRandom seeded() {
        Random bytes = new Random(random.nextLong());
        return new SecureRandom() {
            private static final long serialVersionUID = 1;

            @Override
            public void nextBytes(byte[] target) {
                bytes.nextBytes(target);
            }
        };
    }

    void live(int steps) throws IOException {
        for (int step = 0; step < steps && failure == null; step++) {
            List<Turns.Turn> waiting = turns.waiting();
            if (waiting.size() < MOST_AT_ONCE && random.nextInt(waiting.isEmpty() ? 1 : 6) == 0) {
                begin();
            } else if (random.nextInt(25) == 0) {
                letTimePass();
            } else if (!waiting.isEmpty()) {
                // Often one gets far while another stands still: that is when the others' view grows old.
                int far = random.nextInt(3) == 0 ? 1 + random.nextInt(random.nextInt(3) == 0 ? 200 : 12) : 1;
                go(waiting.get(random.nextInt(waiting.size())), far);
            }
        }
        while (!turns.waiting().isEmpty() && failure == null) {
            go(turns.waiting().getFirst(), 1);
        }
        if (failure != null) {
            throw failure;
        }
    }

    private void go(Turns.Turn turn, int requests) throws IOException {
        for (int i = 0; i < requests && failure == null && turns.waiting().contains(turn); i++) {
            turn.go();
            check();
        }
    }

    private void begin() {
        int dice = random.nextInt(10);
        if (dice < 3) {
            MachineName machine = MACHINES.get(random.nextInt(MACHINES.size()));
            ChunkIndex index = hosts.get(random.nextInt(hosts.size()));
            byte[] disk = change(machine);
            start("backup of " + machine, (actor, repository) -> backUp(actor, repository, index, machine, disk));
        } else if (dice < 4) {
            int which = random.nextInt(1 << 20);
            start("reader", (actor, repository) -> read(actor, repository, which));
        } else if (dice < 7) {
            int which = random.nextInt(1 << 20);
            start("forget", (_, repository) -> forget(repository, which));
        } else {
            Duration grace = List.of(Duration.ZERO, Duration.ZERO, Duration.ofHours(1)).get(random.nextInt(3));
            double compactBelow = List.of(0.0, 0.4, 0.9, 1.0).get(random.nextInt(4));
            SecureRandom names = seeded();
            start("gc", (_, repository) -> {
                GcReport report = new GarbageCollection(repository, this::now, LeaseTerms.DEFAULT, names)
                        .run(new GarbageCollection.Request(grace, compactBelow, false), Progress.NONE);
                require(report.missingPacks() == 0, "gc misses packs that are there");
                count("gc deletes", report.deleted().packs());
                count("gc compacts", report.compacted().packs());
            });
        }
    }

    /** Contents come again on other machines and after they were gone, so that there is much to refer to. */
    private byte[] change(MachineName machine) {
        byte[] disk = disks.get(machine).clone();
        byte[] content = new byte[CHUNK];
        for (int i = random.nextInt(5); i >= 0; i--) {
            new Random(random.nextInt(CONTENTS)).nextBytes(content);
            System.arraycopy(content, 0, disk, random.nextInt(CHUNKS) * CHUNK, CHUNK);
        }
        disks.put(machine, disk);
        return disk;
    }

    private interface Task {
        void run(Actor actor, Repository repository) throws IOException;
    }

    private void start(String name, Task task) {
        Actor actor = new Actor();
        long seed = random.nextLong();
        long lifetime = random.nextInt(5) == 0 ? random.nextInt(30) : Long.MAX_VALUE / 2;
        boolean retries = random.nextBoolean();
        actors.put(turns.start(name, turn -> {
            FaultyStore faulty = new FaultyStore(turn.store(), seed, rates);
            faulty.crashAfter(lifetime);
            ObjectStore store = retries ? new RetryingStore(faulty, RetryPolicy.DEFAULT, new PassingTime(), new Random(seed)) : faulty;
            try (Repository repository = Repository.open(store)) {
                repository.setRequestsAtOnce(1);
                task.run(actor, repository);
                count(name + " done");
            } catch (SimulatedCrash e) {
                count(name + " died");
            } catch (ObjectNotFoundException e) {
                if (actor.hasLostALease()) {
                    count(name + " lost its lease");
                } else if (rates.altered() > 0) {
                    // A frame that was moved, and then did not verify: the last place to look is where it was. Whether it is lost check() tells.
                    count(name + " was given other bytes");
                } else {
                    fail(name, e);
                }
            } catch (StoreException e) {
                count(name + " failed");
            } catch (CatalogException e) {
                switch (e.reason()) {
                    case BUSY, NO_SUCH_MACHINE, NO_SUCH_POINT -> count(name + " refused");
                    default -> failUnlessAltered(name, e);
                }
            } catch (IOException | RuntimeException | AssertionError e) {
                failUnlessAltered(name, e);
            } finally {
                synchronized (actor.leases) {
                    actor.leases.clear();
                }
            }
        }), actor);
    }

    /** Who is given other bytes than are stored may say so, and nothing else. */
    private void failUnlessAltered(String name, Throwable e) {
        boolean said = switch (e) {
            case CatalogException c -> c.reason() == CatalogException.Reason.DAMAGED || c.reason() == CatalogException.Reason.UNSUPPORTED_FORMAT;
            case RepositoryException r -> r.reason() == RepositoryException.Reason.DAMAGED || r.reason() == RepositoryException.Reason.UNSUPPORTED_FORMAT;
            case CorruptManifestException _, CorruptChunkException _, CorruptPackException _ -> true;
            default -> false;
        };
        if (rates.altered() > 0 && said) {
            count(name + " was given other bytes");
        } else {
            fail(name, e);
        }
    }

    /** Waiting between two attempts takes no time here. */
    private static final class PassingTime implements Ticker {

        private long nanos;

        @Override
        public long nanoTime() {
            return nanos;
        }

        @Override
        public void sleep(Duration pause) {
            nanos += pause.toNanos();
        }
    }

    private void count(String event) {
        count(event, 1);
        turns.note(event);
    }

    private synchronized void count(String event, int times) {
        events.merge(event, times, Integer::sum);
    }

    private synchronized void fail(String name, Throwable cause) {
        if (failure == null) {
            failure = new AssertionError(name + ": " + cause + "\n  " + turns.past(), cause);
        }
    }

    private void backUp(Actor actor, Repository repository, ChunkIndex index, MachineName machine, byte[] disk) throws IOException {
        Backups backups = new Backups(repository, index, this::now, LeaseTerms.DEFAULT, seeded());
        Point point = backups.run(
                machine,
                disk,
                lease -> hold(actor, lease),
                sealed -> {
                    synchronized (this) {
                        expected.put(Catalog.key(machine, sealed.id()), disk);
                    }
                });
        synchronized (this) {
            ObjectKey key = Catalog.key(machine, point.id());
            if (!forgotten.contains(key)) {
                promised.add(key);
            }
        }
    }

    private static void hold(Actor actor, Lease lease) {
        synchronized (actor.leases) {
            actor.leases.add(lease);
        }
    }

    private static Optional<Point> any(Repository repository, int which) throws IOException {
        List<ManifestObjects.Name> all = repository.catalog().all();
        if (all.isEmpty()) {
            return Optional.empty();
        }
        ManifestObjects.Name name = all.get(which % all.size());
        return repository.catalog().find(name.machine(), name.point());
    }

    private void read(Actor actor, Repository repository, int which) throws IOException {
        Optional<Point> point = any(repository, which);
        if (point.isEmpty()) {
            return;
        }
        try (ReadLease lease = ReadLease.acquire(repository.store(), this::now, LeaseTerms.DEFAULT, List.of(HeldPoint.of(point.get())))) {
            hold(actor, lease);
            if (repository.catalog().isThere(point.get().machine(), point.get().id())) {
                try {
                    byte[] bytes = PointBytes.read(repository, point.get(), Backups.DISK);
                    synchronized (this) {
                        if (!Arrays.equals(expected.get(Catalog.key(point.get().machine(), point.get().id())), bytes)) {
                            throw new AssertionError("other bytes are read than were written");
                        }
                    }
                } catch (IOException e) {
                    // Who has not renewed his lease in time has no claim.
                    lease.check();
                    throw e;
                }
            }
        }
    }

    private void forget(Repository repository, int which) throws IOException {
        Optional<Point> point = any(repository, which);
        if (point.isPresent()) {
            synchronized (this) {
                ObjectKey key = Catalog.key(point.get().machine(), point.get().id());
                forgotten.add(key);
                promised.remove(key);
            }
            repository.catalog().forget(point.get().machine(), point.get().id());
        }
    }

    /** Leases are renewed meanwhile, but for those of one who is stuck. */
    private void letTimePass() {
        Duration passing = List.of(Duration.ofSeconds(20), Duration.ofMinutes(3), Duration.ofMinutes(20), Duration.ofHours(2)).get(random.nextInt(4));
        turns.note(passing + " pass");
        List<Turns.Turn> waiting = turns.waiting();
        actors.keySet().retainAll(waiting);
        for (Turns.Turn turn : waiting) {
            // The one bound that is relied on: a request that was begun while the lease was good is over before the lease is.
            boolean promise = turn.request().startsWith("PUT points") || turn.request().startsWith("PUT condemned");
            actors.get(turn).stuck = !promise && random.nextInt(8) == 0;
        }
        Instant end = now.plus(passing);
        while (now.isBefore(end)) {
            now = now.plusSeconds(Math.min(60, Duration.between(now, end).toSeconds()));
            actors.values().stream().filter(actor -> !actor.stuck).forEach(World::renew);
        }
    }

    private static void renew(Actor actor) {
        synchronized (actor.leases) {
            for (Lease lease : actor.leases) {
                try {
                    lease.renew();
                } catch (IOException | SimulatedCrash e) {
                    // As in the life of a lease: the next renewal comes in time, or does not.
                }
            }
        }
    }

    private void check() throws IOException {
        if (failure != null) {
            return;
        }
        synchronized (this) {
            Set<ObjectKey> present = new HashSet<>();
            Listing all = memory.list(KeyPrefix.ALL);
            while (all.hasNext()) {
                present.add(all.next().key());
            }
            for (ObjectKey key : promised) {
                require(present.contains(key), "the point " + key + " is gone, though nobody has forgotten it");
            }
            for (ObjectKey key : present) {
                if (key.value().startsWith("points/")) {
                    checkPoint(key, present);
                }
            }
        }
    }

    private void checkPoint(ObjectKey key, Set<ObjectKey> present) {
        require(expected.containsKey(key), "the point " + key + " is there, though nobody has made it");
        if (needed.containsKey(key) && present.containsAll(needed.get(key))) {
            return;
        }
        ManifestObjects.Name name = ManifestObjects.name(
                        ObjectKey.of("manifests", key.value().split("/", -1)[1], key.name().substring(0, 32)))
                .orElseThrow();
        try {
            Point point = truth.catalog().find(name.machine(), new PointId(name.point().hex())).orElseThrow();
            require(
                    Arrays.equals(expected.get(key), PointBytes.read(truth, point, Backups.DISK)),
                    "the point " + key + " has other bytes than were backed up");
            needed.put(key, needs(point));
            events.merge("points checked", 1, Integer::sum);
        } catch (IOException e) {
            throw new AssertionError("the point " + key + " is listed and not whole: " + e + "\n  " + turns.past(), e);
        }
    }

    private Set<ObjectKey> needs(Point point) throws IOException {
        Set<ObjectKey> keys = new HashSet<>();
        keys.add(ManifestObjects.key(point.machine(), point.id()));
        BlockMap map = truth.manifest(point).disk(Backups.DISK).orElseThrow().map();
        for (long chunk = 0; chunk < map.chunks(); chunk++) {
            ChunkAddress address = map.address(chunk);
            if (address != null) {
                keys.add(PackObjects.key(address.pack()));
            }
        }
        return keys;
    }

    private void require(boolean condition, String sentence) {
        if (!condition) {
            throw new AssertionError(sentence + "\n  " + turns.past());
        }
    }

    @Override
    public void close() throws IOException {
        for (ChunkIndex index : hosts) {
            index.close();
        }
    }
}
