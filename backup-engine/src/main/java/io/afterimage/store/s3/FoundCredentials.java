package io.afterimage.store.s3;

import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;

/**
 * The credentials that the SDK's chain finds. When it finds none, that is told apart from a failed request, and final at first: there are
 * none. Once there were some, the next ones are only late.
 */
final class FoundCredentials implements AwsCredentialsProvider {

    private final AwsCredentialsProvider chain;
    private volatile boolean found;

    FoundCredentials(AwsCredentialsProvider chain) {
        this.chain = chain;
    }

    static final class NotFoundException extends RuntimeException {

        private static final long serialVersionUID = 1;

        private final boolean last;

        private NotFoundException(SdkClientException cause, boolean last) {
            super("no credentials are found in the environment, the profile files or the machine's role", cause);
            this.last = last;
        }

        /** Whether none were found ever. */
        boolean isFinal() {
            return last;
        }
    }

    @Override
    public AwsCredentials resolveCredentials() {
        try {
            AwsCredentials credentials = chain.resolveCredentials();
            found = true;
            return credentials;
        } catch (SdkClientException e) {
            throw new NotFoundException(e, !found);
        }
    }
}
