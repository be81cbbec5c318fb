package io.afterimage.capture.libvirt;

import io.afterimage.capture.GuestLoad;
import io.afterimage.capture.libvirt.LibvirtException.Refusal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.byref.IntByReference;
import jnr.ffi.byref.PointerByReference;

/** What libvirt is asked and told of one domain. It stays the same domain through restarts of the machine and of libvirt. Thread-safe. */
public final class LibvirtDomain {

    /** As the name of a disk: the sum of all. */
    private static final String ALL_DISKS = "";

    private static final int XML_INACTIVE = 1 << 1;
    private static final int BACKUP_BEGIN_REUSE_EXTERNAL = 1;
    private static final int CHECKPOINT_XML_NO_DOMAIN = 1 << 1;
    private static final int CHECKPOINT_XML_SIZE = 1 << 2;
    private static final int CHECKPOINT_DELETE_METADATA_ONLY = 1 << 1;

    /** {@code struct _virDomainBlockInfo}: capacity, allocation, physical. */
    private static final int BLOCK_INFO_BYTES = 3 * Long.BYTES;

    /** {@code struct _virDomainDiskError}: a name to be freed, a number, padding. */
    private static final int DISK_ERROR_BYTES = 16;

    private static final int MOST_DISK_ERRORS = 64;
    private static final int DISK_ERROR_NO_SPACE = 2;

    private final LibvirtConnection connection;
    private final String name;
    private final String uuid;

    LibvirtDomain(LibvirtConnection connection, String name, String uuid) {
        this.connection = connection;
        this.name = name;
        this.uuid = uuid;
    }

    LibvirtConnection connection() {
        return connection;
    }

    String name() {
        return name;
    }

    String uuid() {
        return uuid;
    }

    /** Throws unless the machine runs, or is paused. */
    public void requireRunning() throws LibvirtException {
        if (!state().isActive()) {
            throw new LibvirtException("The domain " + name
                    + " does not run, and libvirt makes backups of running machines only: start it, or back its image files up with --image");
        }
    }

    /** The definition without secrets: of the running machine, or as it is at its next start. */
    String xml(boolean ofNextStart) throws LibvirtException {
        return ask((library, domain) -> library.take(
                library.functions().virDomainGetXMLDesc(domain, ofNextStart ? XML_INACTIVE : 0), "The domain " + name + " is not told"));
    }

    DomainState state() throws LibvirtException {
        return ask((library, domain) -> {
            IntByReference state = new IntByReference();
            IntByReference reason = new IntByReference();
            library.check(library.functions().virDomainGetState(domain, state, reason, 0), "The state of " + name + " is not told");
            return DomainState.of(state.intValue(), reason.intValue());
        });
    }

    /** The virtual size of a disk in bytes. */
    long capacity(String disk) throws LibvirtException {
        return ask((library, domain) -> {
            Pointer info = Memory.allocateDirect(library.runtime(), BLOCK_INFO_BYTES);
            library.check(library.functions().virDomainGetBlockInfo(domain, disk, info, 0), "The size of disk " + disk + " is not told");
            return info.getLong(0);
        });
    }

    /** What the guest has had all its disks do, as QEMU counts it: of its devices' requests alone. */
    GuestLoad disksLoad() throws LibvirtException {
        return ask((library, domain) -> {
            IntByReference count = new IntByReference();
            String refusal = "What " + name + " has had its disks do is not told";
            library.check(library.functions().virDomainBlockStatsFlags(domain, ALL_DISKS, null, count, 0), refusal);
            Pointer list = Memory.allocateDirect(library.runtime(), Math.max(1, count.intValue()) * TypedParameters.BYTES);
            library.check(library.functions().virDomainBlockStatsFlags(domain, ALL_DISKS, list, count, 0), refusal);
            Map<String, Object> told = TypedParameters.read(list, count.intValue());
            return new GuestLoad(
                    number(told, "rd_operations"), number(told, "rd_total_times"), number(told, "wr_operations"), number(told, "wr_total_times"));
        });
    }

    private static long number(Map<String, Object> told, String what) {
        return told.get(what) instanceof Long number ? number : 0;
    }

