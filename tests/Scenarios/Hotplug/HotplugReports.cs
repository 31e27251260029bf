using System.Collections.Concurrent;

namespace Native.LibUsb.Tests.Hotplug;

/// <summary>Collects the reports of a hotplug subscription in the order in which they arrive.</summary>
/// <param name="patience">The time after which a missing report fails the test.</param>
internal sealed class HotplugReports(TimeSpan patience)
{
    private readonly BlockingCollection<(UsbHotplugEvents Event, ushort Product)> _reports = [];

    public bool IsEmpty => _reports.Count == 0;

    /// <summary>Adds a report. Tests pass this method to <see cref="UsbContext.RegisterHotplug"/>.</summary>
    public void Add(UsbHotplugNotification notification)
    {
        using UsbDevice device = notification.Device;
        _reports.Add((notification.Event, device.ProductId));
    }

    /// <summary>Takes the next report, and waits for the report if it has not arrived yet.</summary>
    public (UsbHotplugEvents Event, ushort Product) Next()
    {
        Assert.True(TryNext(patience, out (UsbHotplugEvents Event, ushort Product) report), "No hotplug report came.");
        return report;
    }

    /// <summary>Takes the next report if it arrives within the given time.</summary>
    public bool TryNext(TimeSpan time, out (UsbHotplugEvents Event, ushort Product) report) => _reports.TryTake(out report, time);
}
