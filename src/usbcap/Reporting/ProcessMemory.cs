using System.Globalization;

namespace Usbcap.Reporting;

/// <summary>Provides the memory usage of this process.</summary>
internal static class ProcessMemory
{
    /// <summary>
    /// Gets the peak number of resident bytes of this process. If the system does not report the peak, gets the current number of resident bytes.
    /// </summary>
    // getrusage is not suitable. A process inherits the peak of the program that started it, and getrusage may report that peak.
    public static long PeakResidentBytes => FromStatus() ?? Environment.WorkingSet;

    private static long? FromStatus()
    {
        if (!OperatingSystem.IsLinux())
            return null;
        foreach (string line in File.ReadLines("/proc/self/status"))
        {
            const string label = "VmHWM:", unit = "kB";
            if (line.StartsWith(label, StringComparison.Ordinal) && line.EndsWith(unit, StringComparison.Ordinal)
                && long.TryParse(line.AsSpan()[label.Length..^unit.Length].Trim(), CultureInfo.InvariantCulture, out long kilobytes))
            {
                return kilobytes * 1024;
            }
        }

        return null;
    }
}
