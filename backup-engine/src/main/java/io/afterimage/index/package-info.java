/**
 * Where the repository already holds a chunk of a given hash. The index is local to this host, a help and never a truth: it can
 * be deleted, it is rebuilt from the packs' own indexes, and an answer counts only for packs that are known to be there.
 */
package io.afterimage.index;
