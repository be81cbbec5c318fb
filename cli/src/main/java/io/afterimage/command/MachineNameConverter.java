package io.afterimage.command;

import io.afterimage.manifest.MachineName;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Machine names on the command line. */
final class MachineNameConverter implements ITypeConverter<MachineName> {

    @Override
    public MachineName convert(String text) {
        try {
            return new MachineName(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
