package io.afterimage.capture.qemu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Random;
import tools.jackson.databind.JsonNode;

/**
 * A guest in one boot sector: it writes the first 4 KiB of every 32 KiB from 1 MiB up to 32 MiB of its disk through the BIOS, and
 * again from the start, for ever. Unlike the tests' own writes its requests go through a device model, which stops the machine
 * when there is no space.
 */
final class WritingGuest {

    static final int DISK_SIZE = 48 << 20;

    /** 16 bit code at 0x7c00; the disk address packet of INT 13h, AH=43h is built at 0x7e00. */
    private static final String CODE = """
            fa 31c0 8ed8 8ed0 bc007c fb          cli; xor ax,ax; mov ds,ax; mov ss,ax; mov sp,7c00h; sti
            66c706087e00080000                   again: mov dword [7e08h],2048    first block: 1 MiB
            c706007e1000                         next: mov word [7e00h],10h       size of the packet
            c706027e0800                         mov word [7e02h],8               sectors
            c706047e0000 c706067e0010            mov [7e04h],0; mov [7e06h],1000h from 1000:0000
            66c7060c7e00000000                   mov dword [7e0ch],0
            be007e b80043 cd13                   mov si,7e00h; mov ax,4300h; int 13h
            668306087e40                         add dword [7e08h],64             next 32 KiB
            66813e087e00000100 72c6              cmp dword [7e08h],65536; jb next
            b80010 8ec0 2666ff060000             mov ax,1000h; mov es,ax; inc dword [es:0]
            ebb0                                 jmp again
            """;

    private WritingGuest() {}

    /** Writes a raw disk: the boot sector, and random data so that copying it takes space. */
    static void makeDisk(Path file) throws IOException {
        var bytes = new byte[DISK_SIZE];
        new Random(4711).nextBytes(bytes);
        byte[] code = HexFormat.of().parseHex(CODE.lines()
                .map(line -> line.substring(0, 37).replace(" ", ""))
                .reduce("", String::concat));
        System.arraycopy(code, 0, bytes, 0, code.length);
        bytes[510] = 0x55;
        bytes[511] = (byte) 0xaa;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes));
        }
    }

    /** Waits until the guest has written {@code more} requests from now on: it runs, and its writes succeed. */
    static void awaitWrites(BareQemu qemu, long more) throws IOException {
        long before = writes(qemu);
        qemu.control().awaitState("let the guest write", Duration.ofSeconds(60), () -> writes(qemu) >= before + more);
    }

    private static long writes(BareQemu qemu) throws IOException {
        long writes = 0;
        for (JsonNode device : qemu.control().execute("query-blockstats")) {
            writes += device.path("stats").path("wr_operations").asLong();
        }
        return writes;
    }
}
