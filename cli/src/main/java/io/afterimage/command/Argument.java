package io.afterimage.command;

import io.afterimage.chunk.ChunkSize;
import io.afterimage.image.OverlayName;
import io.afterimage.manifest.MachineName;
import io.afterimage.nbd.negotiation.TlsMode;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.settings.ByteSize;
import io.afterimage.settings.GroupMember;
import io.afterimage.settings.ImageSource;
import io.afterimage.settings.ListenAddress;
import io.afterimage.settings.RepositoryLocation;
import java.time.Duration;
import java.util.function.Function;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A word of the command line that becomes a value: by the value's own parser, whose complaint is what the user reads.
 *
 * @param <T> the value
 */
abstract sealed class Argument<T> implements ITypeConverter<T> {

    private final Function<String, T> parser;

    private Argument(Function<String, T> parser) {
        this.parser = parser;
    }

    @Override
    public final T convert(String text) {
        try {
            return parser.apply(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    static final class Repository extends Argument<RepositoryLocation> {
        Repository() {
            super(RepositoryLocation::parse);
        }
    }

    static final class Machine extends Argument<MachineName> {
        Machine() {
            super(MachineName::new);
        }
    }

    static final class Image extends Argument<ImageSource> {
        Image() {
            super(ImageSource::parse);
        }
    }

    static final class Member extends Argument<GroupMember> {
        Member() {
            super(GroupMember::parse);
        }
    }

    static final class Listen extends Argument<NbdUri.Place> {
        Listen() {
            super(ListenAddress::parse);
        }
    }

    static final class Overlay extends Argument<OverlayName> {
        Overlay() {
            super(OverlayName::new);
        }
    }

    static final class Chunk extends Argument<ChunkSize> {
        Chunk() {
            super(text -> new ChunkSize(Math.toIntExact(Math.min(ByteSize.parse(text), Integer.MAX_VALUE))));
        }
    }

    static final class Tls extends Argument<TlsMode> {
        Tls() {
            super(text -> switch (text) {
                case "off" -> TlsMode.OFF;
                case "on" -> TlsMode.OPTIONAL;
                case "require" -> TlsMode.REQUIRED;
                default -> throw new IllegalArgumentException("'" + text + "' is no way to use TLS: write off, on or require.");
            });
        }
    }

    static final class Whole extends Argument<Integer> {
        Whole() {
            super(text -> {
                try {
                    return Integer.valueOf(text);
                } catch (NumberFormatException e) {
                    throw new IllegalArgumentException(
                            "'" + text + "' is no whole number from " + Integer.MIN_VALUE + " to " + Integer.MAX_VALUE + ".", e);
                }
            });
        }
    }

    static final class Size extends Argument<Long> {
        Size() {
            super(ByteSize::parse);
        }
    }

    static final class Period extends Argument<Duration> {
        Period() {
            super(io.afterimage.settings.Period::parse);
        }
    }

    static final class Share extends Argument<Double> {
        Share() {
            super(io.afterimage.settings.Share::parse);
        }
    }
}
