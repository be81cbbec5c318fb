package io.afterimage.store;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A default method that a decorator forgets would pass it by in silence. */
final class DecoratorTest {

    /** Made of the other methods alone. */
    private static final Set<String> DERIVED = Set.of("delete(ObjectKey)", "list(KeyPrefix)", "listAfter(KeyPrefixObjectKey)");

    @ParameterizedTest
    @ValueSource(classes = {RetryingStore.class, CountingStore.class, FaultyStore.class})
    void everyMethodIsPassedOn(Class<? extends ObjectStore> decorator) {
        for (Method method : ObjectStore.class.getMethods()) {
            StringBuilder signature = new StringBuilder(method.getName()).append('(');
            for (Class<?> parameter : method.getParameterTypes()) {
                signature.append(parameter.getSimpleName());
            }
            if (!Modifier.isStatic(method.getModifiers()) && !DERIVED.contains(signature + ")")) {
                assertDoesNotThrow(() -> decorator.getDeclaredMethod(method.getName(), method.getParameterTypes()), signature::toString);
            }
        }
    }
}
