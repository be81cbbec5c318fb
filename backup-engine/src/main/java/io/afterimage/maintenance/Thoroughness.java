package io.afterimage.maintenance;

/** How closely a verification looks. Whatever looks wrong is read in any case. */
public sealed interface Thoroughness {

    /** Descriptors, manifests, the packs' lengths and indexes: no chunk is read. */
    record Structure() implements Thoroughness {}

    /**
     * That, and the chunks of some packs, drawn by lot.
     *
     * @param share of the packs, above 0 and at most 1
     */
    record Sample(double share) implements Thoroughness {

        public Sample {
            if (!(share > 0 && share <= 1)) {
                throw new IllegalArgumentException("A sample is more than 0% and at most 100%, such as 5%.");
            }
        }
    }

    /** Every chunk that a point needs, once. */
    record Full() implements Thoroughness {}
}
