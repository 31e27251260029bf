using System.Globalization;

namespace Usbcap.Reporting;

/// <summary>Provides the memory usage of this process.</summary>
internal static class ProcessMemory
{
    /// <summary>Gets the peak number of resident bytes. If the system does not report it, gets the current number.</summary>
    // The code does not use getrusage, because a process inherits the peak that getrusage reports from the program that started the process.
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
