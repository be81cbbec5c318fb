package io.afterimage.nbd.server;

import io.afterimage.nbd.protocol.ExportSummary;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** Exports that a test made; all are open to everybody. The only one is the default. */
public final class MapExports implements Exports {

    private final Map<String, Export> exports = new LinkedHashMap<>();
    /** How often an export was opened. */
    public final AtomicInteger opened = new AtomicInteger();

    public static MapExports of(String name, Export export) {
        return new MapExports().and(name, export);
    }

    public MapExports and(String name, Export export) {
        exports.put(name, export);
        return this;
    }

    @Override
    public Iterable<ExportSummary> list(Client client) {
        return exports.entrySet().stream()
                .map(entry -> new ExportSummary(entry.getKey(), entry.getValue().description()))
                .toList();
    }

    @Override
    public Optional<String> defaultName(Client client) {
        return exports.size() == 1 ? exports.keySet().stream().findFirst() : Optional.empty();
    }

    @Override
    public boolean admits(Client client, String name) {
        return exports.containsKey(name);
    }

    @Override
    public Optional<Export> open(String name) throws IOException {
        opened.incrementAndGet();
        return Optional.ofNullable(exports.get(name));
    }
}
