package io.afterimage.command;

import picocli.CommandLine.IVersionProvider;

/** The version that the build has written into the program's archive. */
final class Version implements IVersionProvider {

    @Override
    public String[] getVersion() {
        String version = Afterimage.class.getPackage().getImplementationVersion();
        return new String[] {"afterimage " + (version == null ? "(unpackaged)" : version)};
    }
}
