package citybrain.rival;

/** The task's numbers and the shapes of its data; see benchmarks/rivals/task.py. */
final class Task {
  static final long WINDOW_MS = 300_000;
  static final double UP = 0.95;
  static final double DOWN = 0.90;

  private Task() {}

  record Reading(String sensor, String property, long time, double value) {}

  record Closed(String sensor, long start, long n, double sum) {}

  record Flip(String sensor, long time, boolean on) {}

  /** Count and sum of a window. */
  record Sum(long n, double sum) {
    Sum add(double value) {
      return new Sum(n + 1, sum + value);
    }
  }

  /** All that frames need to know of a sensor: its open window and whether its alert is on. */
  record Sensor(long start, long n, double sum, boolean on) {}

  static boolean flip(boolean on, double value) {
    return value > UP || (on && value >= DOWN);
  }
}
