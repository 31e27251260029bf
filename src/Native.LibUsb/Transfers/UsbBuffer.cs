using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Native.LibUsb;

/// <summary>
/// Represents memory for transfers that the program owns: memory that does not move, or memory of the kernel's that the device's controller writes into
/// directly (<c>libusb_dev_mem_alloc</c>). Its <see cref="MemoryManager{T}.Memory"/> may be given to any transfer; several transfers may use parts
/// of it. Made by <see cref="UsbDeviceHandle.AllocateBuffer"/>.
/// </summary>
/// <remarks>
/// <para>Device memory saves the kernel's copy, and does not count twice against the usbfs limit. It exists on Linux from 4.6. On machines whose
/// controllers do not see the processor's caches (many ARM boards) reading it byte by byte is up to fifty times slower: measure, or copy it out
/// once.</para>
/// <para>Device memory is freed when it is disposed and no thread has it pinned any more; the device handle disposes what is left before it closes.
/// Spans of it must not be used after that. Memory that the program itself has pinned keeps the device open until it is unpinned.</para>
/// </remarks>
public sealed unsafe class UsbBuffer : MemoryManager<byte>
{
    private readonly UsbDeviceHandle _handle;
    private readonly OpenHandle _native;
    private readonly Lock _change = new();

    // On the heap of objects that do not move: the garbage collector frees it, when neither a transfer nor a span needs it.
    private byte[]? _array;
    private byte* _memory;
    private int _pins;
    private bool _disposed;

    /// <summary>Allocates. The caller holds a lease on the handle.</summary>
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

    /// <summary>Gets whether the kernel gave memory of the device's controller; otherwise it is ordinary memory.</summary>
    public bool IsDeviceMemory { get; }

    /// <summary>Gets its length in bytes.</summary>
    public int Length { get; }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">It is disposed.</exception>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _array is null
            ? new Span<byte>(_memory, Length)
            : _array.AsSpan((int)(_memory - (byte*)Unsafe.AsPointer(ref _array[0])), Length);
    }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">It is disposed.</exception>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elementIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elementIndex, Length);
        lock (_change)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (IsDeviceMemory) // code that has it pinned may use it when the handle is disposed already: the handle closes after that
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

    /// <summary>Disposes it: it is freed now, or when the last transfer releases it. May be called more than once.</summary>
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
            _native.FreeMemory(_memory, Length); // pinned just now, or its handle is only about to close
            _handle.ForgetDeviceMemory(this);
        }

        _memory = null;
        _array = null;
    }
}
