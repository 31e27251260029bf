namespace Native.LibUsb;

// Memory for transfers that belongs to the open device.
public sealed partial class UsbDeviceHandle
{
    // Buffers of device memory, which end with the handle. They are few.
    private readonly HashSet<UsbBuffer> _deviceMemory = [];

    /// <summary>Allocates memory for transfers, to be given to them as <c>buffer.Memory</c>.</summary>
    /// <param name="length">Bytes, 1 to 2,147,483,528. Device memory comes in whole pages, and counts against the usbfs limit at once.</param>
    /// <param name="preferDeviceMemory">
    /// Requests memory that the device's controller writes into directly (<c>libusb_dev_mem_alloc</c>). Where there is none it is native memory
    /// anyway; see <see cref="UsbBuffer.IsDeviceMemory"/>. Not the default, because on many ARM boards it is slow to read.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The length is out of range.</exception>
    /// <exception cref="OutOfMemoryException">There is not so much memory.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbBuffer AllocateBuffer(int length, bool preferDeviceMemory = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, AlignedMemory.MaxPinnedLength);
        using HandleLease lease = Lease();
        lock (_deviceMemory)
        {
            ObjectDisposedException.ThrowIf(!_closing.IsOpen, this);
            var buffer = new UsbBuffer(this, _native, length, preferDeviceMemory);
            if (buffer.IsDeviceMemory)
                _deviceMemory.Add(buffer);
            return buffer;
        }
    }

    internal void ForgetDeviceMemory(UsbBuffer buffer)
    {
        lock (_deviceMemory)
            _deviceMemory.Remove(buffer);
    }

    private void FreeAllDeviceMemory()
    {
        UsbBuffer[] buffers;
        lock (_deviceMemory)
            buffers = [.. _deviceMemory];
        foreach (UsbBuffer buffer in buffers)
            buffer.Dispose(); // no transfer has it any more: all are released
    }
}
