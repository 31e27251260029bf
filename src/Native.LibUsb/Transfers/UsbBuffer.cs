using System.Buffers;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Memory for transfers that the program owns: native memory, or memory of the kernel's that the device's controller writes into directly
/// (<c>libusb_dev_mem_alloc</c>). Its <see cref="MemoryManager{T}.Memory"/> may be given to any transfer; several transfers may use parts of it.
/// Made by <see cref="UsbDeviceHandle.AllocateBuffer"/>.
/// </summary>
/// <remarks>
/// <para>Device memory saves the kernel's copy, and does not count twice against the usbfs limit. It exists on Linux from 4.6. On machines whose
/// controllers do not see the processor's caches (many ARM boards) reading it byte by byte is up to fifty times slower: measure, or copy it out
/// once.</para>
/// <para>It is freed when it is disposed and no transfer has it pinned any more; the device handle frees what is left before it closes.</para>
/// </remarks>
public sealed unsafe class UsbBuffer : MemoryManager<byte>
{
    private const nuint Alignment = 64;

    private readonly UsbDeviceHandle _handle;
    private readonly int _length;
    private readonly Lock _change = new();
    private byte* _memory;
    private int _pins;
    private bool _disposed;

    internal UsbBuffer(UsbDeviceHandle handle, libusb_device_handle* native, int length, bool preferDeviceMemory)
    {
        _handle = handle;
        _length = length;
        if (preferDeviceMemory)
            _memory = libusb.libusb_dev_mem_alloc(native, (nuint)length);
        IsDeviceMemory = _memory is not null;
        if (!IsDeviceMemory)
        {
            _memory = (byte*)NativeMemory.AlignedAlloc((nuint)length, Alignment);
            NativeMemory.Clear(_memory, (nuint)length);
        }
    }

    /// <summary>Frees native memory that was forgotten. Device memory is its handle's, which frees it.</summary>
    ~UsbBuffer() => Dispose(false);

    /// <summary>Whether the kernel gave memory of the device's controller; otherwise it is ordinary native memory.</summary>
    public bool IsDeviceMemory { get; }

    /// <summary>Its length in bytes.</summary>
    public int Length => _length;

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">It is disposed.</exception>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new Span<byte>(_memory, _length);
    }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">It is disposed.</exception>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elementIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elementIndex, _length);
        lock (_change)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _pins++;
            return new MemoryHandle(_memory + elementIndex, pinnable: this);
        }
    }

    /// <inheritdoc/>
    public override void Unpin()
    {
        lock (_change)
        {
            _pins--;
            if (_disposed && _pins == 0)
                Free();
        }
    }

    /// <summary>Disposes it: it is freed now, or when the last transfer lets go of it.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        lock (_change)
        {
            if (_disposed)
                return;
            _disposed = true;
            if (_pins == 0)
                Free();
        }
    }

    /// <summary>Called by the closing handle, when no transfer of it is in flight or holds a pin any more.</summary>
    internal void FreeForClosingHandle()
    {
        lock (_change)
        {
            _disposed = true;
            Free();
        }

        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        byte* memory = _memory;
        if (memory is null)
            return;
        _memory = null;
        if (IsDeviceMemory)
            _handle.FreeDeviceMemory(this, memory, _length);
        else
            NativeMemory.AlignedFree(memory);
    }
}
