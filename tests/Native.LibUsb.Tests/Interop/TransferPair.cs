using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests.Interop;

/// <summary>
/// Represents two transfers with equal random bytes. The C function changes one of the transfers, and our function changes the other transfer. Comparisons
/// include padding and unused packets.
/// </summary>
internal sealed unsafe class TransferPair : IDisposable
{
    private readonly int _size;

    internal TransferPair(int packets)
    {
        _size = sizeof(libusb_transfer) + (packets * sizeof(libusb_iso_packet_descriptor));
        C = (libusb_transfer*)NativeMemory.Alloc((nuint)_size);
        Ours = (libusb_transfer*)NativeMemory.Alloc((nuint)_size);
    }

    internal libusb_transfer* C { get; }

    internal libusb_transfer* Ours { get; }

    internal void Randomise(Random random)
    {
        random.NextBytes(new Span<byte>(C, _size));
        new ReadOnlySpan<byte>(C, _size).CopyTo(new Span<byte>(Ours, _size));
    }

    internal void AssertEqual() => Assert.Equal(new ReadOnlySpan<byte>(C, _size).ToArray(), new ReadOnlySpan<byte>(Ours, _size).ToArray());

    public void Dispose()
    {
        NativeMemory.Free(C);
        NativeMemory.Free(Ours);
    }
}
