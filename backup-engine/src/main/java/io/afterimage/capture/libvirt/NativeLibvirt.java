package io.afterimage.capture.libvirt;

import jnr.ffi.Pointer;
import jnr.ffi.annotations.Delegate;
import jnr.ffi.annotations.Encoding;
import jnr.ffi.annotations.In;
import jnr.ffi.annotations.Out;
import jnr.ffi.byref.IntByReference;
import jnr.ffi.byref.PointerByReference;

/**
 * The functions of {@code libvirt.so.0} that are called, as libvirt's reference has them ({@code libvirt-host.h},
 * {@code libvirt-domain.h}, {@code libvirt-domain-checkpoint.h}, {@code virterror.h}). A failed one returns null or -1, and its
 * thread's last error tells why. Text that comes as a {@link Pointer} is the caller's to free, the C library's {@code free}.
 *
 * <p>Public for the sake of the class that jnr-ffi makes of it, which is loaded elsewhere; only this package calls it.
 */
@Encoding("UTF-8")
public interface NativeLibvirt {

    void virSetErrorFunc(Pointer context, ErrorHandler handler);

    int virGetLastErrorCode();

    String virGetLastErrorMessage();

    int virEventRegisterDefaultImpl();

    int virEventRunDefaultImpl();

    Pointer virConnectOpen(String uri);

    int virConnectClose(Pointer connection);

    int virConnectIsAlive(Pointer connection);

    int virConnectSetKeepAlive(Pointer connection, int seconds, int count);

    int virConnectCompareCPU(Pointer connection, String xml, int flags);

    Pointer virDomainLookupByName(Pointer connection, String name);

    Pointer virDomainLookupByUUIDString(Pointer connection, String uuid);

    int virDomainFree(Pointer domain);

    String virDomainGetName(Pointer domain);

    int virDomainGetUUIDString(Pointer domain, @Out byte[] uuid);

    Pointer virDomainGetXMLDesc(Pointer domain, int flags);

    int virDomainGetState(Pointer domain, @Out IntByReference state, @Out IntByReference reason, int flags);

    int virDomainGetBlockInfo(Pointer domain, String disk, Pointer info, int flags);

    int virDomainGetDiskErrors(Pointer domain, Pointer errors, int capacity, int flags);

    /** With plain memory for the answers: jffi overwrites its own when a call has a pointer and a number by reference. */
    int virDomainGetGuestInfo(Pointer domain, int types, Pointer parameters, Pointer count, int flags);

    int virDomainFSFreeze(Pointer domain, Pointer mountPoints, int count, int flags);

    int virDomainBlockStatsFlags(Pointer domain, String disk, Pointer parameters, @In @Out IntByReference count, int flags);

    int virDomainFSThaw(Pointer domain, Pointer mountPoints, int count, int flags);

    int virDomainResume(Pointer domain);

    int virDomainBackupBegin(Pointer domain, String backup, String checkpoint, int flags);

    Pointer virDomainBackupGetXMLDesc(Pointer domain, int flags);

    int virDomainAbortJob(Pointer domain);

    int virDomainListAllCheckpoints(Pointer domain, @Out PointerByReference checkpoints, int flags);

    Pointer virDomainCheckpointLookupByName(Pointer domain, String name, int flags);

    String virDomainCheckpointGetName(Pointer checkpoint);

    Pointer virDomainCheckpointGetXMLDesc(Pointer checkpoint, int flags);

    int virDomainCheckpointDelete(Pointer checkpoint, int flags);

    int virDomainCheckpointFree(Pointer checkpoint);

    void virTypedParamsFree(Pointer parameters, int count);

    Pointer virNetworkLookupByName(Pointer connection, String name);

    Pointer virNetworkGetXMLDesc(Pointer network, int flags);

    int virNetworkFree(Pointer network);

    Pointer virStoragePoolLookupByName(Pointer connection, String name);

    Pointer virStoragePoolGetXMLDesc(Pointer pool, int flags);

    int virStoragePoolFree(Pointer pool);

    /** The C library's. */
    void free(Pointer memory);

    /** Told of every error; the default one prints it to standard error. */
    @FunctionalInterface
    interface ErrorHandler {
        /** Called by the thread whose call has failed. */
        @Delegate
        void error(Pointer context, Pointer error);
    }
}
