package citybrain.rival;

import java.util.concurrent.atomic.AtomicLong;

/** Tells the harness when the first, the middle and the last reading were processed. */
final class Marks {
  private final AtomicLong count = new AtomicLong();
  private final long total;

  Marks(long total) {
    this.total = total;
  }

  void count(long readings) {
    long now = count.addAndGet(readings);
    long before = now - readings;
    if (before == 0) tell("first");
    if (before < total / 2 && now >= total / 2) tell("half");
    if (before < total && now >= total) tell("last");
  }

  private static void tell(String mark) {
    double at = System.currentTimeMillis() / 1000.0;
    System.out.printf(java.util.Locale.ROOT, "{\"mark\": \"%s\", \"at\": %.3f}%n", mark, at);
    System.out.flush();
  }
}
