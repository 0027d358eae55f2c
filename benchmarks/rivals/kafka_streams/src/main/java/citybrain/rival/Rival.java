package citybrain.rival;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** Runs the task until it is told to end (SIGTERM). */
public final class Rival {
  private Rival() {}

  public static void main(String[] arguments) throws Exception {
    Settings job = new ObjectMapper().readValue(arguments[0], Settings.class);
    Marks marks = new Marks(job.total());
    StreamsBuilder builder = new StreamsBuilder();
    if (job.shape().equals("event")) Readings.build(builder, job, marks);
    else if (job.flat()) Readings.buildFlat(builder, job, marks);
    else Frames.build(builder, job, marks);
    KafkaStreams streams = new KafkaStreams(builder.build(), job.properties());
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          Runtime.getRuntime().halt(1);
          return StreamThreadExceptionResponse.SHUTDOWN_APPLICATION;
        });
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }
}
