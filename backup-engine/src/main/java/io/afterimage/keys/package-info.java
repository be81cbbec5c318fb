/**
 * What an encrypted repository is locked with. A {@link io.afterimage.keys.Secret} (a passphrase, a key file) opens a
 * {@link io.afterimage.keys.KeySlot}; the slot holds the {@link io.afterimage.keys.MasterKey}; all other keys are derived from that one.
 * {@link io.afterimage.keys.ObjectSeal} seals small objects. The only package that touches cryptography beyond plain hashes; it knows
 * neither chunks nor points. Every byte is in {@code docs/formats/encryption.md}.
 */
package io.afterimage.keys;
