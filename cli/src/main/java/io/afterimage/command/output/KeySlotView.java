package io.afterimage.command.output;

import io.afterimage.keys.KeySlot;
import java.util.ArrayList;
import java.util.List;

/**
 * A key slot as {@code key list --json} shows it.
 *
 * @param slot its id
 * @param kind {@code passphrase} or {@code key-file}
 * @param own whether the key at hand opens it
 */
public record KeySlotView(String slot, String kind, boolean own) {

    public static List<KeySlotView> of(List<KeySlot> slots, KeySlot own) {
        return slots.stream().map(slot -> new KeySlotView(slot.id(), slot.kind(), slot.id().equals(own.id()))).toList();
    }

    public static String table(List<KeySlot> slots, KeySlot own) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("SLOT", "KIND", ""));
        for (KeySlotView slot : of(slots, own)) {
            rows.add(List.of(slot.slot, slot.kind, slot.own ? "opened by the key at hand" : ""));
        }
        return TextTable.of(rows);
    }
}
