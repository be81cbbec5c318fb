/**
 * A point out of disks as they stand still: any {@link io.afterimage.block.BlockDevice}, with the ranges that have changed since
 * the parent point where somebody knows them. How a running machine's disks are made to stand still is the matter of the packages
 * below this one, each of which knows one way.
 */
package io.afterimage.capture;
