package citybrain.rival;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.streams.StreamsConfig;

/** The job (one JSON argument) and, from the environment, the configuration of this run. */
@JsonIgnoreProperties(ignoreUnknown = true)
record Settings(
    String broker,
    String topic,
    String shape,
    String encoding,
    long total,
    String windows,
    String alerts,
    String group,
    @JsonProperty("state_dir") String stateDir) {

  private static final int COMMIT_MS = 1000;

  boolean json() {
    return encoding.equals("json");
  }

  boolean flat() {
    return System.getenv("FLAT") != null;
  }

  Properties properties() {
    Properties found = new Properties();
    found.put(StreamsConfig.APPLICATION_ID_CONFIG, group);
    found.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, broker);
    found.put(StreamsConfig.STATE_DIR_CONFIG, stateDir);
    found.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    found.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, COMMIT_MS);
    found.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, System.getenv("THREADS"));
    found.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, System.getenv("GUARANTEE"));
    found.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    String cache = System.getenv("CACHE");
    if (!cache.isEmpty()) found.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, cache);
    return found;
  }
}
