package io.afterimage.command;

import io.afterimage.settings.ImageSource;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code DISK=FILE} on the command line. */
final class ImageSourceConverter implements ITypeConverter<ImageSource> {

    @Override
    public ImageSource convert(String text) {
        try {
            return ImageSource.parse(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
