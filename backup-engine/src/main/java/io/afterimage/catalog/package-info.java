/**
 * What a repository holds, by name: machines, their restore points, and the selectors by which people speak of them. A
 * point is there when its descriptor is; the store's listing is the only catalogue, and nothing here is kept that could not
 * be thrown away. Leases tell other hosts what is being worked on.
 */
package io.afterimage.catalog;