    /** Whether a write of the guest's failed for lack of space, since it was last told to go on. */
    boolean lacksSpace() throws LibvirtException {
        return ask((library, domain) -> {
            Pointer errors = Memory.allocateDirect(library.runtime(), MOST_DISK_ERRORS * DISK_ERROR_BYTES);
            int count = library.check(
                    library.functions().virDomainGetDiskErrors(domain, errors, MOST_DISK_ERRORS, 0), "Disk errors of " + name + " are not told");
            boolean lacks = false;
            for (int i = 0; i < count; i++) {
                lacks |= errors.getInt((long) i * DISK_ERROR_BYTES + Long.BYTES) == DISK_ERROR_NO_SPACE;
                library.functions().free(errors.getPointer((long) i * DISK_ERROR_BYTES));
            }
            return lacks;
        });
    }

    /** Has the guest's agent freeze all file systems, and returns how many. libvirt waits for the agent without limit once that has shown that it is there. */
    int freezeFileSystems() throws LibvirtException {
        return connection.once((functions, open) -> onDomain(open, (library, domain) ->
                library.check(functions.virDomainFSFreeze(domain, null, 0, 0), "The guest of " + name + " is not frozen")));
    }

    /** Returns how many were frozen. */
    int thawFileSystems() throws LibvirtException {
        return connection.once((functions, open) -> onDomain(open, (library, domain) ->
                library.check(functions.virDomainFSThaw(domain, null, 0, 0), "The guest of " + name + " is not thawed")));
    }

    void resume() throws LibvirtException {
        ask((library, domain) -> library.check(library.functions().virDomainResume(domain), name + " does not go on"));
    }

    /** Begins a backup job, whose scratch images are there, and with it a checkpoint, if one is given. */
    void beginBackup(String backup, Optional<String> checkpoint) throws LibvirtException {
        connection.once((functions, open) -> onDomain(open, (library, domain) -> library.check(
                functions.virDomainBackupBegin(domain, backup, checkpoint.orElse(null), BACKUP_BEGIN_REUSE_EXTERNAL),
                "libvirt does not begin a backup of " + name)));
    }

    /**
     * Has QEMU's events of one kind passed on, as long as the connection lasts.
     *
     * @param handler must stay reachable even longer
     * @param opaque what it is given as its last argument
     * @return for {@link #stopListening}
     */
    int listen(String event, NativeLibvirtQemu.MonitorEvent handler, long opaque) throws LibvirtException {
        return connection.once((functions, open) -> onDomain(open, (library, domain) -> library.check(
                library.qemuFunctions().virConnectDomainQemuMonitorEventRegister(
                        open, domain, event, handler, Pointer.wrap(library.runtime(), opaque), null, 0),
                "The events of " + name + " are not passed on")));
    }

    void stopListening(int registration) throws LibvirtException {
        connection.once((functions, open) -> connection.library().check(
                connection.library().qemuFunctions().virConnectDomainQemuMonitorEventDeregister(open, registration),
                "The events of " + name + " are passed on still"));
    }

    /** The backup job that is under way. */
    Optional<String> backup() throws LibvirtException {
        return ifThere(Refusal.NO_DOMAIN_BACKUP, () -> ask((library, domain) -> library.take(
                library.functions().virDomainBackupGetXMLDesc(domain, 0), "The backup of " + name + " is not told")));
    }

    /** Ends the job that is under way, whatever it is; for a backup in pull mode that is its good end. */
    void abortJob() throws LibvirtException {
        ask((library, domain) -> library.check(library.functions().virDomainAbortJob(domain), "The backup job of " + name + " does not end"));
    }

    /** All checkpoints, those of others as well: XML by name. */
    Map<String, String> checkpoints() throws LibvirtException {
        Map<String, String> found = new HashMap<>();
        for (String checkpoint : checkpointNames()) {
            // Another program may delete one meanwhile.
            ifThere(Refusal.NO_DOMAIN_CHECKPOINT, () -> checkpointXml(checkpoint)).ifPresent(xml -> found.put(checkpoint, xml));
        }
        return found;
    }

