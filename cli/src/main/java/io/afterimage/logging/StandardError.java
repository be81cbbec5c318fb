package io.afterimage.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.spi.ContextAwareBase;
import org.slf4j.Logger;

/**
 * How this program logs: warnings and errors to standard error, since standard output is for results alone; more or less of them as {@code AFTERIMAGE_LOG}
 * says. Found by Logback as a service. The same in XML takes a parser and some hundred classes at each start.
 */
public final class StandardError extends ContextAwareBase implements Configurator {

    private static final String LEVEL = "AFTERIMAGE_LOG";

    @Override
    public ExecutionStatus configure(LoggerContext context) {
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setPattern("%d{HH:mm:ss.SSS} %-5level %msg%n%ex{0}");
        encoder.start();
        ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
        appender.setContext(context);
        appender.setName("err");
        appender.setTarget("System.err");
        appender.setEncoder(encoder);
        appender.start();
        // Netty warns of what users cannot change.
        context.getLogger("io.netty").setLevel(Level.ERROR);
        var root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.toLevel(System.getenv(LEVEL), Level.WARN));
        root.addAppender(appender);
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }
}
