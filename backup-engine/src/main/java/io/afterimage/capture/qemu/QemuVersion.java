package io.afterimage.capture.qemu;

import java.io.IOException;
import tools.jackson.databind.JsonNode;

/** Which QEMU it is, as it says itself, whatever a distribution has changed in it. */
record QemuVersion(int major, int minor) {

    static QemuVersion of(QmpClient client) throws IOException {
        JsonNode version = client.execute("query-version").path("qemu");
        return new QemuVersion(version.path("major").asInt(0), version.path("minor").asInt(0));
    }

    boolean isFrom(QemuVersion first) {
        return major > first.major || (major == first.major && minor >= first.minor);
    }

    @Override
    public String toString() {
        return major + "." + minor;
    }
}
