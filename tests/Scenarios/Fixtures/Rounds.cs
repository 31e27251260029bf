using System.Globalization;

namespace Native.LibUsb.Tests;

/// <summary>
/// Specifies how often a test repeats itself. Under valgrind everything is some fifty times slower, so who starts the tests there sets
/// NATIVE_LIBUSB_TEST_ROUNDS to the percentage of the usual rounds to run.
/// </summary>
public static class Rounds
{
    private static readonly int s_percent =
        int.TryParse(Environment.GetEnvironmentVariable("NATIVE_LIBUSB_TEST_ROUNDS"), NumberStyles.None, CultureInfo.InvariantCulture, out int percent) ? percent : 100;

    /// <summary>Gets the rounds to run: at least one.</summary>
    /// <param name="usual">How many there are when nothing slows the program down.</param>
    public static int Of(int usual) => Math.Max(1, (int)((long)usual * s_percent / 100));

    /// <summary>Returns the time that a test may take when it runs more rounds than usual.</summary>
    /// <param name="seconds">The time for the usual rounds.</param>
    public static double Lengthen(double seconds) => seconds * Math.Max(1, s_percent / 100.0);
}
