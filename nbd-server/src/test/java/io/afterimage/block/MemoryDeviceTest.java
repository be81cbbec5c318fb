package io.afterimage.block;

import java.nio.ByteBuffer;

final class MemoryDeviceTest extends BlockDeviceContract {

    @Override
    protected BlockDevice create(byte[] content) {
        MemoryDevice device = new MemoryDevice(content.length);
        device.write(0, ByteBuffer.wrap(content));
        return device;
    }
}
