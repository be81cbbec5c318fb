/**
 * A repository in a folder of this host, or of a mounted file system. {@link io.afterimage.store.file.FileObjectStore} is the entry;
 * the other types are its parts. Knows the JDK's file API and the store's port, nothing of what objects mean.
 */
package io.afterimage.store.file;
