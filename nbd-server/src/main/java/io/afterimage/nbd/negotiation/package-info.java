/**
 * The handshake of both sides, from the greeting to the first request. {@link io.afterimage.nbd.negotiation.ServerHandshake} is
 * a state machine that is handed one option at a time and answers with replies and an {@link io.afterimage.nbd.negotiation.Outcome};
 * what an option does stands in a file of its own. {@link io.afterimage.nbd.negotiation.ClientHandshake} is the other side as a
 * straight line of questions. Neither knows of sockets, Netty or devices: they see frames, and exports through
 * {@link io.afterimage.nbd.negotiation.Offering}.
 */
package io.afterimage.nbd.negotiation;