    private List<String> checkpointNames() throws LibvirtException {
        return ask((library, domain) -> {
            PointerByReference array = new PointerByReference();
            int count = library.check(
                    library.functions().virDomainListAllCheckpoints(domain, array, 0), "The checkpoints of " + name + " are not told");
            List<String> names = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                Pointer checkpoint = array.getValue().getPointer((long) i * Long.BYTES);
                names.add(library.functions().virDomainCheckpointGetName(checkpoint));
                library.functions().virDomainCheckpointFree(checkpoint);
            }
            library.functions().free(array.getValue());
            return names;
        });
    }

    /** With the bytes that each bitmap counts, which only a sound one does, and only while the machine runs. */
    private String checkpointXml(String checkpoint) throws LibvirtException {
        return onCheckpoint(checkpoint, (library, pointer) -> library.take(
                library.functions().virDomainCheckpointGetXMLDesc(pointer, CHECKPOINT_XML_NO_DOMAIN | CHECKPOINT_XML_SIZE),
                "The checkpoint " + checkpoint + " is not told"));
    }

    /**
     * Deletes a checkpoint, if it is there; those that came after it stay.
     *
     * @param bitmaps whether its bitmaps go as well, without which libvirt refuses to forget the checkpoint
     */
    void deleteCheckpoint(String checkpoint, boolean bitmaps) throws LibvirtException {
        ifThere(Refusal.NO_DOMAIN_CHECKPOINT, () -> onCheckpoint(checkpoint, (library, pointer) -> library.check(
                library.functions().virDomainCheckpointDelete(pointer, bitmaps ? 0 : CHECKPOINT_DELETE_METADATA_ONLY),
                "The checkpoint " + checkpoint + " of " + name + " is not deleted")));
    }

    /** What the guest's agent tells, in libvirt's words; an exception when no agent answers. */
    Map<String, Object> guestInfo(int types) throws LibvirtException {
        return ask((library, domain) -> {
            Pointer parameters = Memory.allocateDirect(library.runtime(), Long.BYTES);
            Pointer count = Memory.allocateDirect(library.runtime(), Integer.BYTES);
            library.check(library.functions().virDomainGetGuestInfo(domain, types, parameters, count, 0), "The agent of " + name + " is silent");
            Pointer list = parameters.getPointer(0);
            try {
                return TypedParameters.read(list, count.getInt(0));
            } finally {
                library.functions().virTypedParamsFree(list, count.getInt(0));
            }
        });
    }

    /** What is done with a libvirt object while it is held. */
    @FunctionalInterface
    private interface Use<T> {
        T with(LibvirtLibrary library, Pointer object) throws LibvirtException;
    }

    /** What may be refused. */
    @FunctionalInterface
    private interface Question<T> {
        T ask() throws LibvirtException;
    }

    private <T> T ask(Use<T> use) throws LibvirtException {
        return connection.ask((functions, open) -> onDomain(open, use));
    }

    private <T> T onDomain(Pointer open, Use<T> use) throws LibvirtException {
        LibvirtLibrary library = connection.library();
        Pointer domain = library.check(
                library.functions().virDomainLookupByUUIDString(open, uuid), "The domain " + name + " is no longer there");
        try {
            return use.with(library, domain);
        } finally {
            library.functions().virDomainFree(domain);
        }
    }

    private <T> T onCheckpoint(String checkpoint, Use<T> use) throws LibvirtException {
        return ask((library, domain) -> {
            Pointer pointer = library.check(
                    library.functions().virDomainCheckpointLookupByName(domain, checkpoint, 0), "There is no checkpoint " + checkpoint);
            try {
                return use.with(library, pointer);
            } finally {
                library.functions().virDomainCheckpointFree(pointer);
            }
        });
    }

    private static <T> Optional<T> ifThere(Refusal absent, Question<T> question) throws LibvirtException {
        try {
            return Optional.of(question.ask());
        } catch (LibvirtException e) {
            if (e.refusal() == absent) {
                return Optional.empty();
            }
            throw e;
        }
    }
}
