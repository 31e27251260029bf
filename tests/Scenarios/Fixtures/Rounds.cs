using System.Globalization;

namespace Native.LibUsb.Tests;

/// <summary>
/// Specifies how many rounds a test runs. The variable NATIVE_LIBUSB_TEST_ROUNDS specifies a percentage of the usual number of rounds. A lower percentage is
/// necessary under valgrind, which makes a test about 50 times slower.
/// </summary>
public static class Rounds
{
    private static readonly int s_percent =
        int.TryParse(Environment.GetEnvironmentVariable("NATIVE_LIBUSB_TEST_ROUNDS"), NumberStyles.None, CultureInfo.InvariantCulture, out int percent) ? percent : 100;

    /// <summary>Returns the number of rounds that a test runs. The number is at least one.</summary>
    /// <param name="usual">The number of rounds if the variable is not set.</param>
    public static int Of(int usual) => Math.Max(1, (int)((long)usual * s_percent / 100));

    /// <summary>Returns the time that a test may take. The time is longer if the test runs more rounds than usual.</summary>
    /// <param name="seconds">The time for the usual number of rounds.</param>
    public static double Lengthen(double seconds) => seconds * Math.Max(1, s_percent / 100.0);
}
