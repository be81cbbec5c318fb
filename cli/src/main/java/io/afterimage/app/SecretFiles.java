package io.afterimage.app;

import io.afterimage.keys.Secret;
import io.afterimage.settings.SecretFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Set;

/** Reads the secrets of encrypted repositories from files, and makes key files. */
public final class SecretFiles {

    /** No key and no passphrase is longer; whoever names a device by mistake is told so. */
    private static final int LONGEST = 64 * 1024;

    private SecretFiles() {}

    /** The secret in a file; a {@link KeyException} if there is none in it. */
    public static Secret read(SecretFile file) throws IOException {
        return switch (file) {
            case SecretFile.Key key -> parse(key.path(), "key", Secret::keyFile);
            case SecretFile.Passphrase passphrase -> parse(passphrase.path(), "passphrase", SecretFiles::passphrase);
        };
    }

    /**
     * Makes a key file that only its owner can read, and lasts when this returns; nothing if it is there already.
     *
     * @return whether it was made
     */
    public static boolean makeKeyFile(Path file, SecureRandom random) throws IOException {
        ByteBuffer text = StandardCharsets.UTF_8.encode(Secret.newKeyFile(random));
        try (FileChannel channel = FileChannel.open(
                file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            while (text.hasRemaining()) {
                channel.write(text);
            }
            channel.force(true);
        } catch (FileAlreadyExistsException _) {
            return false;
        } catch (IOException e) {
            throw new KeyException("The key file " + file + " cannot be made (" + e + "): name one in a folder that you can write to.", e);
        }
        Path folder = file.toAbsolutePath().getParent();
        try (FileChannel entry = FileChannel.open(folder, StandardOpenOption.READ)) {
            entry.force(true);
        }
        return true;
    }

    private interface Parser {
        Secret parse(String text);
    }

    private static Secret parse(Path file, String what, Parser parser) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(LONGEST + 1);
            if (bytes.length > LONGEST) {
                throw new KeyException("The " + what + " file " + file + " is too long to be one: name the right file.");
            }
            return parser.parse(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        } catch (NoSuchFileException e) {
            throw new KeyException("There is no " + what + " file " + file + ": name the one that belongs to the repository.", e);
        } catch (CharacterCodingException | IllegalArgumentException e) {
            String why = e instanceof IllegalArgumentException ? e.getMessage() : "It is not text in UTF-8.";
            throw new KeyException("The " + what + " file " + file + " cannot be used. " + why, e);
        } catch (KeyException e) {
            throw e;
        } catch (IOException e) {
            throw new KeyException("The " + what + " file " + file + " cannot be read (" + e + "): make it readable to this user.", e);
        }
    }

    private static Secret passphrase(String text) {
        return Secret.passphrase(text.lines().findFirst().orElse(""));
    }
}
