package io.afterimage.store.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import io.afterimage.store.StoreException.Outcome;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.services.s3.S3Client;

/** Addresses, regions and credentials come from where the user of any S3 tool expects them. */
final class SdkClientTest {

    private static final String CREDENTIALS = "aws.sharedCredentialsFile";
    private static final String CONFIGURATION = "aws.configFile";

    @TempDir
    private Path folder;

    @BeforeEach
    void pointToFiles() throws IOException {
        System.setProperty(CREDENTIALS, Files.writeString(folder.resolve("credentials"), """
                [backup]
                aws_access_key_id = %s
                aws_secret_access_key = %s
                """.formatted(EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY)).toString());
        System.setProperty(CONFIGURATION, Files.writeString(folder.resolve("config"), """
                [profile backup]
                region = eu-central-1
                """).toString());
    }

    @AfterEach
    void forgetFiles() {
        System.clearProperty(CREDENTIALS);
        System.clearProperty(CONFIGURATION);
    }

    @ParameterizedTest
    @CsvSource({
        "s3://bucket/p?endpoint=http://minio:9000, http://minio:9000/bucket/key",
        "s3://bucket/p?endpoint=http://minio:9000&addressing=virtual, http://bucket.minio:9000/key",
        "s3://bucket/p?region=eu-west-1, https://bucket.s3.eu-west-1.amazonaws.com/key",
        "s3://bucket/p?region=eu-west-1&addressing=path, https://s3.eu-west-1.amazonaws.com/bucket/key",
        "s3://bucket/p?profile=backup, https://bucket.s3.eu-central-1.amazonaws.com/key"
    })
    void bucketsAreAddressedByPathOrByHost(String location, String url) {
        try (S3Client client = SdkClient.create(S3Location.parse(location), Timeouts.DEFAULT)) {
            assertEquals(url, client.utilities().getUrl(object -> object.bucket("bucket").key("key")).toString());
        }
    }

    @Test
    void credentialsComeFromAProfile() throws IOException {
        try (EmbeddedS3 server = EmbeddedS3.start()) {
            new S3TestBucket(server.endpoint(), EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY, "bucket").create();
            try (S3ObjectStore store = S3ObjectStore.open(S3Location.parse("s3://bucket/p?profile=backup&endpoint=" + server.endpoint()))) {
                store.put(new ObjectKey("a"), ByteBuffer.allocate(3));
                assertEquals(3, store.getWhole(new ObjectKey("a"), 3).length);
            }
        }
    }

    @Test
    void aProfileThatIsNotThereIsSaidToBeSo() throws IOException {
        try (S3ObjectStore store = S3ObjectStore.open(S3Location.parse("s3://bucket/p?profile=other&endpoint=http://127.0.0.1:9"))) {
            StoreException e = assertThrows(StoreException.class, () -> store.list(KeyPrefix.ALL).hasNext());
            assertEquals(Problem.ACCESS_DENIED, e.problem(), e::toString);
            assertEquals(Outcome.FATAL, e.outcome());
            assertTrue(e.getMessage().contains("no credentials are found"), e.getMessage());
        }
    }

    @Test
    void credentialsThatWereThereOnceMayComeBack() {
        AtomicBoolean gone = new AtomicBoolean();
        FoundCredentials credentials = new FoundCredentials(() -> {
            if (gone.get()) {
                throw SdkClientException.create("no route to the role's server");
            }
            return AwsBasicCredentials.create("a", "b");
        });
        credentials.resolveCredentials();
        gone.set(true);
        assertEquals(false, assertThrows(FoundCredentials.NotFoundException.class, credentials::resolveCredentials).isFinal());
    }
}
