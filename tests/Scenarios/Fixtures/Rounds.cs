using System.Globalization;

namespace Native.LibUsb.Tests;

/// <summary>
/// Specifies how often a test repeats its rounds. A test under valgrind is about fifty times slower, so NATIVE_LIBUSB_TEST_ROUNDS sets
/// the percentage of the usual rounds to run.
/// </summary>
public static class Rounds
{
    private static readonly int s_percent =
        int.TryParse(Environment.GetEnvironmentVariable("NATIVE_LIBUSB_TEST_ROUNDS"), NumberStyles.None, CultureInfo.InvariantCulture, out int percent) ? percent : 100;

    /// <summary>Gets the number of rounds to run: at least one.</summary>
    /// <param name="usual">The number of rounds without the variable.</param>
    public static int Of(int usual) => Math.Max(1, (int)((long)usual * s_percent / 100));

    /// <summary>Returns the time that a test may take when it runs more rounds than usual.</summary>
    /// <param name="seconds">The time for the usual rounds.</param>
    public static double Lengthen(double seconds) => seconds * Math.Max(1, s_percent / 100.0);
}
