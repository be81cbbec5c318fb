package io.afterimage.nbd.server;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * The metadata contexts of an export beside {@code base:allocation}. Hardly any client asks for one, so that their names are only looked for when one does.
 * Thread-safe.
 */
public interface Contexts {

    /** None. */
    Contexts NONE = new Contexts() {
        @Override
        public Collection<String> names() {
            return List.of();
        }

        @Override
        public StatusSource source(String name) {
            throw new NoSuchElementException(name);
        }
    };

    /** All of them by full name, in the order to list them. May block. */
    Collection<String> names() throws IOException;

    /** Who answers for the context of one of these {@link #names}. Never blocks. */
    StatusSource source(String name);

    /** These and one more. */
    default Contexts and(String name, StatusSource source) {
        Contexts before = this;
        return new Contexts() {
            @Override
            public Collection<String> names() throws IOException {
                List<String> names = new ArrayList<>(before.names());
                names.add(name);
                return names;
            }

            @Override
            public StatusSource source(String asked) {
                return asked.equals(name) ? source : before.source(asked);
            }
        };
    }
}
