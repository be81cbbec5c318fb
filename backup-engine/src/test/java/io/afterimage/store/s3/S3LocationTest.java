package io.afterimage.store.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class S3LocationTest {

    @ParameterizedTest
    @ValueSource(strings = {
        "s3://bucket",
        "s3://bucket/prefix",
        "s3://bucket/deep/er/prefix",
        "s3://bucket/p?endpoint=https://s3.example.org:9000",
        "s3://bucket/p?endpoint=http://127.0.0.1:8080&region=eu-west-1&profile=backup&addressing=virtual"
    })
    void isOneString(String text) {
        assertEquals(text, S3Location.parse(text).toString());
    }

    @Test
    void aSlashAtTheEndMeansTheSame() {
        assertEquals(S3Location.parse("s3://bucket/p"), S3Location.parse("s3://bucket/p/"));
        assertEquals(S3Location.parse("s3://bucket"), S3Location.parse("s3://bucket/"));
        assertEquals("p/", S3Location.parse("s3://bucket/p").prefix().value());
    }

    @Test
    void aStoreOfOnesOwnIsAddressedByPathUnlessToldOtherwise() {
        assertFalse(S3Location.parse("s3://bucket").usesPathStyle());
        assertTrue(S3Location.parse("s3://bucket?addressing=path").usesPathStyle());
        assertTrue(S3Location.parse("s3://bucket?endpoint=http://minio:9000").usesPathStyle());
        assertFalse(S3Location.parse("s3://bucket?endpoint=http://minio:9000&addressing=virtual").usesPathStyle());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "/folder", "s3:bucket", "s3://", "s3:///prefix", "s3://b", "s3://bucket//p", "s3://bucket/../p", "s3://bucket/a b", "s3://buc ket",
        "s3://bucket?endpoint", "s3://bucket?endpoint=ftp://x", "s3://bucket?endpoint=minio:9000", "s3://bucket?endpoint=http://",
        "s3://bucket?region=a&region=b", "s3://bucket?region=", "s3://bucket?addressing=both", "s3://bucket?secret=x", "s3://bucket?profile=a%0Ab"
    })
    void whatIsNotALocationIsRefused(String text) {
        assertThrows(IllegalArgumentException.class, () -> S3Location.parse(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"s3://AKIAKEY:hunter2@bucket/p", "s3://bucket?endpoint=http://me:hunter2@minio:9000"})
    void aMisplacedSecretIsNotRepeated(String text) {
        var e = assertThrows(IllegalArgumentException.class, () -> S3Location.parse(text));
        assertTrue(e.getMessage().contains("credentials"), e.getMessage());
        assertFalse(e.getMessage().contains("hunter2"), e.getMessage());
    }
}
