package citybrain.rival;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** Tells the harness when the first, the middle and the last reading were processed. */
final class Marks {
  private final AtomicBoolean begun = new AtomicBoolean();
  private final AtomicLong count = new AtomicLong();
  private final long total;

  Marks(long total) {
    this.total = total;
  }

  /** So many readings more were processed; 0: the first ones are about to be. */
  void count(long readings) {
    if (!begun.get() && begun.compareAndSet(false, true)) tell("first");
    long now = count.addAndGet(readings);
    long before = now - readings;
    if (before < total / 2 && now >= total / 2) tell("half");
    if (before < total && now >= total) tell("last");
  }

  private static void tell(String mark) {
    double at = System.currentTimeMillis() / 1000.0;
    System.out.printf(java.util.Locale.ROOT, "{\"mark\": \"%s\", \"at\": %.3f}%n", mark, at);
    System.out.flush();
  }
}
