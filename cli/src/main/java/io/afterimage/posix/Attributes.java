package io.afterimage.posix;

import java.time.Instant;
import java.util.List;

/**
 * What a file has beside its name and its content.
 *
 * @param mode the permissions, with set-user-id, set-group-id and sticky, but without the kind: at most 07777
 * @param user its owner's number
 * @param group its group's number
 * @param accessed when it was last read
 * @param modified when its content last changed
 * @param extended its extended attributes, ACLs and security labels among them
 */
public record Attributes(int mode, int user, int group, Instant accessed, Instant modified, List<ExtendedAttribute> extended) {

    public Attributes {
        extended = List.copyOf(extended);
    }
}
