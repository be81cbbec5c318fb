package io.afterimage.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class HiddenSecretsTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
            "secret,id=s0,data=hunter2                        | secret,id=s0,data=***",
            "secret,id=s0,data=one,,two,format=raw            | secret,id=s0,data=***,format=raw",
            "qom-type=secret,data=x,id=s                      | qom-type=secret,data=***,id=s",
            "<qemu:arg value='secret,id=s,data=x'/>           | <qemu:arg value='secret,id=s,data=***'/>",
            "<a v='{&quot;qom-type&quot;:&quot;secret&quot;,&quot;data&quot;:&quot;x&quot;}'/> | <a v='{&quot;qom-type&quot;:&quot;secret&quot;,&quot;data&quot;:&quot;***&quot;}'/>",
            "{\"qom-type\":\"memory\",\"data\":\"shown\"}   | {\"qom-type\":\"memory\",\"data\":\"shown\"}",
            "secret,id=s0,data=with blank,format=raw           | secret,id=s0,data=***,format=raw",
            "secret,id=s0,file=/etc/key                       | secret,id=s0,file=/etc/key",
            "{\"qom-type\":\"secret\",\"data\":\"a\\\"b\",\"id\":\"s\"} | {\"qom-type\":\"secret\",\"data\":\"***\",\"id\":\"s\"}",
            "file=https://user:pass@host/disk,if=virtio       | file=https://user:***@host/disk,if=virtio",
            "initiator-name=x,password=p,,q,timeout=3         | initiator-name=x,password=***,timeout=3",
            "{\"driver\":\"iscsi\",\"password\":\"p\"}        | {\"driver\":\"iscsi\",\"password\":\"***\"}",
            "file.proxy-password=geheim                       | file.proxy-password=***",
            "memory-backend-ram,id=m,data=shown               | memory-backend-ram,id=m,data=shown",
            "{\"key-secret\":\"s0\"}                          | {\"key-secret\":\"s0\"}"
    })
    void whatIsSecretIsNotKept(String word, String kept) {
        assertEquals(List.of(kept), HiddenSecrets.inCommandLine(List.of(word)));
    }

    @Test
    void wordsStayInTheirPlaces() {
        assertEquals(
                List.of("qemu", "-object", "secret,id=s,data=***", "-m", "256"),
                HiddenSecrets.inCommandLine(List.of("qemu", "-object", "secret,id=s,data=abc", "-m", "256")));
    }
}
