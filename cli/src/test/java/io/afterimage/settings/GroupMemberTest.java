package io.afterimage.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.manifest.MachineName;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GroupMemberTest {

    @Test
    void aSocketWithAnAgentOrWithout() {
        GroupMember.Monitor asked = new GroupMember.Monitor(Path.of("/run/a=b.qmp"), Optional.of(Path.of("/run/a.agent")));
        assertEquals(new GroupMember(new MachineName("web"), asked), GroupMember.parse("web=/run/a=b.qmp,agent=/run/a.agent"));
        assertTrue(GroupMember.parse("web=/q,agent=/a").hasAgent());
        assertFalse(GroupMember.parse("web=/q").hasAgent());
    }

    @Test
    void theSameSocketIsTheSamePlace() {
        assertEquals(GroupMember.parse("web=/run/x/../q").place(), GroupMember.parse("db=/run/q").place());
    }

    @Test
    void aDomainThatIsCalledLikeTheMachineOrNot() {
        assertEquals(new GroupMember.Domain("web 2"), GroupMember.parse("web=domain:web 2").place());
        assertEquals(GroupMember.domain(new MachineName("web")), GroupMember.parse("web=domain:web"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"web", "=/q", "web=", "web=/q,agent=", "web=domain:", "web=domain:x,agent=/a", "web=,agent=/a"})
    void anythingElseIsRefused(String text) {
        String message = assertThrows(IllegalArgumentException.class, () -> GroupMember.parse(text)).getMessage();
        assertTrue(message.contains("MACHINE=SOCKET"), message);
    }
}
