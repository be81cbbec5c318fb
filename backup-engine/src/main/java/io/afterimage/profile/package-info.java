/**
 * What machines read when they boot, kept beside their points: {@link io.afterimage.profile.BootProfiles} finds and stores a
 * {@link io.afterimage.profile.BootProfile}. Advice and nothing else: without any of it every disk reads the same, only later. Knows nothing of who
 * records one or follows it.
 */
package io.afterimage.profile;
