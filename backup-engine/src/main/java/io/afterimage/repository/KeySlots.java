package io.afterimage.repository;

import io.afterimage.keys.KeySlot;
import io.afterimage.keys.MasterKey;
import io.afterimage.keys.Secret;
import io.afterimage.repository.RepositoryException.Reason;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * The key slots of an encrypted repository that is open. A change rewrites {@code repository.json} alone, in one PUT, so that before
 * and after it there is a slot that opens.
 *
 * <p>There is no conditional PUT, so of two changes at the same moment the later one wins. A change therefore reads what is stored
 * right before, and again right after; whoever finds something else there than what it wrote says so. What it cannot notice is a
 * change whose reading came before its writing and whose writing comes after its end: change slots from one place.
 */
public final class KeySlots {

    private final ObjectStore store;
    private final RepositoryHeader header;
    private final RepositoryHeader.Opened opened;

    KeySlots(ObjectStore store, RepositoryHeader header, RepositoryHeader.Opened opened) {
        this.store = store;
        this.header = header;
        this.opened = opened;
    }

    /** The slot that opened the repository. */
    public KeySlot own() {
        return opened.slot();
    }

    /** All slots, as they are stored now. */
    public List<KeySlot> list() throws IOException {
        return read(stored()).keySlots();
    }

    /** Adds a slot that {@code secret} opens. */
    public KeySlot add(Secret secret, SecureRandom random) throws IOException {
        KeySlot slot = wrap(secret, random);
        change(slots -> {
            slots.add(slot);
            return slots;
        });
        return slot;
    }

    /** Puts a slot that {@code secret} opens in the place of the one that opened the repository. */
    public KeySlot replaceOwn(Secret secret, SecureRandom random) throws IOException {
        KeySlot slot = wrap(secret, random);
        change(slots -> {
            slots.replaceAll(each -> each.id().equals(own().id()) ? slot : each);
            return slots;
        });
        return slot;
    }

    /**
     * Removes a slot; what opened it opens the repository no more.
     *
     * @throws RepositoryException if there is none of that id, or it is the last one
     */
    public void remove(String id) throws IOException {
        List<KeySlot> slots = list();
        if (slots.stream().noneMatch(slot -> slot.id().equals(id))) {
            throw new RepositoryException(
                    Reason.NO_SUCH_SLOT, "The repository has no key slot '" + id + "': 'afterimage key list' shows those it has.");
        }
        if (slots.size() == 1) {
            throw new RepositoryException(
                    Reason.LAST_SLOT,
                    "The key slot '" + id + "' is the last one, and without it nobody could ever read the repository: add another key first.");
        }
        change(present -> {
            present.removeIf(slot -> slot.id().equals(id));
            return present;
        });
    }

    private KeySlot wrap(Secret secret, SecureRandom random) {
        MasterKey master = opened.master();
        return KeySlot.wrap(master, secret, header.canonicalText(), random);
    }

    private void change(UnaryOperator<List<KeySlot>> change) throws IOException {
        byte[] before = stored();
        RepositoryHeader present = read(before);
        List<KeySlot> slots = change.apply(new ArrayList<>(present.keySlots()));
        if (slots.isEmpty() || slots.equals(present.keySlots())) {
            throw conflict();
        }
        if (slots.size() > RepositoryHeader.MOST_SLOTS) {
            throw new RepositoryException(
                    Reason.TOO_MANY_SLOTS,
                    "The repository has " + present.keySlots().size() + " key slots, as many as there can be: remove one first.");
        }
        byte[] after = present.withKeySlots(slots).toJson(before);
        store.put(RepositoryHeader.KEY, ByteBuffer.wrap(after));
        if (!Arrays.equals(after, stored())) {
            throw conflict();
        }
    }

    private byte[] stored() throws IOException {
        return store.getWhole(RepositoryHeader.KEY, RepositoryHeader.LARGEST);
    }

    private RepositoryHeader read(byte[] json) throws RepositoryException {
        RepositoryHeader present = RepositoryHeader.parse(json, store.toString());
        if (!present.canonicalText().equals(header.canonicalText())) {
            throw new RepositoryException(
                    Reason.DAMAGED,
                    "The file repository.json in " + store + " has been replaced by another one since it was read: put it back from a copy.");
        }
        return present;
    }

    private RepositoryException conflict() {
        return new RepositoryException(
                Reason.SLOTS_CHANGED,
                "Somebody else has changed the key slots in " + store + " at the same time: see 'afterimage key list', and do it again.");
    }
}
