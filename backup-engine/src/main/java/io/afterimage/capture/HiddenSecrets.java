package io.afterimage.capture;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Takes passwords and keys out of what a hypervisor tells, before it is stored; {@code ***} stands in their places. */
public final class HiddenSecrets {

    private static final String HIDDEN = "***";

    /** In a URL, as the file name of a remote disk may have one. */
    private static final Pattern IN_URL = Pattern.compile("(://[^/@\\s\":]*:)[^/@\\s\"]*@");

    /** QEMU's key=value lists write a comma in a value twice. */
    private static final Pattern PASSWORD = Pattern.compile("((?:^|[,.])(?:[a-z-]*password|passphrase)=)(?:[^,]|,,)*");

    private static final Pattern JSON_PASSWORD = Pattern.compile("(\"(?:[a-z-]*password|passphrase)\"\\s*:\\s*)\"(?:[^\"\\\\]|\\\\.)*\"");
    /** QEMU's object for secrets, as a list and as JSON; in XML quotes are escaped. */
    private static final Pattern SECRET_LIST = Pattern.compile("((?:^|[\"'\\s=])secret,(?:[^'\"\\s]*,)?data=)(?:[^,'\"\\s]|,,)*");

    private static final Pattern WORD_DATA = Pattern.compile("(,data=)(?:[^,]|,,)*");

    private static final Pattern SECRET_JSON =
            Pattern.compile("\\{[^{}]*(?:\"|&quot;)qom-type(?:\"|&quot;)\\s*:\\s*(?:\"|&quot;)secret(?:\"|&quot;)[^{}]*\\}");
    private static final Pattern JSON_DATA = Pattern.compile("(\"data\"\\s*:\\s*\")(?:[^\"\\\\]|\\\\.)*\"");
    private static final Pattern XML_DATA = Pattern.compile("(&quot;data&quot;\\s*:\\s*&quot;)(?:(?!&quot;).)*&quot;");

    private HiddenSecrets() {}

    /** What is left of a text of any kind. */
    public static String in(String text) {
        String safe = IN_URL.matcher(text).replaceAll("$1" + HIDDEN + "@");
        safe = JSON_PASSWORD.matcher(safe).replaceAll("$1\"" + HIDDEN + "\"");
        safe = SECRET_LIST.matcher(safe).replaceAll("$1" + HIDDEN);
        return SECRET_JSON.matcher(safe).replaceAll(object -> Matcher.quoteReplacement(withoutData(object.group())));
    }

    private static String withoutData(String object) {
        String safe = JSON_DATA.matcher(object).replaceAll("$1" + HIDDEN + "\"");
        return XML_DATA.matcher(safe).replaceAll("$1" + HIDDEN + "&quot;");
    }

    /** What is left of a command line of QEMU's, word by word. */
    public static List<String> inCommandLine(List<String> words) {
        return words.stream().map(HiddenSecrets::inWord).toList();
    }

    private static String inWord(String word) {
        boolean isSecret = word.startsWith("secret,") || word.startsWith("qom-type=secret,");
        String safe = isSecret ? WORD_DATA.matcher(word).replaceAll("$1" + HIDDEN) : word;
        return PASSWORD.matcher(in(safe)).replaceAll("$1" + HIDDEN);
    }
}
