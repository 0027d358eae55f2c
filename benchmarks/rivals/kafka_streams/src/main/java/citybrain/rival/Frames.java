package citybrain.rival;

import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Whole frames in one processor: all sensors of an area are in one partition already, so nothing is
 * repartitioned, and the store is asked once per sensor and frame.
 */
final class Frames {
  private static final String STORE = "sensors";

  private Frames() {}

  static void build(StreamsBuilder builder, Settings job, Marks marks) {
    StoreBuilder<KeyValueStore<String, Task.Sensor>> store =
        Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore(STORE), Serdes.String(), Wires.sensor());
    builder.addStateStore(store.withCachingEnabled());
    KStream<String, Object> found =
        builder.stream(job.topic(), Consumed.with(Serdes.String(), Serdes.ByteArray()))
            .process(() -> new Work(job.json(), marks), STORE);
    found
        .filter((sensor, value) -> value instanceof Task.Closed)
        .mapValues(Task.Closed.class::cast)
        .to(job.windows(), Produced.with(Serdes.String(), Wires.json(Task.Closed.class)));
    found
        .filter((sensor, value) -> value instanceof Task.Flip)
        .mapValues(Task.Flip.class::cast)
        .to(job.alerts(), Produced.with(Serdes.String(), Wires.json(Task.Flip.class)));
  }

  private static final class Work implements Processor<String, byte[], String, Object> {
    private final boolean json;
    private final Marks marks;
    private ProcessorContext<String, Object> context;
    private KeyValueStore<String, Task.Sensor> store;

    Work(boolean json, Marks marks) {
      this.json = json;
      this.marks = marks;
    }

    @Override
    public void init(ProcessorContext<String, Object> given) {
      context = given;
      store = given.getStateStore(STORE);
    }

    @Override
    public void process(Record<String, byte[]> record) {
      marks.count(0);
      Frame frame = Frame.read(record.value(), json);
      Open[] open = new Open[frame.sensors.length];
      for (int row = 0; row < frame.value.length; row++) {
        int number = frame.sensor[row];
        if (open[number] == null) open[number] = new Open(frame.sensors[number]);
        open[number].add(frame.time[row], frame.value[row], record);
      }
      for (Open sensor : open) if (sensor != null) sensor.save();
      marks.count(frame.value.length);
    }

    /** A sensor while its frame is worked on. */
    private final class Open {
      private final String name;
      private long start = -1;
      private long n;
      private double sum;
      private boolean on;

      Open(String name) {
        this.name = name;
        Task.Sensor kept = store.get(name);
        if (kept == null) return;
        start = kept.start();
        n = kept.n();
        sum = kept.sum();
        on = kept.on();
      }

      void add(long time, double value, Record<String, byte[]> record) {
        long window = time - time % Task.WINDOW_MS;
        if (window > start) {
          if (start >= 0) tell(new Task.Closed(name, start, n, sum), record);
          start = window;
          n = 0;
          sum = 0;
        }
        if (window == start) {
          n++;
          sum += value;
        }
        boolean now = Task.flip(on, value);
        if (now != on) tell(new Task.Flip(name, time, now), record);
        on = now;
      }

      void save() {
        store.put(name, new Task.Sensor(start, n, sum, on));
      }

      private void tell(Object found, Record<String, byte[]> record) {
        context.forward(new Record<>(name, found, record.timestamp()));
      }
    }
  }
}
