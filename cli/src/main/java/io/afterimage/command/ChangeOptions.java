package io.afterimage.command;

import io.afterimage.app.backup.BaseImage;
import io.afterimage.assembly.Assembly;
import io.afterimage.catalog.Selector;
import io.afterimage.index.ChunkIndex;
import io.afterimage.repository.Repository;
import io.afterimage.settings.ChangedContext;
import java.io.IOException;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The options that say what a disk differs from, and how far that is believed. */
final class ChangeOptions {

    @Option(
            names = "--base",
            paramLabel = "SELECTOR",
            description = "The point of the base image that the machine was launched from: its first point holds only what the overlays above it hold.")
    private String base;

    @Option(
            names = "--changed-context",
            paramLabel = "NAME",
            description = "With --image NBD-URI: read only where this metadata context of the server, such as qemu:dirty-bitmap:daily, has flag 1."
                    + " That it tells all changes since the point is for you to know.")
    private String context;

    @Option(
            names = "--changed-since",
            paramLabel = "POINT",
            description = "The machine's point that --changed-context counts from. Not needed where the context's name ends in the point's id.")
    private String since;

    @Option(
            names = "--check-unchanged",
            paramLabel = "P%",
            converter = Argument.Share.class,
            description = "Read this share of what is said not to have changed, and read a disk whole if it has changed there.")
    private Double share;

    Optional<BaseImage> base(Assembly assembly, Repository opened, ChunkIndex index) throws IOException {
        return base == null ? Optional.empty() : Optional.of(assembly.baseImage(opened, index, Selector.parse(base)));
    }

    Optional<ChangedContext> context(CommandSpec spec) {
        if (context == null) {
            if (since != null) {
                throw new ParameterException(
                        spec.commandLine(), "--changed-since says nothing without a context that counts from that point: add --changed-context NAME.");
            }
            return Optional.empty();
        }
        try {
            return Optional.of(ChangedContext.of(context, Optional.ofNullable(since)));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage());
        }
    }

    Optional<Double> checkUnchanged() {
        return Optional.ofNullable(share);
    }

    /** Whether anything was asked for that cannot be had of libvirt's machines. */
    boolean isOfOthersThanLibvirt() {
        return base != null || context != null || since != null;
    }
}
