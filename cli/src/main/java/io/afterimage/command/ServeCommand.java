package io.afterimage.command;

import io.afterimage.app.NotifySocket;
import io.afterimage.app.TargetException;
import io.afterimage.app.export.OverlayExports;
import io.afterimage.app.export.PointExports;
import io.afterimage.boot.Occasion;
import io.afterimage.command.output.ReadView;
import io.afterimage.fuse.RepositoryMount;
import io.afterimage.image.ImageLibrary;
import io.afterimage.nbd.protocol.BlockSizes;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.server.Exports;
import io.afterimage.nbd.server.NbdServer;
import io.afterimage.nbd.server.ServerSettings;
import io.afterimage.repository.Repository;
import io.afterimage.settings.AllowList;
import io.afterimage.settings.CacheSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code afterimage serve}. */
@Command(
        name = "serve",
        description = "Serve all points over NBD until the process is ended. An export's name is a selector: web/vda@latest.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Example:",
            "  afterimage serve --nbd unix:/run/afterimage.sock &",
            "  qemu-img convert 'nbd+unix:///web/vda@latest?socket=/run/afterimage.sock' web.qcow2",
            "",
            "In the network, for tenants that see their own machines alone:",
            "  afterimage serve --nbd tcp:0.0.0.0:10809 --tls require --tls-certificates /etc/pki/afterimage \\",
            "      --tls-allow /etc/afterimage/tenants"
        })
final class ServeCommand implements Callable<Integer> {

    private static final Duration GRACE = Duration.ofSeconds(5);
    private static final int STATUS_EVERY_SECONDS = 5;

    @Mixin
    private RepositoryOption repository;

    @Option(
            names = "--nbd",
            paramLabel = "unix:PATH|tcp:HOST:PORT",
            required = true,
            converter = Argument.Listen.class,
            description = "Where to listen; may be repeated. A socket is for its owner alone (0600).")
    private List<NbdUri.Place> listen;

    @Option(names = "--insecure", description = "Allow TCP beyond loopback, where anybody in the network can read the disks.")
    private boolean insecure;

    @Option(
            names = "--silent-stop",
            description = "When stopped, finish what has begun and leave the rest unanswered, for clients that ask the next server again"
                    + " (QEMU's reconnect-delay). Default: refuse it, which clients take for an error.")
    private boolean silentStop;

    @Option(names = "--mount", paramLabel = "DIR", description = "Also show all points as files below DIR, an empty folder.")
    private Path mountPoint;

    @Mixin
    private MountOptions mountOptions;

    @Option(names = "--writable", description = "Offer the overlays of this host, too, as overlay/NAME; 'export' makes them. Points stay as they are.")
    private boolean writable;

    @Mixin
    private OverlaysOption overlays;

    @Mixin
    private TlsOptions tls;

    @Mixin
    private LimitOptions limits;

    @Mixin
    private ProfileOption profile;

    @Mixin
    private CacheOptions cache;

    @Spec
    private CommandSpec spec;

    private final CountDownLatch closed = new CountDownLatch(1);

    @Override
    public Integer call() throws IOException {
        ServerSettings settings;
        Optional<AllowList> allowed;
        BlockSizes blockSizes;
        CacheSettings cached;
        try {
            settings = tls.in(ServerSettings.on(listen.toArray(NbdUri.Place[]::new)).withInsecure(insecure).withLimits(limits.limits()));
            allowed = tls.allowList();
            blockSizes = limits.blockSizes();
            cached = cache.settings(repository.location());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        try (Repository opened = repository.open();
                ImageLibrary images = repository.assembly().images(opened, cached);
                NbdServer server = start(settings, exports(opened, images, blockSizes, allowed));
                RepositoryMount mount = mountPoint == null ? null : mountOptions.start(mountPoint, opened, images)) {
            server.addresses().forEach(place -> spec.commandLine().getOut().println("Serving on " + place + "."));
            if (mount != null) {
                spec.commandLine().getOut().println("Mounted at " + mount.folder() + ".");
            }
            NotifySocket manager = NotifySocket.of(System.getenv());
            manager.ready();
            awaitEnd(server, images, Optional.ofNullable(mount), manager);
        } finally {
            closed.countDown();
        }
        return ExitCode.OK.number();
    }

    private Exports exports(Repository opened, ImageLibrary images, BlockSizes blockSizes, Optional<AllowList> allowed) {
        PointExports points = new PointExports(opened.catalog(), images, blockSizes, allowed, profile.profiling(opened, Occasion.UNKNOWN));
        return writable
                ? new OverlayExports(overlays.library(repository.assembly(), opened, images), points, blockSizes)
                : points;
    }

    private static NbdServer start(ServerSettings settings, Exports exports) throws TargetException {
        try {
            return NbdServer.start(settings, exports);
        } catch (IOException e) {
            throw new TargetException(e.getMessage(), e);
        }
    }

    /** SIGTERM and Ctrl-C run the hook; the process ends when the clients have been told. Until then the service manager is told what is read. */
    private void awaitEnd(NbdServer server, ImageLibrary images, Optional<RepositoryMount> mount, NotifySocket manager) {
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                mount.ifPresent(RepositoryMount::close);
                if (silentStop) {
                    server.stopForRestart(GRACE);
                } else {
                    server.stop(GRACE);
                }
            } catch (IOException e) {
                System.err.println("afterimage serve: " + e.getMessage());
            } finally {
                System.err.println(ReadView.line(images.statistics()));
                ended.countDown();
                awaitClosed();
            }
        }));
        try {
            while (!ended.await(STATUS_EVERY_SECONDS, TimeUnit.SECONDS)) {
                manager.status(() -> ReadView.line(images.statistics()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The process ends with its hooks, whatever others still have to put away. */
    private void awaitClosed() {
        try {
            closed.await(GRACE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
