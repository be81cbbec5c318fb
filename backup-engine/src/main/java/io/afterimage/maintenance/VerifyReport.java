package io.afterimage.maintenance;

import java.util.List;

/**
 * What a verification has come to.
 *
 * @param points that were looked at
 * @param packs that they need
 * @param chunks that were read and verified, in this run or the ones that it goes on from
 * @param bytes of them in their packs
 * @param healed packs of which damage had been recorded that is there no more
 * @param findings what is damaged; empty if all is well
 */
public record VerifyReport(int points, int packs, long chunks, long bytes, int healed, List<Finding> findings) {

    public VerifyReport {
        findings = List.copyOf(findings);
    }
}
