package citybrain.rival;

import java.time.Duration;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** One reading after the other: the windowed aggregation of the DSL, and a state of each alert. */
final class Readings {
  private static final String ALERTING = "alerting";
  private static final Duration GRACE = Duration.ofHours(1); // flat-mapped areas overtake another

  private Readings() {}

  static void build(StreamsBuilder builder, Settings job, Marks marks) {
    Serde<Task.Reading> wire = Wires.json(Task.Reading.class);
    var consumed = Consumed.with(Serdes.String(), wire);
    solve(
        builder,
        job,
        wire,
        builder
            .stream(
                job.topic(),
                consumed.withTimestampExtractor((r, before) -> ((Task.Reading) r.value()).time()))
            .peek((key, reading) -> marks.count(1)));
  }

  /** Frames cut into readings, each sent to the partition of its sensor. */
  static void buildFlat(StreamsBuilder builder, Settings job, Marks marks) {
    Serde<Task.Reading> inside = Wires.reading();
    KStream<String, Task.Reading> readings =
        builder
            .stream(job.topic(), Consumed.with(Serdes.String(), Serdes.ByteArray()))
            .process(() -> new Cut(job.json(), marks))
            .repartition(Repartitioned.with(Serdes.String(), inside).withName("readings"))
            .peek((key, reading) -> marks.count(1));
    solve(builder, job, inside, readings);
  }

  private static void solve(
      StreamsBuilder builder,
      Settings job,
      Serde<Task.Reading> serde,
      KStream<String, Task.Reading> readings) {
    builder.addStateStore(
        Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(ALERTING), Serdes.String(), Serdes.Boolean())
            .withCachingEnabled());
    readings
        .groupByKey(Grouped.with(Serdes.String(), serde))
        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(Task.WINDOW_MS), GRACE))
        .aggregate(
            () -> new Task.Sum(0, 0),
            (sensor, reading, sum) -> sum.add(reading.value()),
            Materialized.with(Serdes.String(), Wires.sum()))
        .toStream()
        .map(
            (window, sum) ->
                KeyValue.pair(
                    window.key(),
                    new Task.Closed(
                        window.key(), window.window().start(), sum.n(), sum.sum())))
        .to(job.windows(), Produced.with(Serdes.String(), Wires.json(Task.Closed.class)));
    readings
        .processValues(Alert::new, ALERTING)
        .to(job.alerts(), Produced.with(Serdes.String(), Wires.json(Task.Flip.class)));
  }

  /** A flatMap that gives each reading its own time, by which the windows go. */
  private static final class Cut implements Processor<String, byte[], String, Task.Reading> {
    private final boolean json;
    private final Marks marks;
    private ProcessorContext<String, Task.Reading> context;

    Cut(boolean json, Marks marks) {
      this.json = json;
      this.marks = marks;
    }

    @Override
    public void init(ProcessorContext<String, Task.Reading> given) {
      context = given;
    }

    @Override
    public void process(Record<String, byte[]> record) {
      marks.count(0);
      Frame frame = Frame.read(record.value(), json);
      for (int row = 0; row < frame.value.length; row++) {
        String name = frame.sensors[frame.sensor[row]];
        long time = frame.time[row];
        context.forward(
            new Record<>(name, new Task.Reading(name, "", time, frame.value[row]), time));
      }
    }
  }

  private static final class Alert
      implements FixedKeyProcessor<String, Task.Reading, Task.Flip> {
    private FixedKeyProcessorContext<String, Task.Flip> context;
    private KeyValueStore<String, Boolean> states;

    @Override
    public void init(FixedKeyProcessorContext<String, Task.Flip> given) {
      context = given;
      states = given.getStateStore(ALERTING);
    }

    @Override
    public void process(FixedKeyRecord<String, Task.Reading> record) {
      Task.Reading reading = record.value();
      boolean before = Boolean.TRUE.equals(states.get(record.key()));
      boolean on = Task.flip(before, reading.value());
      if (on == before) return;
      states.put(record.key(), on);
      context.forward(record.withValue(new Task.Flip(reading.sensor(), reading.time(), on)));
    }
  }
}
