/**
 * A repository below a prefix of a bucket of an S3-compatible store: AWS, Ceph, MinIO, OpenStack Swift and others.
 * {@link io.afterimage.store.s3.S3Location} says where, {@link io.afterimage.store.s3.S3ObjectStore} is the store.
 *
 * <p>The only package that knows the AWS SDK. It uses PutObject, GetObject with a range, ListObjectsV2, DeleteObject and DeleteObjects, in buckets with
 * object lock GetObjectLockConfiguration, GetObjectRetention and PutObjectRetention, signed
 * requests without trailers or streaming signatures (which Swift and older stores refuse), and the SDK's own credential chain. It
 * knows nothing of what objects mean.
 */
package io.afterimage.store.s3;
