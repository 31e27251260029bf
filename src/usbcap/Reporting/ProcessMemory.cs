using System.Globalization;

namespace Usbcap.Reporting;

/// <summary>Represents the resources that this process has used.</summary>
internal static class ProcessMemory
{
    /// <summary>Gets the most bytes that were resident at one time; where the system does not say, those that are now.</summary>
    // Not getrusage: its number is inherited from the program that started this one.
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
