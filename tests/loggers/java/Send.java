import java.util.LinkedHashMap;
import java.util.Map;
import org.komamitsu.fluency.EventTime;
import org.komamitsu.fluency.Fluency;
import org.komamitsu.fluency.fluentd.FluencyBuilderForFluentd;

/**
 * Sends numbered events with Fluency, which keeps what it sends until it is acknowledged.
 *
 * <p>TLS is Java's own: the authority's certificate comes by the system property javax.net.ssl.trustStore.
 */
public final class Send {
    private Send() {}

    public static void main(String[] arguments) throws Exception {
        if (System.getenv("LOGGER_SHARED_KEY") != null) {
            System.err.println("Fluency knows no shared key");
            System.exit(2);
        }
        String host = arguments[0];
        int port = Integer.parseInt(arguments[1]);
        int count = Integer.parseInt(arguments[3]);
        try (Fluency fluency = builder().build(host, port)) {
            send(fluency, arguments[2], count);
            fluency.flush();
            if (!fluency.waitUntilAllBufferFlushed(60)) {
                System.err.println(fluency.getBufferedDataSize() + " bytes are not acknowledged after 60 s");
                System.exit(1);
            }
        }
    }

    private static FluencyBuilderForFluentd builder() {
        FluencyBuilderForFluentd builder = new FluencyBuilderForFluentd();
        builder.setAckResponseMode(true);
        builder.setFlushAttemptIntervalMillis(20);
        builder.setSenderMaxRetryCount(100);
        builder.setSenderMaxRetryIntervalMillis(200);
        builder.setReadTimeoutMilli(2000);
        builder.setWaitUntilBufferFlushed(60);
        builder.setSslEnabled(System.getProperty("javax.net.ssl.trustStore") != null);
        return builder;
    }

    private static void send(Fluency fluency, String tag, int count) throws Exception {
        String pause = System.getenv("LOGGER_PAUSE_MS");
        for (int number = 0; number < count; number++) {
            Map<String, Object> record = new LinkedHashMap<>();
            record.put("sequence", number);
            record.put("logger", "java");
            record.put("nested", Map.of("yes", true));
            fluency.emit(tag, EventTime.fromEpoch(1_700_000_000L + number, 123_456_000L + number), record);
            Thread.sleep(pause == null ? 0 : Long.parseLong(pause));
        }
    }
}
