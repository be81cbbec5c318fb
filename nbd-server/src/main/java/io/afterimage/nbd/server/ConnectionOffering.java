package io.afterimage.nbd.server;

import io.afterimage.block.BlockDevice;
import io.afterimage.nbd.negotiation.ExportUnavailableException;
import io.afterimage.nbd.negotiation.OfferedExport;
import io.afterimage.nbd.negotiation.Offering;
import io.afterimage.nbd.protocol.ExportInfo;
import io.afterimage.nbd.protocol.ExportSummary;
import io.afterimage.nbd.protocol.NbdString;
import io.afterimage.nbd.protocol.TransmissionFlags;
import java.io.IOException;
import java.util.Collection;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What one client is offered, and the export that it chose last. Used by one thread at a time. */
final class ConnectionOffering implements Offering {

    private static final Logger LOG = LoggerFactory.getLogger(ConnectionOffering.class);

    private final Exports exports;
    private final SharedExports shared;
    private Client client;
    private SharedExports.Use chosen;

    ConnectionOffering(Exports exports, SharedExports shared, Client client) {
        this.exports = exports;
        this.shared = shared;
        this.client = client;
    }

    /** The client has proved more of itself: what it chose before, unproved, is let go. */
    void identify(Client proved) {
        release();
        client = proved;
    }

    @Override
    public Iterable<ExportSummary> list() throws IOException {
        return exports.list(client);
    }

    @Override
    public Optional<OfferedExport> choose(String asked) throws IOException {
        try {
            Optional<String> name = asked.isEmpty() ? exports.defaultName(client) : Optional.of(asked);
            if (name.isEmpty() || !exports.admits(client, name.get())) {
                return Optional.empty();
            }
            if (chosen == null || !chosen.name().equals(name.get())) {
                release();
                chosen = shared.use(name.get()).orElse(null);
            }
            return Optional.ofNullable(chosen).map(ConnectionOffering::describe);
        } catch (IOException | RuntimeException e) {
            LOG.warn("export {} cannot be opened for {}", NbdString.quote(asked), client.address(), e);
            String cause = e instanceof IOException && e.getMessage() != null ? e.getMessage() : "the server's log says why";
            throw new ExportUnavailableException(
                    "export " + NbdString.quote(asked) + " cannot be opened: " + cause, e);
        }
    }

    /** Hands the chosen export over to whoever serves it; it is no longer this offering's to release. */
    SharedExports.Use takeChosen() {
        SharedExports.Use taken = chosen;
        chosen = null;
        return taken;
    }

    void release() {
        if (chosen != null) {
            chosen.release();
            chosen = null;
        }
    }

    private static OfferedExport describe(SharedExports.Use use) {
        Export export = use.export();
        BlockDevice device = export.device();
        return new OfferedExport(
                use.name(),
                export.description(),
                new ExportInfo(device.size(), flags(device), export.blockSizes()),
                () -> contexts(use));
    }

    private static Collection<String> contexts(SharedExports.Use use) throws ExportUnavailableException {
        try {
            return use.export().contexts().names();
        } catch (IOException e) {
            throw new ExportUnavailableException(
                    "the metadata contexts of export " + NbdString.quote(use.name()) + " cannot be listed: " + e.getMessage(), e);
        }
    }

    private static int flags(BlockDevice device) {
        int flags = TransmissionFlags.HAS_FLAGS
                | TransmissionFlags.SEND_FLUSH
                | TransmissionFlags.SEND_FUA
                | TransmissionFlags.SEND_CACHE
                | TransmissionFlags.CAN_MULTI_CONN;
        if (!device.canWrite()) {
            return flags | TransmissionFlags.READ_ONLY;
        }
        flags |= TransmissionFlags.SEND_TRIM | TransmissionFlags.SEND_WRITE_ZEROES;
        return device.canZeroFast() ? flags | TransmissionFlags.SEND_FAST_ZERO : flags;
    }
}
