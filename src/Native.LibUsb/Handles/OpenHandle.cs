using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>Represents an open <c>libusb_device_handle</c>, which the handle owns.</summary>
internal sealed unsafe class OpenHandle : ContextChildHandle
{
    public OpenHandle(ContextHandle context)
        : base(context)
    {
        OpeningDescriptor.Begin();
    }

    // The file that the program has passed to libusb, or null. The file stays open as long as libusb uses it.
    private SafeHandle? _file;

    // The device memory that is not freed yet. This memory must be freed before the handle closes, even if the program has not disposed its buffers.
    private readonly HashSet<(nint Memory, int Length)> _memory = [];

    public libusb_device_handle* Pointer => (libusb_device_handle*)handle;

    /// <summary>Gets the file descriptor of the device; null if libusb does not report it. See <see cref="OpeningDescriptor"/>.</summary>
    public int? Descriptor { get; private set; }

    /// <summary>Gets whether the native handle stays open until the process ends. See <see cref="LeaveOpen"/>.</summary>
    public bool IsLeftOpen { get; private set; }

    /// <summary>
    /// Leaves the native handle and its file open until the process ends. The library calls this method if a defect of libusb may have damaged the handle's
    /// mutex (<see cref="OpeningDescriptor.HasSettingDefect"/>). If the library then closed the handle, the process could abort.
    /// </summary>
    public void LeaveOpen() => IsLeftOpen = true;

    public override ObjectDisposedException DisposedFailure() => new("Native.LibUsb.UsbDeviceHandle");

    /// <summary>
    /// Keeps the file open until this handle is closed. This handle takes its own reference to the file. The caller keeps its reference.
    /// </summary>
    public void KeepOpen(SafeHandle file)
    {
        bool added = false;
        file.DangerousAddRef(ref added);
        _file = file;
    }

    /// <summary>Takes ownership of the native handle that <c>libusb_open</c> or <c>libusb_wrap_sys_device</c> has just returned to this thread.</summary>
    public void Own(libusb_device_handle* opened)
    {
        SetHandle((nint)opened);
        Descriptor = OpeningDescriptor.Take();
    }

    /// <summary>Allocates device memory. Returns null if the system provides none. The caller holds a lease.</summary>
    public byte* AllocateMemory(int length)
    {
        byte* memory = libusb.libusb_dev_mem_alloc(Pointer, (nuint)length);
        if (memory is not null)
        {
            lock (_memory)
                _memory.Add(((nint)memory, length));
        }

        return memory;
    }

    /// <summary>Frees device memory that is not freed yet. The caller holds a lease.</summary>
    public void FreeMemory(byte* memory, int length)
    {
        lock (_memory)
        {
            if (!_memory.Remove(((nint)memory, length)))
                return;
        }

        _ = libusb.libusb_dev_mem_free(Pointer, memory, (nuint)length);
    }

    // The thread that releases the last reference closes the native handle. If this thread is in a callback, closing the handle would deadlock in libusb, so
    // the library closes the handle after the callback.
    protected override bool MayReleaseInCallback => false;

    protected override void ReleaseChild()
    {
        foreach ((nint memory, int length) in _memory) // other threads no longer use the handle
            _ = libusb.libusb_dev_mem_free(Pointer, (byte*)memory, (nuint)length);
        if (IsLeftOpen)
            return;
        libusb.libusb_close(Pointer);
        _file?.DangerousRelease();
    }
}
