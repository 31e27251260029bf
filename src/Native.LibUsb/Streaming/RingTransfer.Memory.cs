using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

// This file contains the members that need libusb or the ring.
internal sealed unsafe partial class RingTransfer
{
    private readonly byte[]? _array; // null when the program has supplied the memory
    private readonly int _start;

    /// <summary>The number of the buffer's current loan to the program. A stale buffer has another number.</summary>
    public long Loan;

    public RingTransfer(UsbRing ring, int index, UsbTransfer transfer, RingConfiguration configuration)
    {
        Index = index;
        Ring = ring;
        Transfer = transfer;
        Native = transfer.DangerousGetTransfer();
        Memory = configuration.MemoryOf(index);
        if (Memory.IsEmpty)
        {
            _array = AlignedMemory.AllocatePinned(configuration.TransferSize, clear: false, out _start);
            Memory = MemoryMarshal.CreateFromPinnedArray(_array, _start, configuration.TransferSize);
        }

        Descriptors = configuration.Packets == 0 ? [] : new libusb_iso_packet_descriptor[configuration.Packets];
        PacketSize = configuration.PacketSize;
    }

    public UsbRing Ring { get; }

    public UsbTransfer Transfer { get; }

    /// <summary>Gets the native transfer, which exists until the ring is released.</summary>
    public libusb_transfer* Native { get; }

    /// <summary>Gets or sets the ring's engine. The constructor of the engine sets the property.</summary>
    public RingEngine Engine { get; set; } = null!;

    public Memory<byte> Memory { get; }

    /// <summary>Gets the first byte of the memory.</summary>
    public ref byte Start
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (_array is { } array)
                return ref Unsafe.AddByteOffset(ref MemoryMarshal.GetArrayDataReference(array), (nuint)_start);
            return ref MemoryMarshal.GetReference(Memory.Span);
        }
    }
}
