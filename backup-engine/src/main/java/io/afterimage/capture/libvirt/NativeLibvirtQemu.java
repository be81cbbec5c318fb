package io.afterimage.capture.libvirt;

import jnr.ffi.Pointer;
import jnr.ffi.annotations.Delegate;
import jnr.ffi.annotations.Encoding;

/**
 * The functions of {@code libvirt-qemu.so.0} that are called, as {@code libvirt-qemu.h} has them: those that listen to QEMU. That library also
 * has some that speak to it, which nobody here does.
 *
 * <p>Public for the sake of the class that jnr-ffi makes of it, which is loaded elsewhere; only this package calls it.
 */
@Encoding("UTF-8")
public interface NativeLibvirtQemu {

    /** Returns a number by which to end it. */
    int virConnectDomainQemuMonitorEventRegister(
            Pointer connection, Pointer domain, String event, MonitorEvent handler, Pointer opaque, Pointer free, int flags);

    int virConnectDomainQemuMonitorEventDeregister(Pointer connection, int registration);

    /** Told of an event of QEMU's. */
    @FunctionalInterface
    interface MonitorEvent {
        /**
         * Called by the thread of the event loop.
         *
         * @param seconds of the epoch, and {@code micros} on top: when it happened
         * @param details JSON
         */
        @Delegate
        void happened(Pointer connection, Pointer domain, Pointer event, long seconds, int micros, Pointer details, Pointer opaque);
    }
}
