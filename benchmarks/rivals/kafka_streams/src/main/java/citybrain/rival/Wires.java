package citybrain.rival;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** JSON at the borders, packed bytes for what stays inside (state, repartition). */
final class Wires {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Wires() {}

  static <T> Serde<T> json(Class<T> type) {
    return Serdes.serdeFrom(
        (topic, value) -> {
          try {
            return value == null ? null : JSON.writeValueAsBytes(value);
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        },
        (topic, body) -> {
          try {
            return body == null ? null : JSON.readValue(body, type);
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        });
  }

  static Serde<Task.Sum> sum() {
    return Serdes.serdeFrom(
        (topic, s) ->
            s == null ? null : ByteBuffer.allocate(16).putLong(s.n()).putDouble(s.sum()).array(),
        (topic, body) -> {
          if (body == null) return null;
          ByteBuffer in = ByteBuffer.wrap(body);
          return new Task.Sum(in.getLong(), in.getDouble());
        });
  }

  static Serde<Task.Sensor> sensor() {
    return Serdes.serdeFrom(
        (topic, s) -> {
          if (s == null) return null;
          ByteBuffer out = ByteBuffer.allocate(25).putLong(s.start()).putLong(s.n());
          return out.putDouble(s.sum()).put((byte) (s.on() ? 1 : 0)).array();
        },
        (topic, body) -> {
          if (body == null) return null;
          ByteBuffer in = ByteBuffer.wrap(body);
          return new Task.Sensor(in.getLong(), in.getLong(), in.getDouble(), in.get() == 1);
        });
  }

  /** A reading between flatMap and its own partition; its sensor is the record's key too. */
  static Serde<Task.Reading> reading() {
    return Serdes.serdeFrom(
        (topic, r) -> {
          if (r == null) return null;
          byte[] name = r.sensor().getBytes(StandardCharsets.UTF_8);
          ByteBuffer out = ByteBuffer.allocate(16 + name.length);
          return out.putLong(r.time()).putDouble(r.value()).put(name).array();
        },
        (topic, body) -> {
          if (body == null) return null;
          ByteBuffer in = ByteBuffer.wrap(body);
          long time = in.getLong();
          double value = in.getDouble();
          String name = new String(body, 16, body.length - 16, StandardCharsets.UTF_8);
          return new Task.Reading(name, "", time, value);
        });
  }
}
