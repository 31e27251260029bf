namespace Native.LibUsb;

// The methods that allocate and free memory for transfers. The memory belongs to the open device.
public sealed partial class UsbDeviceHandle
{
    // The buffers of device memory, which the closing handle disposes. A program usually has few of them.
    private readonly HashSet<UsbBuffer> _deviceMemory = [];

    /// <summary>Allocates memory for transfers. Pass <c>buffer.Memory</c> to the methods that transfer data.</summary>
    /// <param name="length">
    /// The number of bytes, 1 to 2,147,483,528. If the buffer is device memory (see <paramref name="preferDeviceMemory"/>), the kernel allocates whole pages,
    /// and immediately counts these pages against the usbfs memory limit.
    /// </param>
    /// <param name="preferDeviceMemory">
    /// True to request memory that the device's controller accesses directly (<c>libusb_dev_mem_alloc</c>). If the system provides no such memory, the
    /// buffer is ordinary memory; see <see cref="UsbBuffer.IsDeviceMemory"/>. The default is false, because reads from device memory are slow on many ARM
    /// boards.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The length is out of range.</exception>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
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
            buffer.Dispose(); // all transfers are released, so no transfer uses the buffer
    }
}
