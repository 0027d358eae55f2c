package citybrain.rival;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessageUnpacker;

/** Readings of one area as columns, from JSON or msgpack. */
final class Frame {
  private static final ObjectMapper JSON = new ObjectMapper();

  final String[] sensors;
  final int[] sensor;
  final long[] time;
  final double[] value;

  @JsonIgnoreProperties(ignoreUnknown = true)
  record Wire(String[] sensors, int[] sensor, long time0, long[] time, double[] value) {}

  private Frame(String[] sensors, int[] sensor, long[] time, double[] value) {
    this.sensors = sensors;
    this.sensor = sensor;
    this.time = time;
    this.value = value;
  }

  static Frame read(byte[] body, boolean json) {
    try {
      return json ? fromJson(body) : fromMsgpack(body);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static Frame fromJson(byte[] body) throws IOException {
    Wire wire = JSON.readValue(body, Wire.class);
    long[] time = wire.time();
    for (int row = 0; row < time.length; row++) time[row] += wire.time0();
    return new Frame(wire.sensors(), wire.sensor(), time, wire.value());
  }

  private static Frame fromMsgpack(byte[] body) throws IOException {
    String[] names = {};
    ByteBuffer sensor = null;
    ByteBuffer delta = null;
    ByteBuffer value = null;
    long time0 = 0;
    try (MessageUnpacker in = MessagePack.newDefaultUnpacker(body)) {
      for (int left = in.unpackMapHeader(); left > 0; left--) {
        switch (in.unpackString()) {
          case "sensors" -> {
            names = new String[in.unpackArrayHeader()];
            for (int n = 0; n < names.length; n++) names[n] = in.unpackString();
          }
          case "sensor" -> sensor = bytes(in);
          case "time" -> delta = bytes(in);
          case "value" -> value = bytes(in);
          case "time0" -> time0 = in.unpackLong();
          default -> in.skipValue();
        }
      }
    }
    int rows = value.remaining() / Double.BYTES;
    int[] sensors = new int[rows];
    long[] times = new long[rows];
    double[] values = new double[rows];
    for (int row = 0; row < rows; row++) {
      sensors[row] = Short.toUnsignedInt(sensor.getShort());
      times[row] = time0 + delta.getInt();
      values[row] = value.getDouble();
    }
    return new Frame(names, sensors, times, values);
  }

  private static ByteBuffer bytes(MessageUnpacker in) throws IOException {
    byte[] found = in.readPayload(in.unpackBinaryHeader());
    return ByteBuffer.wrap(found).order(ByteOrder.LITTLE_ENDIAN);
  }
}
