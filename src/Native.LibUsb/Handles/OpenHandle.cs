using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>Owns an open <c>libusb_device_handle</c>.</summary>
internal sealed unsafe class OpenHandle : ContextChildHandle
{
    public OpenHandle(ContextHandle context)
        : base(context)
    {
        OpeningDescriptor.Begin();
    }

    // The file that libusb was given instead of opening one, kept open as long as libusb uses it.
    private SafeHandle? _file;

    // Memory of the device's controller that was not given back. It must be before the handle closes, also when no thread disposed anything.
    private readonly HashSet<(nint Memory, int Length)> _memory = [];

    public libusb_device_handle* Pointer => (libusb_device_handle*)handle;

    /// <summary>Gets the descriptor of the device's file; null where libusb does not report it. See <see cref="OpeningDescriptor"/>.</summary>
    public int? Descriptor { get; private set; }

    /// <summary>Gets whether it is never closed. See <see cref="LeaveOpen"/>.</summary>
    public bool IsLeftOpen { get; private set; }

    /// <summary>Leaves it open until the process ends, with its file: libusb's lock of it is damaged, and to close it would abort the process.</summary>
    public void LeaveOpen() => IsLeftOpen = true;

    public override ObjectDisposedException DisposedFailure() => new("Native.LibUsb.UsbDeviceHandle");

    /// <summary>Keeps the file open until this handle is closed. The caller has a reference on the file, and keeps that.</summary>
    public void KeepOpen(SafeHandle file)
    {
        bool added = false;
        file.DangerousAddRef(ref added);
        _file = file;
    }

    /// <summary>Takes over what <c>libusb_open</c> or <c>libusb_wrap_sys_device</c> gave to this thread.</summary>
    public void Own(libusb_device_handle* opened)
    {
        SetHandle((nint)opened);
        Descriptor = OpeningDescriptor.Take();
    }

    /// <summary>Allocates memory of the device's controller; null where there is none. The caller holds a lease.</summary>
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

    /// <summary>Gives memory back, if that was not done. The caller holds a lease.</summary>
    public void FreeMemory(byte* memory, int length)
    {
        lock (_memory)
        {
            if (!_memory.Remove(((nint)memory, length)))
                return;
        }

        _ = libusb.libusb_dev_mem_free(Pointer, memory, (nuint)length);
    }

    // The last user closes it, and that may be a callback that used it while another thread disposed it.
    protected override bool MayReleaseInCallback => false;

    protected override void ReleaseChild()
    {
        foreach ((nint memory, int length) in _memory) // no other thread is here any more
            _ = libusb.libusb_dev_mem_free(Pointer, (byte*)memory, (nuint)length);
        if (IsLeftOpen)
            return;
        libusb.libusb_close(Pointer);
        _file?.DangerousRelease();
    }
}
