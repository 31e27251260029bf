using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Native.LibUsb;

/// <summary>
/// Represents a memory buffer that the program owns and that transfers can use. The buffer is either managed memory that does not move, or device memory:
/// memory of the kernel that the device's controller accesses directly (<c>libusb_dev_mem_alloc</c>). Any transfer can use the buffer's
/// <see cref="MemoryManager{T}.Memory"/>, and several transfers can use different parts of it. <see cref="UsbDeviceHandle.AllocateBuffer"/> creates buffers.
/// </summary>
/// <remarks>
/// <para>If a transfer uses device memory, the kernel does not copy the data. Device memory counts against the usbfs memory limit from its allocation until it
/// is freed. A transfer that uses device memory does not count against the limit again. Device memory exists on Linux 4.6 and later. On machines whose
/// controllers do not access the processor's caches (many ARM boards), reading device memory byte by byte can be up to fifty times slower than reading ordinary
/// memory. On such machines, measure the speed. If the speed is too low, copy all data to ordinary memory in one operation, and then read the copy.</para>
/// <para>Device memory is freed when the buffer is disposed and the memory is no longer pinned. Before a device handle closes, it disposes the buffers that
/// the program has not disposed. Spans of a disposed buffer must not be used. Memory that the program has pinned keeps the device open until the program unpins
/// the memory.</para>
/// </remarks>
public sealed unsafe class UsbBuffer : MemoryManager<byte>
{
    private readonly UsbDeviceHandle _handle;
    private readonly OpenHandle _native;
    private readonly Lock _change = new();

    // An array that the garbage collector does not move. The garbage collector frees it when no transfer and no span refers to it.
    private byte[]? _array;
    private byte* _memory;
    private int _pins;
    private bool _disposed;

    /// <summary>Allocates the memory. The caller holds a lease on the handle, so the handle does not close during the call.</summary>
    internal UsbBuffer(UsbDeviceHandle handle, OpenHandle native, int length, bool preferDeviceMemory)
    {
        _handle = handle;
        _native = native;
        Length = length;
        if (preferDeviceMemory)
            _memory = native.AllocateMemory(length);
        IsDeviceMemory = _memory is not null;
        if (!IsDeviceMemory)
        {
            _array = AlignedMemory.AllocatePinned(length, clear: true, out int start);
            _memory = (byte*)Unsafe.AsPointer(ref _array[start]);
        }
    }

    /// <summary>Gets whether the buffer is device memory from the kernel. Otherwise it is ordinary memory.</summary>
    public bool IsDeviceMemory { get; }

    /// <summary>Gets the length of the buffer in bytes.</summary>
    public int Length { get; }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The buffer is disposed.</exception>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _array is null
            ? new Span<byte>(_memory, Length)
            : _array.AsSpan((int)(_memory - (byte*)Unsafe.AsPointer(ref _array[0])), Length);
    }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The buffer is disposed.</exception>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elementIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elementIndex, Length);
        lock (_change)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (IsDeviceMemory) // pinned memory may be used after the handle is disposed, so the native handle stays open until then
            {
                bool added = false;
                _native.DangerousAddRef(ref added);
            }

            _pins++;
            return new MemoryHandle(_memory + elementIndex, pinnable: this);
        }
    }

    /// <inheritdoc/>
    public override void Unpin()
    {
        lock (_change)
        {
            if (--_pins == 0 && _disposed)
                Free();
        }

        if (IsDeviceMemory)
            _native.DangerousRelease();
    }

    /// <summary>
    /// Disposes the buffer. If its memory is not pinned, the memory is freed immediately. Pinned memory is freed when it is unpinned. The method may be called
    /// more than once.
    /// </summary>
    [SuppressMessage("Usage", "CA1816", Justification = "There is no finaliser: a span may outlive the object.")]
    public void Dispose() => Dispose(true);

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

    private void Free()
    {
        if (IsDeviceMemory && _memory is not null)
        {
            _native.FreeMemory(_memory, Length); // the native handle is still open: the memory was pinned until now, or the handle is about to close
            _handle.ForgetDeviceMemory(this);
        }

        _memory = null;
        _array = null;
    }
}
