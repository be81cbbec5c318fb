package io.afterimage.capture;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Takes passwords and keys out of what a hypervisor tells, before it is stored; {@code ***} stands in their places. */
public final class HiddenSecrets {

    private static final String HIDDEN = "***";

    /** In a URL, as the file name of a remote disk may have one. */
    private static final Pattern IN_URL = Pattern.compile("(://[^/@\\s\":]*:)[^/@\\s\"]*@");

    /** QEMU's key=value lists write a comma in a value twice. */
    private static final Pattern PASSWORD = Pattern.compile("((?:^|[,.])(?:[a-z-]*password|passphrase)=)(?:[^,]|,,)*");

    private static final Pattern JSON_PASSWORD = Pattern.compile("(\"(?:[a-z-]*password|passphrase)\"\\s*:\\s*)\"(?:[^\"\\\\]|\\\\.)*\"");
    private static final Pattern SECRET_OBJECT = Pattern.compile("^(?:qom-type=)?secret(?:,|$)|\"qom-type\"\\s*:\\s*\"secret\"");
    private static final Pattern DATA = Pattern.compile("(,data=)(?:[^,]|,,)*");
    private static final Pattern JSON_DATA = Pattern.compile("(\"data\"\\s*:\\s*)\"(?:[^\"\\\\]|\\\\.)*\"");

    private HiddenSecrets() {}

    /** What is left of a text of any kind. */
    public static String in(String text) {
        String urls = IN_URL.matcher(text).replaceAll("$1" + HIDDEN + "@");
        return JSON_PASSWORD.matcher(urls).replaceAll("$1\"" + HIDDEN + "\"");
    }

    /** What is left of a command line of QEMU's, word by word. */
    public static List<String> inCommandLine(List<String> words) {
        List<String> hidden = new ArrayList<>();
        for (String word : words) {
            String safe = PASSWORD.matcher(in(word)).replaceAll("$1" + HIDDEN);
            if (SECRET_OBJECT.matcher(word).find()) {
                safe = JSON_DATA.matcher(DATA.matcher(safe).replaceAll("$1" + HIDDEN)).replaceAll("$1\"" + HIDDEN + "\"");
            }
            hidden.add(safe);
        }
        return hidden;
    }
}
