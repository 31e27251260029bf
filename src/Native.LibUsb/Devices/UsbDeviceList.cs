using System.Collections;

namespace Native.LibUsb;

/// <summary>
/// Represents the devices that were connected when the list was created. When the list is disposed, its devices are disposed too, but open handles of these
/// devices stay open.
/// </summary>
public sealed class UsbDeviceList : IReadOnlyList<UsbDevice>, IDisposable
{
    private readonly List<UsbDevice> _devices;

    internal UsbDeviceList(List<UsbDevice> devices) => _devices = devices;

    /// <summary>Gets the number of devices.</summary>
    public int Count => _devices.Count;

    /// <summary>Gets one of the devices. The devices are in the order in which libusb lists them.</summary>
    /// <param name="index">The position in the list, starting at 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no device at that position.</exception>
    public UsbDevice this[int index] => _devices[index];

    /// <summary>Removes a device from the list. The caller must then dispose the device.</summary>
    /// <param name="device">A device of this list.</param>
    /// <returns>The same device.</returns>
    /// <exception cref="ArgumentException">The device is not in the list.</exception>
    public UsbDevice Take(UsbDevice device)
    {
        int index = _devices.FindIndex(candidate => ReferenceEquals(candidate, device));
        if (index < 0)
            throw new ArgumentException("The device is not in this list.", nameof(device));
        _devices.RemoveAt(index);
        return device;
    }

    /// <inheritdoc/>
    public IEnumerator<UsbDevice> GetEnumerator() => _devices.GetEnumerator();

    /// <summary>Disposes the devices that are still in the list. The method may be called more than once.</summary>
    public void Dispose()
    {
        _devices.ForEach(static device => device.DisposeWithList());
        _devices.Clear();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
