package io.afterimage.nbd.negotiation;

import java.io.IOException;
import java.nio.ByteBuffer;

/** What the server does for one option. */
interface ServerOption {

    /** Answers the option whose bytes are those of {@code payload} from position to limit. */
    Outcome answer(ServerState state, ByteBuffer payload, OptionReplies replies) throws IOException;
}
