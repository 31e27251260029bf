using System.Collections;

namespace Native.LibUsb;

/// <summary>Represents the devices of one moment. Disposing the list disposes them; what was opened from them stays open.</summary>
public sealed class UsbDeviceList : IReadOnlyList<UsbDevice>, IDisposable
{
    private readonly List<UsbDevice> _devices;

    internal UsbDeviceList(List<UsbDevice> devices) => _devices = devices;

    /// <summary>Gets the number of devices.</summary>
    public int Count => _devices.Count;

    /// <summary>Gets one of them, in libusb's order.</summary>
    /// <param name="index">From 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is none at that place.</exception>
    public UsbDevice this[int index] => _devices[index];

    /// <summary>Takes a device out of the list: the caller disposes it from now on.</summary>
    /// <param name="device">A device of this list.</param>
    /// <returns>The same device.</returns>
    /// <exception cref="ArgumentException">It is not in the list.</exception>
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

    /// <summary>Disposes the devices that are still in the list. May be called more than once.</summary>
    public void Dispose()
    {
        _devices.ForEach(static device => device.DisposeWithList());
        _devices.Clear();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
